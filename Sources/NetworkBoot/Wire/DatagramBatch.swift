import CDatagrams

/// Short datagrams that leave together, past the channel that reads their socket: one call for as many as were read by one. Lives on one
/// event loop.
final class DatagramBatch {
    private static let capacity = Int(datagrams_at_once)
    /// What fits a frame of Ethernet.
    private static let longest = 1500

    private let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity * longest, alignment: 8)
    private let receivers = UnsafeMutablePointer<DatagramSender.Address>.allocate(capacity: capacity)
    private var waiting: [datagram] = []

    init() { waiting.reserveCapacity(Self.capacity) }

    deinit {
        bytes.deallocate()
        receivers.deallocate()
    }

    /// - Parameters:
    ///   - header: ahead of `part` in the same datagram.
    /// - Returns: false where it is too long, or no more fit before ``send(on:)``.
    func add(
        header: UInt32? = nil, _ part: UnsafeRawBufferPointer, to receiver: DatagramSender.Address
    ) -> Bool {
        let length = (header == nil ? 0 : 4) + part.count
        guard waiting.count < Self.capacity, length <= Self.longest else { return false }
        let place = UnsafeMutableRawBufferPointer(rebasing: bytes[(waiting.count * Self.longest)...].prefix(length))
        if let header { place.storeBytes(of: header.bigEndian, as: UInt32.self) }
        UnsafeMutableRawBufferPointer(rebasing: place.suffix(part.count)).copyMemory(from: part)
        let to = receivers + waiting.count
        to.initialize(to: receiver)
        waiting.append(
            .init(bytes: place.baseAddress, length: length, receiver: to, receiver_length: receiver.length))
        return true
    }

    /// Without waiting: what the kernel refuses is lost, as on the wire, and asked for again.
    func send(on socket: Int32) {
        guard !waiting.isEmpty else { return }
        datagrams_send(socket, waiting, Int32(waiting.count))
        clear()
    }

    func clear() { waiting.removeAll(keepingCapacity: true) }
}
