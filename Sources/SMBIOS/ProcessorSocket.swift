/// A processor socket (DSP0134 §7.5, type 4), with or without a processor in it.
public struct ProcessorSocket: Equatable, Sendable {
    /// As printed on the board: `CPU1`.
    public var designation: String?
    public var manufacturer: String?
    /// Usually the model, as makers sell it.
    public var version: String?
    public var serial: String?
    public var partNumber: String?
    /// Something is in it.
    public var isPopulated: Bool
    /// Nil: not told.
    public var cores: Int?
    public var threads: Int?
    /// In MHz, of the socket's fastest processor; nil: unknown.
    public var maximumMHz: Int?

    /// Nil for a structure of another type, and for what is no central processor.
    public init?(_ structure: SMBIOSStructure) {
        // 3: central processor (table 22).
        guard structure.kind == .processor, structure.uint8(at: 5) == 3 else { return nil }
        (designation, manufacturer) = (structure.text(at: 4), structure.text(at: 7))
        (version, serial) = (structure.text(at: 0x10), structure.text(at: 0x20))
        partNumber = structure.text(at: 0x22)
        isPopulated = (structure.uint8(at: 0x18) ?? 0) & 0x40 != 0
        // FFh: the number is in the field of two bytes that version 3.0 brought.
        func count(_ offset: Int, _ wide: Int) -> Int? {
            let number = structure.uint8(at: offset).flatMap { $0 == 0xff ? structure.uint16(at: wide) : UInt16($0) }
            return number.flatMap { $0 == 0 ? nil : Int($0) }
        }
        (cores, threads) = (count(0x23, 0x2a), count(0x25, 0x2e))
        maximumMHz = structure.uint16(at: 0x14).flatMap { $0 == 0 ? nil : Int($0) }
    }
}
