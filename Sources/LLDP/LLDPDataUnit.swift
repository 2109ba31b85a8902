import NetworkAddresses
import WireBytes

/// What a switch says of itself and of the port it speaks through (IEEE 802.1AB-2016 §8). What is not understood is passed over; what is
/// told twice counts once.
public struct LLDPDataUnit: Equatable, Sendable {
    /// The EtherType of its frames, and where they are sent: the nearest bridge (§7.1).
    public static let etherType: UInt16 = 0x88cc
    public static let destination: [UInt8] = [0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e]

    public var chassis: LLDPIdentifier
    public var port: LLDPIdentifier
    /// How long this holds, in seconds; 0: it holds no longer.
    public var secondsToLive: UInt16
    public var portDescription: String?
    public var systemName: String?
    /// The VLAN of untagged frames (802.1Q annex D.2.1); nil: not told, or none.
    public var portVLAN: UInt16?

    /// Reads what follows the EtherType.
    /// - Throws: `WireError` where it ends too early, ``LLDPError`` where the three parts that must come first do not.
    public init(parsing bytes: some Sequence<UInt8>) throws {
        var reader = ByteReader(bytes)
        var parts: [(Kind, ArraySlice<UInt8>)] = []
        while reader.remaining > 0 {
            // Seven bits of type, nine of length (§8.4).
            let head = try reader.uint16("head of a part")
            let part = (Kind(rawValue: UInt8(head >> 9)), try reader.slice(Int(head & 0x1ff), "part"))
            if part.0 == .end { break }
            parts.append(part)
        }
        guard parts.count >= 3, parts[0].0 == .chassis, parts[1].0 == .port, parts[2].0 == .timeToLive else {
            throw LLDPError.order
        }
        chassis = try LLDPIdentifier(chassis: parts[0].1)
        port = try LLDPIdentifier(port: parts[1].1)
        var life = ByteReader(parts[2].1)
        secondsToLive = try life.uint16("time to live")
        for (kind, value) in parts.dropFirst(3) {
            switch kind {
            case .portDescription: portDescription = portDescription ?? LLDPIdentifier.text(value)
            case .systemName: systemName = systemName ?? LLDPIdentifier.text(value)
            case .organization where value.starts(with: [0x00, 0x80, 0xc2, 1]) && value.count >= 6:
                var rest = ByteReader(value.dropFirst(4))
                let vlan = try rest.uint16("port VLAN")
                if portVLAN == nil, (1...4094).contains(vlan) { portVLAN = vlan }
            default: continue
            }
        }
    }

    /// Types of parts (§8.4.1). Open.
    private struct Kind: RawRepresentable, Equatable {
        let rawValue: UInt8

        static let end = Self(rawValue: 0)
        static let chassis = Self(rawValue: 1)
        static let port = Self(rawValue: 2)
        static let timeToLive = Self(rawValue: 3)
        static let portDescription = Self(rawValue: 4)
        static let systemName = Self(rawValue: 5)
        static let organization = Self(rawValue: 127)
    }
}

public enum LLDPError: Error, Equatable, CustomStringConvertible {
    /// Chassis, port and time to live come first, in this order (§8.2).
    case order
    /// An identifier of no bytes.
    case empty

    public var description: String {
        switch self {
        case .order: "it does not begin with chassis, port and time to live"
        case .empty: "an identifier of no bytes"
        }
    }
}
