/// An IPv6 address, written as RFC 5952 says: `fd00:77::1`.
public struct IPv6Address: Hashable, Sendable {
    /// Network prefix, as an integer; the first octet is the most significant.
    public let high: UInt64
    /// Interface identifier.
    public let low: UInt64

    public init(high: UInt64, low: UInt64) { (self.high, self.low) = (high, low) }

    /// Nil unless `bytes` holds exactly sixteen octets, in wire order.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        func word(_ part: some Sequence<UInt8>) -> UInt64 { part.reduce(0) { $0 << 8 | UInt64($1) } }
        self.init(high: word(bytes.prefix(8)), low: word(bytes.dropFirst(8)))
    }

    /// The sixteen octets in wire order.
    public var bytes: [UInt8] {
        [high, low].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) } }
    }

    /// `::`: no address yet.
    public static let unspecified = Self(high: 0, low: 0)

    /// Of one link only, such as `fe80::5054:ff:fe12:3456`.
    public var isLinkLocal: Bool { high >> 54 == 0x3fa }
    public var isMulticast: Bool { high >> 56 == 0xff }

    /// The MAC that the interface identifier was made of (modified EUI-64, RFC 4291 appendix A); nil for one made otherwise.
    public var hardwareAddress: MACAddress? {
        guard (low >> 24) & 0xffff == 0xfffe else { return nil }
        return MACAddress(rawValue: ((low >> 40) << 24 | low & 0xff_ffff) ^ 0x0200_0000_0000)
    }
}

extension IPv6Address: LosslessStringConvertible {
    /// Reads up to eight groups of hex digits, `::` once for groups of zero. No zone, no dotted end.
    public init?(_ description: String) {
        let halves = description.split(separator: "::", maxSplits: 2, omittingEmptySubsequences: false)
        guard halves.count <= 2 else { return nil }
        var groups: [[UInt16]] = []
        for half in halves {
            var numbers: [UInt16] = []
            for part in half.isEmpty ? [] : half.split(separator: ":", omittingEmptySubsequences: false) {
                guard (1...4).contains(part.count), part.first != "+", let number = UInt16(part, radix: 16) else {
                    return nil
                }
                numbers.append(number)
            }
            groups.append(numbers)
        }
        let count = groups.reduce(0) { $0 + $1.count }
        guard halves.count == 2 ? count < 8 : count == 8 else { return nil }
        let all = groups[0] + Array(repeating: 0, count: 8 - count) + (groups.count == 2 ? groups[1] : [])
        func word(_ part: some Sequence<UInt16>) -> UInt64 { part.reduce(0) { $0 << 16 | UInt64($1) } }
        self.init(high: word(all.prefix(4)), low: word(all.dropFirst(4)))
    }

    public var description: String {
        let groups = [high, low].flatMap { word in (0..<4).map { word >> (48 - 16 * UInt64($0)) & 0xffff } }
        // The longest run of two zeros or more, the first of equals (RFC 5952 §4.2).
        var longest = 0..<0
        var index = 0
        while index < 8 {
            let end = groups[index...].firstIndex { $0 != 0 } ?? 8
            if end - index > max(1, longest.count) { longest = index..<end }
            index = max(end, index + 1)
        }
        func text(_ part: ArraySlice<UInt64>) -> String { part.map { String($0, radix: 16) }.joined(separator: ":") }
        guard !longest.isEmpty else { return text(groups[...]) }
        return text(groups[..<longest.lowerBound]) + "::" + text(groups[longest.upperBound...])
    }
}
