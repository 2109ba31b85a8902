import NetworkAddresses
import WireBytes

/// The options of a DHCPv6 message in the order in which they came (RFC 8415 §21.1).
public struct DHCPv6Options: Equatable, Sendable {
    public private(set) var all: [(code: DHCPv6OptionCode, value: [UInt8])] = []

    public init() {}

    init(parsing bytes: [UInt8]) throws(WireError) {
        var reader = ByteReader(bytes)
        while reader.remaining > 0 {
            let code = DHCPv6OptionCode(rawValue: try reader.uint16("option code"))
            let length = try reader.uint16("option length")
            all.append((code, try reader.take(Int(length), "option value")))
        }
    }

    public static func == (left: Self, right: Self) -> Bool {
        left.all.elementsEqual(right.all) { $0.code == $1.code && $0.value == $1.value }
    }

    /// The first one with this code. Setting it replaces all of them, and nil takes them away.
    public subscript(code: DHCPv6OptionCode) -> [UInt8]? {
        get { all.first { $0.code == code }?.value }
        set {
            all.removeAll { $0.code == code }
            if let newValue { all.append((code, newValue)) }
        }
    }

    public mutating func append(_ code: DHCPv6OptionCode, _ value: [UInt8]) { all.append((code, value)) }

    var encoded: [UInt8] {
        var writer = ByteWriter()
        for (code, value) in all {
            writer.uint16(code.rawValue)
            writer.uint16(UInt16(clamping: value.count))
            writer.append(value.prefix(Int(UInt16.max)))
        }
        return writer.bytes
    }
}

/// IANA's registry of DHCPv6 options. Open: other codes are carried.
public struct DHCPv6OptionCode: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let clientIdentifier = Self(rawValue: 1)
    public static let serverIdentifier = Self(rawValue: 2)
    /// IA_NA.
    public static let addressAssociation = Self(rawValue: 3)
    public static let address = Self(rawValue: 5)
    public static let requestedOptions = Self(rawValue: 6)
    public static let relayMessage = Self(rawValue: 9)
    public static let statusCode = Self(rawValue: 13)
    public static let rapidCommit = Self(rawValue: 14)
    public static let userClass = Self(rawValue: 15)
    public static let vendorClass = Self(rawValue: 16)
    public static let interfaceID = Self(rawValue: 18)
    public static let nameServers = Self(rawValue: 23)
    public static let domainList = Self(rawValue: 24)
    /// RFC 5970 §3.1.
    public static let bootFileURL = Self(rawValue: 59)
    /// RFC 5970 §3.2.
    public static let bootFileParameters = Self(rawValue: 60)
    /// RFC 5970 §3.3.
    public static let clientArchitecture = Self(rawValue: 61)
    /// RFC 5970 §3.4.
    public static let networkInterface = Self(rawValue: 62)
    /// RFC 6939.
    public static let clientLinkLayer = Self(rawValue: 79)
}

/// RFC 8415 §21.13. Open.
public struct DHCPv6Status: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let success = Self(rawValue: 0)
    public static let noAddresses = Self(rawValue: 2)
    public static let noBinding = Self(rawValue: 3)
    public static let notOnLink = Self(rawValue: 4)

    /// The value of option 13.
    public func encoded(_ words: String) -> [UInt8] {
        [UInt8(rawValue >> 8), UInt8(rawValue & 0xff)] + Array(words.utf8)
    }
}
