import Inventory
import NetworkAddresses

/// By what a machine's power is controlled.
public enum BMCKind: String, Codable, Sendable, CaseIterable {
    case redfish, ipmi
    /// No BMC: a NIC turns the machine on, and its agent turns it off.
    case wakeOnLAN = "wake-on-lan"
    /// A person does it, or its agent while that runs.
    case none

    /// A BMC is there, which answers.
    public var isController: Bool { self == .redfish || self == .ipmi }

    /// Of the protocol: TCP for Redfish, UDP for the others.
    public var defaultPort: Int {
        switch self {
        case .redfish: 443
        case .ipmi: 623
        case .wakeOnLAN: 9
        case .none: 0
        }
    }
}

/// Which certificate of a BMC is believed.
public enum BMCTrust: Equatable, Sendable {
    /// The one with this SHA-256 (64 lower-case hex digits, over the DER form), whatever it says: a person was shown it, or it was there at first use.
    case pinned(String)
    /// One that an authority of the installation signed for this address.
    case authorities
    /// Any: a person chose so.
    case anything
}

/// Where a BMC is and how to log in. Never stored or logged as a whole: the password comes from the secret store for one use.
public struct BMCAccess: Sendable, CustomStringConvertible {
    public var kind: BMCKind
    /// An IP address; of Wake-on-LAN the broadcast address of the machine's network.
    public var address: String
    public var port: Int
    /// UDP port of IPMI, by which the serial console is reached on a BMC that is controlled by Redfish.
    public var consolePort: Int
    public var username: String
    public var password: String
    /// Of Redfish over TLS.
    public var trust: BMCTrust
    /// What its hardware profile knows of it.
    public var quirks: Set<BMCQuirk>
    /// How long a chassis may take to be as it was asked.
    public var settle: Duration
    /// The machine's, which a Wake-on-LAN packet names.
    public var nics: [MACAddress] = []
    /// Of the machine, where it is known: a BMC that has several machines (a blade chassis) is asked for this one.
    public var machineUUID: String?
    public var machineSerial: String?

    /// - Parameters:
    ///   - port: nil: the kind's own.
    ///   - settle: of the slowest chassis seen without being told of.
    public init(
        kind: BMCKind = .ipmi, address: String, port: Int? = nil, consolePort: Int? = nil, username: String,
        password: String, trust: BMCTrust = .authorities, quirks: Set<BMCQuirk> = [], settle: Duration = .seconds(60)
    ) {
        (self.kind, self.address, self.port) = (kind, address, port ?? kind.defaultPort)
        self.consolePort = consolePort ?? (kind == .ipmi ? self.port : BMCKind.ipmi.defaultPort)
        (self.username, self.password, self.trust) = (username, password, trust)
        (self.quirks, self.settle) = (quirks, settle)
    }

    public var description: String { "\(username)@\(address):\(port) (\(kind.rawValue))" }
}
