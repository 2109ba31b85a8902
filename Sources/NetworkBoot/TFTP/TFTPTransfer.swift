import Glibc
import NIOCore
import TFTP

/// One transfer under way: what is sent to whom, and what became of it. Lives on the desk's event loop.
final class TFTPTransfer {
    /// Who asks: address and port together are its end of the transfer (RFC 1350 §4).
    struct Client: Hashable {
        private let high: UInt64
        private let low: UInt64
        private let port: UInt32

        init(_ address: DatagramSender.Address) {
            // struct sockaddr_in: family (2), port (2), address (4); sockaddr_in6: family (2), port (2), flow (4), address (16).
            let isIPv4 = address.length == MemoryLayout<sockaddr_in>.size
            (high, low, port) = withUnsafeBytes(of: address.storage) {
                let port = UInt32($0.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
                guard !isIPv4 else { return (0, UInt64($0.loadUnaligned(fromByteOffset: 4, as: UInt32.self)), port) }
                return (
                    $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
                    $0.loadUnaligned(fromByteOffset: 16, as: UInt64.self), port
                )
            }
        }

        /// One word for every packet: the last half of the address tells neighbours apart.
        func hash(into hasher: inout Hasher) { hasher.combine(low ^ UInt64(port) << 40 ^ high &* 31) }
    }

    let client: Client
    let peer: SocketAddress
    let request: ReadRequest
    var file: String { request.file }
    let content: ByteBuffer
    let port: TFTPPort
    let startedAt = NIODeadline.now()
    var address: DatagramSender.Address
    var session: ReadSession
    /// Its client asked anew, and has said nothing of this transfer since.
    var isDoubted = false
    /// Somebody will look whether it still is.
    var isLookedAfter = false
    /// This client's way takes several datagrams in one call.
    private var sendsWindows = true

    init(
        client: Client, peer: SocketAddress, request: ReadRequest, content: ByteBuffer, port: TFTPPort,
        session: ReadSession
    ) {
        (self.client, self.peer, self.request, self.content) = (client, peer, request, content)
        (self.port, self.session, address) = (port, session, DatagramSender.Address(peer))
    }

    /// Leaves a block to be sent together with others'.
    /// - Returns: false where there is no room for it.
    func add(_ block: Int, to batch: DatagramBatch) -> Bool {
        let (number, offset, length) = session.block(block)
        return content.withUnsafeReadableBytes {
            batch.add(
                header: 3 << 16 | UInt32(number), UnsafeRawBufferPointer(rebasing: $0[offset..<offset + length]),
                to: address)
        }
    }

    func send(_ bytes: [UInt8], with sender: DatagramSender) {
        guard port.isOpen else { return }
        // What cannot be sent is lost, as on the wire: the session sends it again.
        _ = bytes.withUnsafeBytes { sender.send($0, to: &address, on: port.descriptor) }
    }

    func send(_ blocks: ClosedRange<Int>, with sender: DatagramSender) {
        guard port.isOpen else { return }
        let atOnce = max(
            1, min(DatagramSender.maximumSegments, DatagramSender.maximumBytes / (4 + session.blockSize)))
        var next = blocks.lowerBound
        while next <= blocks.upperBound {
            let last = sendsWindows ? min(blocks.upperBound, next + atOnce - 1) : next
            let failure = content.withUnsafeReadableBytes { bytes in
                sender.send(
                    (next...last).lazy.map { index in
                        let (number, offset, length) = self.session.block(index)
                        return (
                            3 << 16 | UInt32(number), UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length])
                        )
                    }, to: &address, on: port.descriptor)
            }
            if failure != 0, failure != EAGAIN, last > next {
                // A path with a smaller MTU, or a device that cannot cut them up: one by one from here on.
                sendsWindows = false
                continue
            }
            next = last + 1
        }
    }
}
