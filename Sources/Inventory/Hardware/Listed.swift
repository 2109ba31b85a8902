/// A list that is empty where an older agent says nothing of it.
@propertyWrapper public struct Listed<Element: Codable & Equatable & Sendable>: Codable, Equatable, Sendable {
    public var wrappedValue: [Element]

    public init(wrappedValue: [Element]) { self.wrappedValue = wrappedValue }

    public init(from decoder: any Decoder) throws { wrappedValue = try [Element](from: decoder) }

    public func encode(to encoder: any Encoder) throws { try wrappedValue.encode(to: encoder) }
}

extension KeyedDecodingContainer {
    /// What the compiler's decoding calls for a list of this kind.
    func decode<Element>(_: Listed<Element>.Type, forKey key: Key) throws -> Listed<Element> {
        Listed(wrappedValue: try decodeIfPresent([Element].self, forKey: key) ?? [])
    }
}
