import NIOCore
import Synchronization

/// Counts open connections against a limit.
final class ConnectionCount: Sendable {
    private let count = Mutex(0)
    private let maximum: Int

    init(maximum: Int) { self.maximum = maximum }

    /// False when there are too many; otherwise the channel counts until it closes.
    func open(_ channel: any Channel) -> Bool {
        let admitted = count.withLock { count in
            guard count < maximum else { return false }
            count += 1
            return true
        }
        if admitted { channel.closeFuture.whenComplete { _ in self.count.withLock { $0 -= 1 } } }
        return admitted
    }
}
