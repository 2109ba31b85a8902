/// Which partition of an installed disk is meant. Written as text: `ESP`, `number:1`, `label:root`.
public enum PartitionReference: Hashable, Sendable {
    /// By its GPT name (PARTLABEL).
    case name(String)
    /// Counted from 1, as the kernel does.
    case number(Int)
    /// By the label of the file system in it.
    case label(String)
}

extension PartitionReference: LosslessStringConvertible, ExpressibleByStringLiteral {
    /// Nil for a number or label that is none.
    public init?(_ description: String) {
        if description.hasPrefix("number:") {
            guard let number = Int(description.dropFirst(7)), (1...128).contains(number) else { return nil }
            self = .number(number)
        } else if description.hasPrefix("label:") {
            guard description.utf8.count > 6 else { return nil }
            self = .label(String(description.dropFirst(6)))
        } else {
            guard !description.isEmpty else { return nil }
            self = .name(description)
        }
    }

    /// A name.
    public init(stringLiteral value: String) { self = .name(value) }

    public var description: String {
        switch self {
        case .name(let name): name
        case .number(let number): "number:\(number)"
        case .label(let label): "label:\(label)"
        }
    }
}

extension PartitionReference: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let reference = Self(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\(text.debugDescription) is no partition's name, number:N or label:L")
        }
        self = reference
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
