import CDatagrams
import NetworkAddresses

/// Short datagrams that leave together, past the channel that reads their socket. Lives on one event loop.
final class DatagramBatch {
    private static let capacity = Int(datagrams_at_once)
    /// What fits a frame of Ethernet.
    private static let longest = 1500

    private let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity * longest, alignment: 8)
    private var waiting: [datagram] = []

    init() { waiting.reserveCapacity(Self.capacity) }

    deinit { bytes.deallocate() }

    /// - Returns: false where it is too long, or no more fit before ``send(on:)``.
    func add(_ datagram: [UInt8], to address: IPv4Address, port: UInt16) -> Bool {
        guard waiting.count < Self.capacity, datagram.count <= Self.longest else { return false }
        let place = UnsafeMutableRawBufferPointer(rebasing: bytes[(waiting.count * Self.longest)...])
        place.copyBytes(from: datagram)
        waiting.append(
            .init(
                bytes: place.baseAddress, length: datagram.count, address: address.rawValue.bigEndian,
                port: port.bigEndian))
        return true
    }

    /// At once: whoever gets nothing, since the link is down or the socket full, asks again.
    func send(on socket: Int32) {
        guard !waiting.isEmpty else { return }
        datagrams_send(socket, waiting, Int32(waiting.count))
        waiting.removeAll(keepingCapacity: true)
    }
}
