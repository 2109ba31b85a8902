import CDatagrams
import Glibc

/// Takes the datagrams that wait on a socket past the channel that owns it, which makes several objects of each: the channel says that
/// there is something, and the rest is read here. Lives on one event loop.
final class DatagramReader {
    static let atOnce = Int(datagrams_at_once)
    private static let room = 2048

    private let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: atOnce * room, alignment: 8)
    private let senders = UnsafeMutablePointer<sockaddr_storage>.allocate(capacity: atOnce)
    private let lengths = UnsafeMutablePointer<UInt32>.allocate(capacity: atOnce)

    init() { senders.initialize(repeating: sockaddr_storage(), count: Self.atOnce) }

    deinit {
        bytes.deallocate()
        senders.deallocate()
        lengths.deallocate()
    }

    /// Hands on what has come, at most ``atOnce``.
    /// - Returns: how many that were.
    func read(_ socket: Int32, _ take: (UnsafeRawBufferPointer, DatagramSender.Address) -> Void) -> Int {
        let count = Int(datagrams_receive(socket, bytes.baseAddress, Self.room, senders, lengths))
        for index in 0..<count {
            let start = index * Self.room
            take(
                UnsafeRawBufferPointer(rebasing: bytes[start..<start + Int(lengths[index])]),
                DatagramSender.Address(senders[index]))
        }
        return count
    }
}
