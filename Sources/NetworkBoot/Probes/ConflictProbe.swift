import Glibc
import NIOCore
import NetworkAddresses

/// Finds out whether somebody answers at an address before it is given away (RFC 2131 §2.2): by ICMP echo, and by the kernel's ARP
/// table, since a host that drops pings still answers ARP.
enum ConflictProbe {
    /// Milliseconds that others have for their answers.
    static let patience = 500

    /// Asks for all at once, and blocks for ``patience``.
    /// - Parameter interface: of the subnet; nil where it is behind relays, and ARP tells nothing.
    /// - Returns: those that are in use, with the Ethernet address where ARP told it.
    static func inUse(_ addresses: [NetworkAddresses.IPv4Address], on interface: String?) -> [NetworkAddresses
        .IPv4Address: MACAddress?]
    {
        let echo = socket(AF_INET, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), Int32(IPPROTO_ICMP))
        guard echo >= 0 else { return [:] }
        defer { close(echo) }
        if let interface { setsockopt(echo, SOL_SOCKET, SO_BINDTODEVICE, interface, socklen_t(interface.utf8.count)) }
        let identifier = UInt16.random(in: 1...UInt16.max)
        let request = Self.request(identifier)
        for address in addresses {
            guard let destination = try? SocketAddress(address, port: 0) else { continue }
            destination.withSockAddr { _ = sendto(echo, request, request.count, 0, $0, socklen_t($1)) }
        }
        var found: [NetworkAddresses.IPv4Address: MACAddress?] = [:]
        let end = ContinuousClock.now + .milliseconds(patience)
        var buffer = [UInt8](repeating: 0, count: 512)
        while true {
            let left = Int32(clamping: Int((end - .now) / .milliseconds(1)))
            var wanted = pollfd(fd: echo, events: Int16(POLLIN), revents: 0)
            guard left > 0, poll(&wanted, 1, left) > 0 else { break }
            let count = recv(echo, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard count > 0, let source = answerer(Array(buffer[..<count]), identifier), addresses.contains(source)
            else { continue }
            found[source] = .some(nil)
        }
        guard let interface, let table = OpenFile.text("/proc/net/arp") else { return found }
        for (address, mac) in neighbours(table, on: interface) where addresses.contains(address) {
            found[address] = mac
        }
        return found
    }

    /// An ICMP echo request (RFC 792) with its checksum.
    static func request(_ identifier: UInt16) -> [UInt8] {
        let words: [UInt16] = [0x0800, identifier, 1]
        var sum = words.reduce(UInt32(0)) { $0 + UInt32($1) }
        sum = (sum & 0xffff) + (sum >> 16)
        let checksum = ~UInt16(truncatingIfNeeded: (sum & 0xffff) + (sum >> 16))
        return [0x0800, checksum, identifier, 1].flatMap { [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] }
    }

    /// Who answered our echo request; nil for other packets. A raw socket gives them with their IP header.
    static func answerer(_ packet: [UInt8], _ identifier: UInt16) -> NetworkAddresses.IPv4Address? {
        guard let first = packet.first, first >> 4 == 4, packet.count >= 20 else { return nil }
        let header = Int(first & 15) * 4
        guard header >= 20, packet.count >= header + 8, packet[header] == 0,
            UInt16(packet[header + 4]) << 8 | UInt16(packet[header + 5]) == identifier
        else { return nil }
        return NetworkAddresses.IPv4Address(bytes: packet[12..<16])
    }

    /// Complete entries (flag 2) of `/proc/net/arp` on one interface.
    static func neighbours(_ table: String, on interface: String) -> [NetworkAddresses.IPv4Address: MACAddress] {
        var found: [NetworkAddresses.IPv4Address: MACAddress] = [:]
        for line in table.split(separator: "\n").dropFirst() {
            let fields = line.split(separator: " ").map(String.init)
            guard fields.count == 6, fields[5] == interface, let flags = Int(fields[2].dropFirst(2), radix: 16),
                flags & 2 != 0, let address = NetworkAddresses.IPv4Address(fields[0]), let mac = MACAddress(fields[3])
            else { continue }
            found[address] = mac
        }
        return found
    }
}
