import CAgent
import DHCP
import FoundationEssentials
import Glibc
import NetworkAddresses

/// Gets this machine onto the provisioning network and keeps it there.
public final class AgentNetwork: Sendable {
    private let files = SystemFiles()
    private let commandLine: KernelCommandLine

    public init(commandLine: KernelCommandLine) { self.commandLine = commandLine }

    /// Brings up the interface that the firmware booted from and runs its DHCP client for as long as the agent lives.
    /// Returns only when there is no such interface.
    /// - Parameter configured: called with each lease; the first one means that the network works.
    public func run(configured: @escaping @Sendable (LeaseConfiguration) -> Void) {
        guard let name = bringUpLink() else { return }
        guard let mac = files.text("/sys/class/net/\(name)/address").flatMap({ MACAddress($0) }) else {
            return Console.say("\(name) has no MAC address")
        }
        DHCPClientLoop(interface: name, mac: mac, former: commandLine.address, configured: configured).run()
    }

    /// Its name once there is a carrier, or after a minute without.
    private func bringUpLink() -> String? {
        let deadline = Console.uptime + 60
        while Console.uptime < deadline {
            if let name = interface() {
                if agent_link_set_up(name, 1) != 0 {
                    Console.say("\(name) cannot be set up: \(String(cString: strerror(errno)))")
                }
                waitForCarrier(name, until: deadline)
                return tagged(name)
            }
            usleep(20_000)
        }
        return nil
    }

    private func interface() -> String? {
        let names = files.list("/sys/class/net").filter { files.exists("/sys/class/net/\($0)/device") }
        guard let mac = commandLine.mac else { return names.first }
        return names.first { files.text("/sys/class/net/\($0)/address") == mac.description }
    }

    private func waitForCarrier(_ name: String, until deadline: Double) {
        while Console.uptime < deadline, files.number("/sys/class/net/\(name)/carrier") != 1 { usleep(20_000) }
    }

    private func tagged(_ name: String) -> String {
        guard let tag = commandLine.vlan else { return name }
        let vlan = "\(name).\(tag)"
        guard agent_add_vlan(name, Int32(tag)) == 0, agent_link_set_up(vlan, 1) == 0 else {
            Console.say("VLAN \(tag) on \(name): \(String(cString: strerror(errno)))")
            return name
        }
        return vlan
    }
}

/// Performs what the DHCP client decides, on one interface.
private struct DHCPClientLoop: Sendable {
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
                case .broadcast(let message): send(message, to: nil, socket)
                case .unicast(let message, let server): send(message, to: server, socket)
                case .armTimer(let duration): deadline = Console.uptime + duration / .seconds(1)
                case .configure(let lease):
                    if lease != current { apply(lease) }
                    current = lease
                    configured(lease)
                case .deconfigure:
                    Console.say("the lease of \(interface) is over")
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
        if lease.routes.isEmpty, let router = lease.router {
            _ = agent_add_route(interface, 0, 0, router.rawValue.bigEndian)
        }
        for route in lease.routes {
            let routeMask = route.prefixLength == 0 ? 0 : ~UInt32(0) << UInt32(32 - route.prefixLength)
            _ = agent_add_route(
                interface, route.destination.rawValue.bigEndian, routeMask.bigEndian, route.gateway.rawValue.bigEndian)
        }
    }
}
