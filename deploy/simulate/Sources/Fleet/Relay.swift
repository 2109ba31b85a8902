import DHCP
import NIOCore
import NetworkAddresses
import Synchronization

/// The relay agent of a process's machines (RFC 1542 §4): theirs is a subnet that the daemon reaches through it only.
final class Relay: Sendable {
    let address: NetworkAddresses.IPv4Address
    private let server: SocketAddress
    private let inboxes = Mutex<[UInt32: Inbox]>([:])
    private let socket = Mutex<Datagrams?>(nil)

    init(address: NetworkAddresses.IPv4Address, server: NetworkAddresses.IPv4Address) throws {
        self.address = address
        self.server = try SocketAddress(ipAddress: "\(server)", port: 67)
    }

    func open() async throws {
        let opened = try await Datagrams.bind("\(address)", port: 67) { datagram, _ in
            guard let message = try? Message(parsing: datagram.bytes) else { return }
            self.inboxes.withLock { $0[message.xid] }?.deliver(datagram)
        }
        socket.withLock { $0 = opened }
    }

    /// Asks until there is an answer of one of these types, four times at most.
    func exchange(_ message: Message, _ luck: Luck, _ odds: Odds, for types: Set<MessageType>) async -> Message? {
        guard let socket = socket.withLock({ $0 }) else { return nil }
        let inbox = Inbox()
        inboxes.withLock { $0[message.xid] = inbox }
        defer { _ = inboxes.withLock { $0.removeValue(forKey: message.xid) } }
        var message = message
        message.giaddr = address
        message.hops = 1
        for wait in [1.0, 2, 4, 8] {
            if !luck.falls(odds.lostPacket) { socket.send(message.encoded, to: server) }
            let end = ContinuousClock.now + .seconds(wait)
            while !Task.isCancelled {
                let left = (end - .now) / .seconds(1)
                guard left > 0, let datagram = await inbox.next(within: left, on: socket.channel.eventLoop) else {
                    break
                }
                guard !luck.falls(odds.lostPacket), let answer = try? Message(parsing: datagram.bytes),
                    answer.type.map(types.contains) ?? false
                else { continue }
                return answer
            }
        }
        return nil
    }
}
