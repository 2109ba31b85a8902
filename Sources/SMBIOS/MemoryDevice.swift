/// A memory socket (DSP0134 §7.18, type 17), with or without a module in it.
public struct MemoryDevice: Equatable, Sendable {
    /// As printed on the board: `DIMM A3`.
    public var locator: String?
    public var bank: String?
    /// Bytes of the module; nil: the socket is empty, or nobody knows.
    public var sizeBytes: Int64?
    public var isPopulated: Bool
    /// Transfers in a second that the module is made for, in millions; nil: unknown.
    public var speedMTps: Int?
    public var manufacturer: String?
    public var serial: String?
    public var partNumber: String?
    /// Main memory: no flash that holds the firmware, and no module that keeps what it holds.
    public var isRAM: Bool

    /// Nil for a structure of another type.
    public init?(_ structure: SMBIOSStructure) {
        guard structure.kind == .memoryDevice else { return nil }
        locator = structure.text(at: 0x10)
        bank = structure.text(at: 0x11)
        sizeBytes = Self.size(structure)
        // Of an empty socket firmware leaves what it was prepared to say of a module.
        let isPopulated = structure.uint16(at: 0x0c) != 0
        self.isPopulated = isPopulated
        // 0: unknown; FFFFh: see the extended speed of version 3.3.
        let speed = structure.uint16(at: 0x15).flatMap { $0 == 0xffff ? structure.uint32(at: 0x54) : UInt32($0) }
        speedMTps = speed.flatMap { $0 == 0 || !isPopulated ? nil : Int($0) }
        manufacturer = isPopulated ? structure.text(at: 0x17) : nil
        serial = isPopulated ? structure.text(at: 0x18) : nil
        partNumber = isPopulated ? structure.text(at: 0x1a) : nil
        // Memory type (table 78): ROM and its kinds, logical non-volatile device. Technology (table 80): the kinds of NVDIMM.
        let isLasting = [8, 9, 0x0a, 0x0b, 0x0c, 0x1f].contains(structure.uint8(at: 0x12) ?? 2)
        isRAM = !isLasting && !(4...7).contains(structure.uint8(at: 0x28) ?? 2)
    }

    /// MiB, or KiB when the highest bit is set; 7FFFh: MiB in the extended size of version 2.7, whose highest bit is reserved.
    private static func size(_ structure: SMBIOSStructure) -> Int64? {
        let bytes: Int64
        switch structure.uint16(at: 0x0c) {
        case nil, 0xffff: return nil
        case 0x7fff: bytes = Int64((structure.uint32(at: 0x1c) ?? 0) & 0x7fff_ffff) << 20
        case let size?: bytes = size & 0x8000 == 0 ? Int64(size) << 20 : Int64(size & 0x7fff) << 10
        }
        return bytes == 0 ? nil : bytes
    }
}
