import FoundationEssentials
import Inventory
import NetworkAddresses

/// Where a switch says that a machine is plugged in.
public struct SwitchPort: Codable, Equatable, Sendable {
    /// The machine's NIC.
    public var mac: MACAddress
    public var name: String
    public var port: String
    /// Of untagged frames; nil: not told.
    public var vlan: Int?

    public init(mac: MACAddress, name: String, port: String, vlan: Int? = nil) {
        (self.mac, self.name, self.port, self.vlan) = (mac, name, port, vlan)
    }

    /// `leaf-7 Ethernet1/8, VLAN 42`.
    public var words: String { "\(name) \(port)" + (vlan.map { ", VLAN \($0)" } ?? "") }
}

/// Where a DHCP relay says that a machine is plugged in (option 82).
public struct RelayPort: Codable, Equatable, Sendable {
    /// The machine's NIC.
    public var mac: MACAddress
    /// Circuit and relay, in the relay's words.
    public var words: String
    /// When it said so first.
    public var since: Date

    public init(mac: MACAddress, words: String, since: Date) {
        (self.mac, self.words, self.since) = (mac, words, since)
    }
}

extension HardwareReport {
    /// Ports told of one machine.
    private static var portLimit: Int { 64 }

    /// The ports that its NICs are plugged into, by LLDP.
    public var switchPorts: [SwitchPort] {
        let ports = nics.compactMap { nic in
            nic.neighbour.map {
                SwitchPort(mac: nic.permanentMAC ?? nic.mac, name: $0.system, port: $0.port, vlan: $0.vlan)
            }
        }
        return Array(ports.prefix(Self.portLimit))
    }
}

extension Machine {
    /// NICs of one machine that relays are remembered of.
    static let relayCapacity = 16

    /// Notes where a relay says that a NIC is plugged in.
    /// - Returns: whether that is new, and what was said before.
    public mutating func note(relay words: String, of mac: MACAddress, at now: Date) -> (isNew: Bool, former: String?) {
        var ports = observed.relayPorts ?? []
        let former = ports.first { $0.mac == mac }?.words
        guard former != words else { return (false, former) }
        ports.removeAll { $0.mac == mac }
        ports.append(RelayPort(mac: mac, words: words, since: now))
        observed.relayPorts = Array(ports.suffix(Self.relayCapacity))
        updatedAt = now
        return (true, former)
    }
}
