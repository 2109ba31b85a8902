import Glibc
import Machines
import NIOCore
import NIOPosix

/// A part of a file on its way to one client, in pieces, each when the last one is gone: one call for a whole image would hold up
/// every other client of this loop for as long as the kernel likes, and a thousand pieces written ahead are a thousand promises
/// for each client.
final class FileSending {
    /// When a piece was taken whole, or the file begun.
    private(set) var progressAt = NIODeadline.now()

    private let handle: NIOFileHandle
    private let range: Range<Int64>
    /// The kernel cannot encrypt what it sends from a file.
    private let isTLS: Bool
    private let context: ChannelHandlerContext
    private let sent: EventLoopPromise<Void>
    private let growth: (any FileGrowth)?
    /// Nil: each piece leaves as soon as there is room.
    private let turns: ImageTurns?
    private let client: String

    /// For a piece of a file: who reads slower than 7 kB/s holds a connection that others could have.
    static let piecePatience = TimeAmount.seconds(300)
    /// Bytes of a file in one system call. Smaller ones cost more of the processor with one reader, larger ones with hundreds, who then
    /// find less of each other's bytes in its caches (measured from 512 KiB to 8 MiB).
    private static let pieceBytes: Int64 = 2 << 20
    /// Bytes of a file read at once where it is encrypted.
    private static let readBytes: Int64 = 256 << 10

    /// - Throws: when there are no more file descriptors.
    init(
        _ file: OpenFile, _ range: Range<Int64>, isTLS: Bool, turns: ImageTurns?, on context: ChannelHandlerContext
    ) throws {
        // The handle owns a duplicate: the cache of open files and this transfer close independently.
        let descriptor = dup(file.descriptor)
        guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "dup") }
        handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: descriptor)
        (self.range, self.isTLS, self.context) = (range, isTLS, context)
        (growth, self.turns) = (file.growth, turns)
        client = turns == nil ? "" : context.remoteAddress?.ipAddress ?? ""
        sent = context.eventLoop.makePromise()
    }

    /// Sends behind what was written before; `done` is told how it ended.
    func begin(_ done: @escaping (Result<Void, any Error>) -> Void) {
        let channel = context.channel
        cork(channel, true)
        sent.futureResult.assumeIsolated().whenComplete { result in
            self.cork(channel, false)
            try? self.handle.close()
            done(result)
        }
        if turns != nil { keepLittleUnsent(channel) }
        sendNext(of: range)
    }

    /// What of the file is there and may leave.
    private func sendNext(of range: Range<Int64>) {
        guard !range.isEmpty else { return sent.succeed() }
        guard let growth else { return sendInTurn(range, upTo: range.upperBound) }
        let length = context.eventLoop.makePromise(of: Int64.self)
        length.completeWithTask { try await growth.length(beyond: range.lowerBound) }
        length.futureResult.assumeIsolated().whenComplete { result in
            switch result {
            case .success(let length): self.sendInTurn(range, upTo: min(length, range.upperBound))
            case .failure(let error): self.sent.fail(error)
            }
        }
    }

    private func sendInTurn(_ range: Range<Int64>, upTo end: Int64) {
        let most = isTLS ? Self.readBytes : turns?.pieceBytes ?? Self.pieceBytes
        let piece = range.lowerBound..<min(range.lowerBound + most, end)
        guard let turns else { return send(piece, of: range) }
        turns.turn(of: client, bytes: piece.count, on: context.eventLoop).assumeIsolated().whenSuccess {
            self.send(piece, of: range)
        }
    }

    private func send(_ piece: Range<Int64>, of range: Range<Int64>) {
        guard let data = isTLS ? read(piece) : region(piece) else {
            turns?.ended(client, on: context.eventLoop)
            return sent.fail(BootServiceError("the file ends before its size"))
        }
        context.writeAndFlush(NIOAny(data)).assumeIsolated().whenComplete { result in
            self.turns?.ended(self.client, on: self.context.eventLoop)
            switch result {
            case .success:
                self.progressAt = .now()
                self.sendNext(of: piece.lowerBound + Int64(data.readableBytes)..<range.upperBound)
            case .failure(let error): self.sent.fail(error)
            }
        }
    }

    private func region(_ piece: Range<Int64>) -> IOData {
        .fileRegion(
            FileRegion(fileHandle: handle, readerIndex: Int(piece.lowerBound), endIndex: Int(piece.upperBound)))
    }

    /// A client that reads slowly takes no memory: no piece is read before the last one is gone.
    private func read(_ piece: Range<Int64>) -> IOData? {
        // The allocator may give more room than this.
        let wanted = piece.count
        var buffer = context.channel.allocator.buffer(capacity: wanted)
        let count =
            (try? handle.withUnsafeFileDescriptor { descriptor in
                buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) { bytes in
                    max(0, pread(descriptor, bytes.baseAddress, wanted, off_t(piece.lowerBound)))
                }
            }) ?? 0
        return count > 0 ? .byteBuffer(buffer) : nil
    }

    /// A piece counts as gone when the kernel has it: what it has and has not sent must be little, or turns would be of buffers
    /// and not of the line.
    private func keepLittleUnsent(_ channel: any Channel) {
        try? channel.syncOptions?.setOption(
            .tcpOption(NIOBSDSocket.Option(rawValue: TCP_NOTSENT_LOWAT)), value: 256 << 10)
    }

    /// While a file leaves, only full segments do: its head goes with its first bytes, and the kernel cuts less.
    private func cork(_ channel: any Channel, _ on: Bool) {
        try? channel.syncOptions?.setOption(.tcpOption(NIOBSDSocket.Option(rawValue: TCP_CORK)), value: on ? 1 : 0)
    }
}
