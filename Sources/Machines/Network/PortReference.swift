import NetworkAddresses

/// Which port of a machine is meant.
public enum PortReference: Equatable, Sendable {
    case mac(MACAddress)
    /// Of a PCI function, such as `0000:3b:00.1`.
    case pci(String)
    /// What is printed beside it, where one port only has that label.
    case slot(String)
}

extension PortReference: LosslessStringConvertible {
    public init?(_ description: String) {
        if let mac = MACAddress(description) {
            self = .mac(mac)
        } else if Self.isPCIAddress(description) {
            self = .pci(description.lowercased())
        } else if (1...64).contains(description.utf8.count) {
            self = .slot(description)
        } else {
            return nil
        }
    }

    public var description: String {
        switch self {
        case .mac(let mac): mac.description
        case .pci(let address): address
        case .slot(let label): label
        }
    }

    /// `dddd:bb:ss.f` in hex digits.
    private static func isPCIAddress(_ text: String) -> Bool {
        let shape = Array("hhhh:hh:hh.h".utf8)
        let bytes = Array(text.utf8)
        guard bytes.count == shape.count else { return false }
        return zip(bytes, shape).allSatisfy { byte, wanted in
            wanted == UInt8(ascii: "h") ? Character(UnicodeScalar(byte)).isHexDigit : byte == wanted
        }
    }
}

extension PortReference: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let reference = Self(text) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "\(text.debugDescription) is neither a MAC address, a PCI address nor a slot's label")
        }
        self = reference
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
