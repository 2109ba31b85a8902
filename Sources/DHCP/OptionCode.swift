/// A DHCP option's number (RFC 2132 and IANA's registry). Open: a number without a name is carried, never refused.
public struct OptionCode: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let pad = Self(rawValue: 0)
    public static let subnetMask = Self(rawValue: 1)
    public static let router = Self(rawValue: 3)
    public static let domainNameServer = Self(rawValue: 6)
    /// Syslog servers (RFC 2132 §3.9); iPXE built with syslog uses the first.
    public static let logServer = Self(rawValue: 7)
    public static let hostName = Self(rawValue: 12)
    public static let domainName = Self(rawValue: 15)
    public static let interfaceMTU = Self(rawValue: 26)
    public static let broadcastAddress = Self(rawValue: 28)
    /// PXE's options inside one (RFC 2132 §8.4; PXE 2.1 §2.2).
    public static let vendorSpecific = Self(rawValue: 43)
    public static let requestedAddress = Self(rawValue: 50)
    public static let leaseTime = Self(rawValue: 51)
    public static let overload = Self(rawValue: 52)
    public static let messageType = Self(rawValue: 53)
    public static let serverIdentifier = Self(rawValue: 54)
    public static let parameterRequestList = Self(rawValue: 55)
    public static let message = Self(rawValue: 56)
    public static let maximumMessageSize = Self(rawValue: 57)
    public static let renewalTime = Self(rawValue: 58)
    public static let rebindingTime = Self(rawValue: 59)
    public static let vendorClass = Self(rawValue: 60)
    public static let clientIdentifier = Self(rawValue: 61)
    public static let tftpServerName = Self(rawValue: 66)
    public static let bootFileName = Self(rawValue: 67)
    /// RFC 3004, and iPXE's plain `iPXE`.
    public static let userClass = Self(rawValue: 77)
    /// RFC 3046.
    public static let relayAgentInformation = Self(rawValue: 82)
    /// RFC 4578 §2.1.
    public static let clientArchitecture = Self(rawValue: 93)
    /// RFC 4578 §2.2.
    public static let networkInterface = Self(rawValue: 94)
    /// RFC 4578 §2.3.
    public static let machineIdentifier = Self(rawValue: 97)
    /// RFC 3442.
    public static let classlessRoutes = Self(rawValue: 121)
    /// Encapsulated options of iPXE.
    public static let ipxe = Self(rawValue: 175)
    public static let end = Self(rawValue: 255)
}

/// Option 53 (RFC 2132 §9.6). Open.
public struct MessageType: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public var rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let discover = Self(rawValue: 1)
    public static let offer = Self(rawValue: 2)
    public static let request = Self(rawValue: 3)
    public static let decline = Self(rawValue: 4)
    public static let ack = Self(rawValue: 5)
    public static let nak = Self(rawValue: 6)
    public static let release = Self(rawValue: 7)
    public static let inform = Self(rawValue: 8)

    public var description: String {
        switch self {
        case .discover: "DISCOVER"
        case .offer: "OFFER"
        case .request: "REQUEST"
        case .decline: "DECLINE"
        case .ack: "ACK"
        case .nak: "NAK"
        case .release: "RELEASE"
        case .inform: "INFORM"
        default: "type \(rawValue)"
        }
    }
}
