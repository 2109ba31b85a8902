/// What a BMC says of itself and of its network.
extension Request {
    /// §20.1.
    public static let deviceID = Request("device id", .application, 0x01)

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

    public static let address = Self(rawValue: 3)
    public static let mac = Self(rawValue: 5)
    public static let vlan = Self(rawValue: 20)

    /// The value of an answer, without the revision before it; nil when it is too short.
    public func value(ofAnswer answer: [UInt8]) -> [UInt8]? {
        let count = self == .address ? 4 : self == .mac ? 6 : self == .vlan ? 2 : 0
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

    /// - Parameter answer: behind the completion code; nil when it is too short.
    public init?(answer: [UInt8]) {
        guard answer.count >= 11 else { return nil }
        let minor = answer[3]
        firmware = "\(answer[2] & 0x7f).\(minor >> 4)\(minor & 15)"
        // The first part is in the low half.
        specification = "\(answer[4] & 15).\(answer[4] >> 4)"
        manufacturer = Int(answer[6]) | Int(answer[7]) << 8 | Int(answer[8] & 15) << 16
        product = Int(answer[9]) | Int(answer[10]) << 8
    }
}

/// The answer to ``Request/channelInfo(_:)`` (table 22-29).
public enum ChannelInfo {
    /// The channel is an 802.3 LAN (table 6-3).
    public static func isLAN(answer: [UInt8]) -> Bool { answer.count >= 2 && answer[1] & 0x7f == 4 }
}
