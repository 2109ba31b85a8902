/// A set of memory sockets (DSP0134 §7.17, type 16).
public struct MemoryArray: Equatable, Sendable {
    /// What mends errors (table 75). Open.
    public struct Correction: RawRepresentable, Hashable, Sendable {
        public let rawValue: UInt8

        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let none = Self(rawValue: 3)
        public static let singleBit = Self(rawValue: 5)
        public static let multipleBits = Self(rawValue: 6)

        /// Nil for what says nothing.
        public var mendsErrors: Bool? {
            switch self {
            case .none, Self(rawValue: 4): false
            case .singleBit, .multipleBits: true
            default: nil
            }
        }
    }

    /// For the machine's main memory.
    public var isSystemMemory: Bool
    public var correction: Correction
    public var sockets: Int

    public init?(_ structure: SMBIOSStructure) {
        guard structure.kind == .memoryArray else { return nil }
        // Use (table 74), 3: system memory.
        isSystemMemory = structure.uint8(at: 5) == 3
        correction = .init(rawValue: structure.uint8(at: 6) ?? 2)
        sockets = Int(structure.uint16(at: 0x0d) ?? 0)
    }
}
