import NetworkAddresses

/// Option 82 as a relay agent added it (RFC 3046), with the suboptions that a server acts on. The option itself is echoed as it
/// came.
public struct RelayInformation: Equatable, Sendable {
    /// Suboption 1: the switch port, in the relay's own words.
    public var circuitID: [UInt8]?
    /// Suboption 2: the switch, in the relay's own words.
    public var remoteID: [UInt8]?
    /// Suboption 5 (RFC 3527): the client's subnet, where `giaddr` is an address of another one.
    public var linkSelection: IPv4Address?
    /// Suboption 11 (RFC 5107): what the client is to take for its server, so that its renewals come through the relay.
    public var serverOverride: IPv4Address?

    /// Reads the option's value. Unknown suboptions are passed over; nil when a length does not fit.
    public init?(_ value: [UInt8]) {
        var rest = value[...]
        while let code = rest.popFirst() {
            guard let length = rest.popFirst(), rest.count >= Int(length) else { return nil }
            let content = Array(rest.prefix(Int(length)))
            rest = rest.dropFirst(Int(length))
            switch code {
            case 1: circuitID = content
            case 2: remoteID = content
            case 5: linkSelection = IPv4Address(bytes: content)
            case 11: serverOverride = IPv4Address(bytes: content)
            default: continue
            }
        }
    }

    /// Where the client is plugged in, as far as the relay tells: `Gi1/0/7 at sw-12`. Bytes that are no text come as hex.
    public var location: String? {
        let parts = [circuitID, remoteID].compactMap { $0.map(Self.words) }
        return parts.isEmpty ? nil : parts.joined(separator: " at ")
    }

    private static func words(_ bytes: [UInt8]) -> String {
        guard !bytes.isEmpty, bytes.allSatisfy({ (0x20...0x7e).contains($0) }) else {
            return "0x" + bytes.prefix(64).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        return String(decoding: bytes.prefix(64), as: UTF8.self)
    }
}

extension Message {
    /// Option 82, nil without one that can be read.
    public var relayInformation: RelayInformation? { options[.relayAgentInformation].flatMap { RelayInformation($0) } }
}
