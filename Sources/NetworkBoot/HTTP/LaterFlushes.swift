import NIOCore
import Synchronization

/// Answers of one event loop that leave together, after every request that was there has been read: a thousand machines that ask
/// at once are answered in one go, and not each at the price of waking somebody up.
final class LaterFlushes {
    private var contexts: [ChannelHandlerContext] = []

    /// What is written to this channel leaves when the loop has read from all others.
    func add(_ context: ChannelHandlerContext) {
        contexts.append(context)
        guard contexts.count == 1 else { return }
        context.eventLoop.assumeIsolated().execute {
            let contexts = self.contexts
            self.contexts.removeAll(keepingCapacity: true)
            for context in contexts { context.flush() }
        }
    }

    /// One for each event loop.
    final class Table: Sendable {
        private let byLoop = Mutex<[ObjectIdentifier: NIOLoopBound<LaterFlushes>]>([:])

        func flushes(on loop: any EventLoop) -> LaterFlushes {
            byLoop.withLock { table in
                let id = ObjectIdentifier(loop)
                if let known = table[id] { return known }
                let made = NIOLoopBound(LaterFlushes(), eventLoop: loop)
                table[id] = made
                return made
            }.value
        }
    }
}
