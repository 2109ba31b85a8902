import Inventory
import NetworkAddresses

/// A machine's network with each port found among its hardware: what an operating system is told. Free of contradictions, and in a fixed order.
public struct SystemNetwork: Equatable, Sendable {
    public struct Port: Equatable, Sendable {
        public var name: String
        /// Burnt in: a bond gives its ports one address for all.
        public var mac: MACAddress
        public var addressing: MachineNetwork.Addressing
        public var mtu: Int?
        /// Name of the bond that it is part of; nil: it stands for itself.
        public var bond: String?

        public init(
            name: String, mac: MACAddress, addressing: MachineNetwork.Addressing = .init(), mtu: Int? = nil,
            bond: String? = nil
        ) {
            (self.name, self.mac, self.addressing, self.mtu, self.bond) = (name, mac, addressing, mtu, bond)
        }
    }

    public struct Bond: Equatable, Sendable {
        public var name: String
        /// In the order that a person gave: the first one is used first where one only is.
        public var ports: [Port]
        public var settings: MachineNetwork.Bond

        public init(name: String, ports: [Port], settings: MachineNetwork.Bond) {
            (self.name, self.ports, self.settings) = (name, ports, settings)
        }
    }

    public struct VLAN: Equatable, Sendable {
        public var name: String
        public var settings: MachineNetwork.VLAN

        public init(name: String, settings: MachineNetwork.VLAN) { (self.name, self.settings) = (name, settings) }
    }

    /// Those of bonds too, by name.
    public var ports: [Port]
    public var bonds: [Bond]
    public var vlans: [VLAN]
    public var dns: MachineNetwork.NameService
    public var ntp: [String]

    public init(
        ports: [Port], bonds: [Bond] = [], vlans: [VLAN] = [], dns: MachineNetwork.NameService = .init(),
        ntp: [String] = []
    ) {
        (self.ports, self.bonds, self.vlans, self.dns, self.ntp) = (ports, bonds, vlans, dns, ntp)
    }

    /// VLANs on a port or bond.
    public func vlans(on name: String) -> [VLAN] { vlans.filter { $0.settings.on == name } }

    /// Ports that stand for themselves.
    public var freePorts: [Port] { ports.filter { $0.bond == nil } }

    /// Where every interface that has one gets its addresses from.
    public var addressings: [(name: String, addressing: MachineNetwork.Addressing)] {
        freePorts.map { ($0.name, $0.addressing) } + bonds.map { ($0.name, $0.settings.addressing) }
            + vlans.map { ($0.name, $0.settings.addressing) }
    }
}

extension MachineNetwork.Addressing {
    public var isEmpty: Bool { !dhcp4 && !automatic6 && addresses.isEmpty }

    public func gateway(isIPv6: Bool) -> IPAddress? { gateways.first { $0.isIPv6 == isIPv6 } }

    public func addresses(isIPv6: Bool) -> [IPPrefix] { addresses.filter { $0.address.isIPv6 == isIPv6 } }
}

/// What is wrong with a machine's network, and where.
public struct NetworkFault: Error, Equatable, CustomStringConvertible {
    /// Such as `vlans.storage.id`.
    public var path: String
    public var reason: String

    public init(_ path: String, _ reason: String) { (self.path, self.reason) = (path, reason) }

    public var description: String { "\(path): \(reason)" }
}

/// A port that a machine is known to have.
public struct KnownPort: Equatable, Sendable {
    public var mac: MACAddress
    public var pciAddress: String?
    public var slot: String?

    public init(mac: MACAddress, pciAddress: String? = nil, slot: String? = nil) {
        (self.mac, self.pciAddress, self.slot) = (mac, pciAddress, slot)
    }
}

extension Machine {
    /// Its ports by its hardware report; before the first one those that it was seen with.
    public var knownPorts: [KnownPort] {
        guard let hardware = observed.hardware else { return observed.macs.map { KnownPort(mac: $0) } }
        return hardware.nics.filter { !$0.isVirtualFunction }.map {
            KnownPort(mac: $0.permanentMAC ?? $0.mac, pciAddress: $0.pciAddress, slot: $0.slot)
        }
    }
}
