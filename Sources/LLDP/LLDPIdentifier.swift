import NetworkAddresses
import WireBytes

/// The id of a chassis or a port: a text in words, an address as addresses are written.
public struct LLDPIdentifier: Equatable, Sendable, CustomStringConvertible {
    public let description: String

    /// Chassis ID (IEEE 802.1AB-2016 §8.5.2): a MAC address is subtype 4, a network address 5.
    init(chassis value: ArraySlice<UInt8>) throws { try self.init(value, mac: 4, network: 5) }

    /// Port ID (§8.5.3): a MAC address is subtype 3, a network address 4.
    init(port value: ArraySlice<UInt8>) throws { try self.init(value, mac: 3, network: 4) }

    private init(_ value: ArraySlice<UInt8>, mac: UInt8, network: UInt8) throws {
        guard let subtype = value.first, value.count > 1 else { throw LLDPError.empty }
        let bytes = Array(value.dropFirst())
        let address: String? =
            switch subtype {
            case mac: MACAddress(bytes: bytes).map { "\($0)" }
            // The family first, by IANA's numbers: 1 for IPv4, 2 for IPv6.
            case network where bytes[0] == 1: IPv4Address(bytes: Array(bytes.dropFirst())).map { "\($0)" }
            case network where bytes[0] == 2: IPv6Address(bytes: Array(bytes.dropFirst())).map { "\($0)" }
            default: nil
            }
        guard let words = address ?? Self.text(bytes[...]) else { throw LLDPError.empty }
        description = words
    }

    /// Text of a stranger's: what is not printable is left out; nil when nothing is left.
    static func text(_ bytes: ArraySlice<UInt8>) -> String? {
        let text = String(decoding: bytes, as: UTF8.self)
        let plain = String(
            String.UnicodeScalarView(
                text.unicodeScalars.filter {
                    $0.value >= 0x20 && !(0x7f..<0xa0).contains($0.value) && $0.value != 0xfffd
                }))
        return plain.isEmpty ? nil : plain
    }
}
