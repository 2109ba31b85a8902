/// What a BMC says of itself and of its network.
extension Request {
    /// §20.1.
    public static let deviceID = Request("device id", .application, 0x01)

    /// §22.14: the machine's own id.
    public static let systemGUID = Request("system GUID", .application, 0x37)

    /// §22.24.
    public static func channelInfo(_ channel: UInt8) -> Request {
        Request("channel info", .application, 0x42, data: [channel])
    }

    /// §23.2.
    public static func lanParameter(_ parameter: LANParameter, channel: UInt8) -> Request {
        Request("LAN parameter \(parameter.rawValue)", .transport, 0x02, data: [channel, parameter.rawValue, 0, 0])
    }
}

/// A parameter of a LAN channel (table 23-4). Open.
public struct LANParameter: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let setInProgress = Self(rawValue: 0)
    public static let address = Self(rawValue: 3)
    public static let addressSource = Self(rawValue: 4)
    public static let mac = Self(rawValue: 5)
    public static let mask = Self(rawValue: 6)
    public static let gateway = Self(rawValue: 12)
    public static let vlan = Self(rawValue: 20)

    /// The value of an answer, without the revision before it; nil when it is too short.
    public func value(ofAnswer answer: [UInt8]) -> [UInt8]? {
        let count =
            switch self {
            case .address, .mask, .gateway: 4
            case .mac: 6
            case .vlan: 2
            case .addressSource, .setInProgress: 1
            default: 0
            }
        guard answer.count >= 1 + count else { return nil }
        return Array(answer[1...].prefix(count))
    }
}

/// The answer to ``Request/deviceID`` (table 20-2).
public struct DeviceID: Equatable, Sendable {
    /// `2.84`: the second part is as the BMC writes it, in BCD.
    public var firmware: String
    /// Of the IPMI specification: `2.0`.
    public var specification: String
    /// IANA's enterprise number.
    public var manufacturer: Int
    public var product: Int
    /// Four bytes of the maker's own meaning, the build as a rule; empty when not told.
    public var auxiliary: [UInt8]
    /// Additional device support (bits of byte 6): sensors, sensor repository, event log, inventory.
    public var support: UInt8

    /// - Parameter answer: behind the completion code; nil when it is too short.
    public init?(answer: [UInt8]) {
        guard answer.count >= 11 else { return nil }
        let minor = answer[3]
        firmware = "\(answer[2] & 0x7f).\(minor >> 4)\(minor & 15)"
        // The first part is in the low half.
        specification = "\(answer[4] & 15).\(answer[4] >> 4)"
        manufacturer = Int(answer[6]) | Int(answer[7]) << 8 | Int(answer[8] & 15) << 16
        product = Int(answer[9]) | Int(answer[10]) << 8
        support = answer[5]
        auxiliary = answer.count >= 15 ? Array(answer[11..<15]) : []
    }
}

/// The answer to ``Request/systemGUID``.
public enum SystemGUID {
    /// As it is written, `01234567-89ab-…`; nil when there is none.
    ///
    /// The specification has the whole number the least significant byte first (§20.8); many BMCs send SMBIOS's order (the first three parts
    /// so) or that of RFC 9562. The one in which variant and version make sense is taken: of several the one whose version is in use
    /// most (random, then time), then the specification's.
    public static func text(answer: [UInt8]) -> String? {
        guard answer.count >= 16, case let bytes = Array(answer[0..<16]), Set(bytes).count > 1 else { return nil }
        let mixed = [3, 2, 1, 0, 5, 4, 7, 6].map { bytes[$0] } + bytes[8...]
        let orders = [Array(bytes.reversed()), mixed, bytes]
        let sensible = orders.filter { $0[8] & 0xc0 == 0x80 }
        let right =
            [4, 1, 5, 7, 3, 2, 6, 8].lazy.compactMap { version in
                sensible.first { $0[6] >> 4 == version }
            }.first ?? mixed
        let digits = hex(right).filter { $0 != " " }
        var (text, rest) = ("", Substring(digits))
        for length in [8, 4, 4, 4, 12] {
            text += (text.isEmpty ? "" : "-") + rest.prefix(length)
            rest = rest.dropFirst(length)
        }
        return text
    }
}

/// The answer to ``Request/channelInfo(_:)`` (table 22-29).
public enum ChannelInfo {
    /// The channel is an 802.3 LAN (table 6-3).
    public static func isLAN(answer: [UInt8]) -> Bool { answer.count >= 2 && answer[1] & 0x7f == 4 }
}
