import FoundationEssentials
import NetworkAddresses

/// How a machine's installed system reaches its networks, as people say it. Each interface has a name of theirs, which it also gets in the
/// installed system where that can give names.
public struct MachineNetwork: Codable, Equatable, Sendable {
    /// Ports of the machine, by name. One that is not named here is left alone.
    public var nics: [String: Port]
    public var bonds: [String: Bond]
    public var vlans: [String: VLAN]
    public var dns: NameService
    /// Names or addresses of time servers.
    public var ntp: [String]

    public init(
        nics: [String: Port], bonds: [String: Bond] = [:], vlans: [String: VLAN] = [:], dns: NameService = .init(),
        ntp: [String] = []
    ) {
        (self.nics, self.bonds, self.vlans, self.dns, self.ntp) = (nics, bonds, vlans, dns, ntp)
    }

    /// A port of the machine.
    public struct Port: Codable, Equatable, Sendable {
        public var port: PortReference
        public var addressing: Addressing
        /// Bytes of the largest packet; nil: the driver's.
        public var mtu: Int?

        public init(_ port: PortReference, _ addressing: Addressing = .init(), mtu: Int? = nil) {
            (self.port, self.addressing, self.mtu) = (port, addressing, mtu)
        }
    }

    /// Several ports as one interface.
    public struct Bond: Codable, Equatable, Sendable {
        /// Names among ``MachineNetwork/nics``.
        public var ports: [String]
        public var mode: Mode
        /// Milliseconds between looks at the ports' carriers.
        public var monitorMilliseconds: Int
        /// Of `802.3ad`.
        public var lacpRate: LACPRate?
        /// Of `balance-xor` and `802.3ad`.
        public var hash: TransmitHash?
        public var addressing: Addressing
        public var mtu: Int?

        public init(
            _ ports: [String], mode: Mode, monitorMilliseconds: Int = 100, lacpRate: LACPRate? = nil,
            hash: TransmitHash? = nil, addressing: Addressing = .init(), mtu: Int? = nil
        ) {
            (self.ports, self.mode, self.monitorMilliseconds) = (ports, mode, monitorMilliseconds)
            (self.lacpRate, self.hash, self.addressing, self.mtu) = (lacpRate, hash, addressing, mtu)
        }

        /// Modes of Linux's bonding driver, by its own words (Documentation/networking/bonding.rst).
        public enum Mode: String, Codable, Sendable, CaseIterable {
            case roundRobin = "balance-rr"
            case activeBackup = "active-backup"
            case xor = "balance-xor"
            case broadcast
            /// Link aggregation with the switch's consent.
            case lacp = "802.3ad"
            case transmitBalancing = "balance-tlb"
            case adaptiveBalancing = "balance-alb"
        }

        public enum LACPRate: String, Codable, Sendable, CaseIterable { case slow, fast }

        public enum TransmitHash: String, Codable, Sendable, CaseIterable {
            case layer2
            case layer2And3 = "layer2+3"
            case layer3And4 = "layer3+4"
        }
    }

    /// A tagged VLAN (IEEE 802.1Q) on a port or a bond.
    public struct VLAN: Codable, Equatable, Sendable {
        /// 1–4094.
        public var id: Int
        /// Name of the port or bond.
        public var on: String
        public var addressing: Addressing
        public var mtu: Int?

        public init(id: Int, on: String, _ addressing: Addressing = .init(), mtu: Int? = nil) {
            (self.id, self.on, self.addressing, self.mtu) = (id, on, addressing, mtu)
        }
    }

    /// Where an interface has its addresses from. One without is up, and has none.
    public struct Addressing: Codable, Equatable, Sendable {
        public var dhcp4: Bool
        /// Router advertisements, and DHCPv6 where these say so.
        public var automatic6: Bool
        public var addresses: [IPPrefix]
        /// At most one of each family.
        public var gateways: [IPAddress]
        public var routes: [Route]

        public init(
            dhcp4: Bool = false, automatic6: Bool = false, addresses: [IPPrefix] = [], gateways: [IPAddress] = [],
            routes: [Route] = []
        ) {
            (self.dhcp4, self.automatic6, self.addresses) = (dhcp4, automatic6, addresses)
            (self.gateways, self.routes) = (gateways, routes)
        }
    }

    public struct Route: Codable, Equatable, Sendable {
        public var to: IPPrefix
        public var via: IPAddress
        /// Nil: the system's own.
        public var metric: Int?

        public init(to: IPPrefix, via: IPAddress, metric: Int? = nil) {
            (self.to, self.via, self.metric) = (to, via, metric)
        }
    }

    public struct NameService: Codable, Equatable, Sendable {
        public var servers: [IPAddress]
        public var search: [String]

        public init(servers: [IPAddress] = [], search: [String] = []) {
            (self.servers, self.search) = (servers, search)
        }
    }
}
