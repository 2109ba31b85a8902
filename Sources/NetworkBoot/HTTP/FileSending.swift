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

    /// For a piece of a file: who reads slower than 7 kB/s holds a connection that others could have.
    static let piecePatience = TimeAmount.seconds(300)
    /// Bytes of a file in one system call. Smaller ones cost more of the processor with one reader, larger ones with hundreds, who then
    /// find less of each other's bytes in its caches (measured from 512 KiB to 8 MiB).
    private static let pieceBytes: Int64 = 2 << 20
    /// Bytes of a file read at once where it is encrypted.
    private static let readBytes = 256 << 10

    /// - Throws: when there are no more file descriptors.
    init(_ file: OpenFile, _ range: Range<Int64>, isTLS: Bool, on context: ChannelHandlerContext) throws {
        // The handle owns a duplicate: the cache of open files and this transfer close independently.
        let descriptor = dup(file.descriptor)
        guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "dup") }
        handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: descriptor)
        (self.range, self.isTLS, self.context) = (range, isTLS, context)
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
        if isTLS { sendByReading(range) } else { sendFromKernel(range) }
    }

    private func sendFromKernel(_ range: Range<Int64>) {
        let end = min(range.lowerBound + Self.pieceBytes, range.upperBound)
        let region = FileRegion(fileHandle: handle, readerIndex: Int(range.lowerBound), endIndex: Int(end))
        write(.fileRegion(region)) {
            self.progressAt = .now()
            guard end < range.upperBound else { return self.sent.succeed() }
            self.sendFromKernel(end..<range.upperBound)
        }
    }

    /// The next piece is read when the last one is gone: a client that reads slowly takes no memory.
    private func sendByReading(_ range: Range<Int64>) {
        guard !range.isEmpty else { return sent.succeed() }
        // The allocator may give more room than this.
        let wanted = Int(min(Int64(Self.readBytes), range.upperBound - range.lowerBound))
        var buffer = context.channel.allocator.buffer(capacity: wanted)
        let count =
            (try? handle.withUnsafeFileDescriptor { descriptor in
                buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) { bytes in
                    max(0, pread(descriptor, bytes.baseAddress, wanted, off_t(range.lowerBound)))
                }
            }) ?? 0
        guard count > 0 else { return sent.fail(BootServiceError("the file ends before its size")) }
        write(.byteBuffer(buffer)) {
            self.progressAt = .now()
            self.sendByReading(range.lowerBound + Int64(count)..<range.upperBound)
        }
    }

    private func write(_ piece: IOData, then next: @escaping () -> Void) {
        context.writeAndFlush(NIOAny(piece)).assumeIsolated().whenComplete { result in
            switch result {
            case .success: next()
            case .failure(let error): self.sent.fail(error)
            }
        }
    }

    /// While a file leaves, only full segments do: its head goes with its first bytes, and the kernel cuts less.
    private func cork(_ channel: any Channel, _ on: Bool) {
        try? channel.syncOptions?.setOption(.tcpOption(NIOBSDSocket.Option(rawValue: TCP_CORK)), value: on ? 1 : 0)
    }
}
