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

    /// Its name once there is a carrier, or after a minute without: some drivers never tell of one.
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

    /// By its MAC; a machine that was not told one uses its first NIC.
    private func interface() -> String? {
        let names = files.list("/sys/class/net")
        guard let mac = commandLine.mac else {
            return names.first { files.exists("/sys/class/net/\($0)/device") }
        }
        return names.first { files.text("/sys/class/net/\($0)/address") == mac.description }
    }

    private func waitForCarrier(_ name: String, until deadline: Double) {
        let patience = Console.uptime + 3
        var told = false
        while files.number("/sys/class/net/\(name)/carrier") != 1 {
            if !told, Console.uptime > patience {
                Console.say("\(name) has no carrier yet; is the cable plugged in, is the switch port on?")
                told = true
            }
            guard Console.uptime < deadline else {
                return Console.say("\(name) has no carrier for a minute; asking for an address all the same")
            }
            usleep(20_000)
        }
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
