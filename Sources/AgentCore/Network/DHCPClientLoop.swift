import CAgent
import DHCP
import Glibc
import NetworkAddresses

/// Performs what the DHCP client decides, on one interface.
struct DHCPClientLoop: Sendable {
    let interface: String
    let mac: MACAddress
    let former: IPv4Address?
    let configured: @Sendable (LeaseConfiguration) -> Void

    func run() {
        let socket = agent_dhcp_socket(interface)
        guard socket >= 0 else {
            return Console.say("no DHCP socket on \(interface): \(String(cString: strerror(errno)))")
        }
        defer { close(socket) }
        var client = DHCPClient(
            mac: mac, former: former, vendorClass: "slipway-agent", seed: UInt32.random(in: 1 ... .max))
        var deadline = Console.uptime
        var current: LeaseConfiguration?
        var pending = client.handle(.started)
        while true {
            for action in pending {
                switch action {
                case .tell(let words): Console.say("\(interface): \(words)")
                case .broadcast(let message): send(message, to: nil, socket)
                case .unicast(let message, let server): send(message, to: server, socket)
                case .armTimer(let duration): deadline = Console.uptime + duration / .seconds(1)
                case .configure(let lease):
                    if lease != current { apply(lease) }
                    current = lease
                    configured(lease)
                case .deconfigure:
                    _ = agent_set_address(interface, 0, 0)
                    current = nil
                }
            }
            pending = wait(socket, until: deadline).map { client.handle(.received($0)) } ?? client.handle(.timerFired)
        }
    }

    private func send(_ message: Message, to server: IPv4Address?, _ socket: Int32) {
        let bytes = message.encoded
        _ = agent_dhcp_send(socket, server?.rawValue.bigEndian ?? 0, bytes, Int32(bytes.count))
    }

    /// The next message, nil when the time is up.
    private func wait(_ socket: Int32, until deadline: Double) -> Message? {
        var buffer = [UInt8](repeating: 0, count: 2048)
        while true {
            let left = deadline - Console.uptime
            guard left > 0 else { return nil }
            var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            guard poll(&descriptor, 1, Int32(min(left * 1000 + 1, 60_000))) > 0 else { continue }
            let count = recv(socket, &buffer, buffer.count, 0)
            guard count > 0 else {
                // A link that goes down ends in an error that stays until it is read: no busy loop.
                usleep(200_000)
                continue
            }
            if let message = try? Message(parsing: buffer.prefix(count)) { return message }
        }
    }

    private func apply(_ lease: LeaseConfiguration) {
        let mask = lease.prefixLength == 0 ? 0 : ~UInt32(0) << UInt32(32 - lease.prefixLength)
        Console.say("\(interface) has \(lease.address)/\(lease.prefixLength) from \(lease.server)")
        if agent_set_address(interface, lease.address.rawValue.bigEndian, mask.bigEndian) != 0 {
            Console.say("the address cannot be set: \(String(cString: strerror(errno)))")
        }
        if let mtu = lease.mtu, agent_set_mtu(interface, Int32(mtu)) != 0 {
            Console.say("the MTU \(mtu) cannot be set: \(String(cString: strerror(errno)))")
        }
        for route in lease.effectiveRoutes {
            let routeMask = route.prefixLength == 0 ? 0 : ~UInt32(0) << UInt32(32 - route.prefixLength)
            let added = agent_add_route(
                interface, route.destination.rawValue.bigEndian, routeMask.bigEndian, route.gateway.rawValue.bigEndian)
            if added != 0 {
                Console.say(
                    "no route to \(route.destination)/\(route.prefixLength) by \(route.gateway): \(String(cString: strerror(errno)))"
                )
            }
        }
    }
}
