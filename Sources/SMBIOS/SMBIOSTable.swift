/// The System Management BIOS table (DMTF DSP0134 §6) as firmware left it, and as Linux shows it in
/// `/sys/firmware/dmi/tables/DMI`: structures one after another. Firmware writes it and nobody checks it, so what does not hold ends
/// the table, and what is out of bounds is not there.
public struct SMBIOSTable: Equatable, Sendable {
    public let structures: [SMBIOSStructure]
    /// It ended where it should: with its end-of-table structure, or with its bytes.
    public let isWhole: Bool

    public init(_ bytes: some Sequence<UInt8>) {
        var rest = Array(bytes)[...]
        var structures: [SMBIOSStructure] = []
        while let structure = SMBIOSStructure(readingFrom: &rest) {
            structures.append(structure)
            guard structure.kind != .endOfTable else {
                rest = []
                break
            }
        }
        self.structures = structures
        isWhole = rest.isEmpty
    }

    /// Nil when there is none. Of two the first counts: it is the machine's, and what follows is a part's.
    public var firmware: FirmwareInformation? { first(FirmwareInformation.init) }
    public var system: SystemInformation? { first(SystemInformation.init) }
    /// The main board: the one that hosts, where boards say so.
    public var board: BoardInformation? {
        let boards = structures.compactMap { BoardInformation($0) }
        return boards.first { $0.isHosting } ?? boards.first
    }
    public var chassis: ChassisInformation? { first(ChassisInformation.init) }
    /// The processor sockets, empty ones too.
    public var processors: [ProcessorSocket] { structures.compactMap { ProcessorSocket($0) } }
    public var memoryArrays: [MemoryArray] { structures.compactMap { MemoryArray($0) } }
    /// The memory sockets, empty ones too.
    public var memoryDevices: [MemoryDevice] { structures.compactMap { MemoryDevice($0) } }
    /// What is printed beside PCI functions: slots of the board, and devices soldered to it.
    public var places: [DevicePlace] { structures.compactMap { DevicePlace($0) } }
    public var managementInterface: ManagementInterface? { first(ManagementInterface.init) }
    public var tpm: TPMInformation? { first(TPMInformation.init) }

    private func first<Information>(_ read: (SMBIOSStructure) -> Information?) -> Information? {
        structures.lazy.compactMap(read).first
    }
}

/// One structure: its formatted area, and the texts that it refers to by number.
public struct SMBIOSStructure: Equatable, Sendable {
    /// A structure type (DSP0134 §7); the numbers from 128 on are the makers' own.
    public struct Kind: RawRepresentable, Hashable, Sendable {
        public let rawValue: UInt8

        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let firmware = Self(rawValue: 0)
        public static let system = Self(rawValue: 1)
        public static let board = Self(rawValue: 2)
        public static let chassis = Self(rawValue: 3)
        public static let processor = Self(rawValue: 4)
        public static let slot = Self(rawValue: 9)
        public static let memoryArray = Self(rawValue: 16)
        public static let memoryDevice = Self(rawValue: 17)
        public static let managementInterface = Self(rawValue: 38)
        public static let onboardDevice = Self(rawValue: 41)
        public static let tpm = Self(rawValue: 43)
        public static let endOfTable = Self(rawValue: 127)
    }

    public let kind: Kind
    /// What other structures call it by.
    public var handle: UInt16 { uint16(at: 2) ?? 0 }
    /// The formatted area with its four bytes of header: offsets are those of the specification.
    private let area: ArraySlice<UInt8>
    private let texts: [ArraySlice<UInt8>]

    /// Takes one structure from the beginning of `bytes`; nil, and nothing taken, when there is none (DSP0134 §6.1.2, §6.1.3).
    init?(readingFrom bytes: inout ArraySlice<UInt8>) {
        guard bytes.count >= 4 else { return nil }
        let length = Int(bytes[bytes.startIndex + 1])
        guard length >= 4, bytes.count >= length else { return nil }
        area = bytes.prefix(length)
        kind = Kind(rawValue: bytes[bytes.startIndex])
        // Texts end with a zero each, and all of them with another; where there are none there are two zeros.
        let rest = bytes.dropFirst(length)
        guard let end = rest.indices.dropLast().first(where: { rest[$0] == 0 && rest[$0 + 1] == 0 }) else { return nil }
        texts = end == rest.startIndex ? [] : rest[..<end].split(separator: 0, omittingEmptySubsequences: false)
        bytes = rest[(end + 2)...]
    }

    /// Nil where the structure, of an older version, is shorter.
    public func uint8(at offset: Int) -> UInt8? { number(at: offset, 1).map { UInt8($0) } }
    public func uint16(at offset: Int) -> UInt16? { number(at: offset, 2).map { UInt16($0) } }
    public func uint32(at offset: Int) -> UInt32? { number(at: offset, 4).map { UInt32($0) } }
    public func uint64(at offset: Int) -> UInt64? { number(at: offset, 8) }
    public func bytes(at offset: Int, _ count: Int) -> [UInt8]? {
        guard offset >= 0, count >= 0, offset + count <= area.count else { return nil }
        return Array(area[(area.startIndex + offset)...].prefix(count))
    }

    /// The text whose number is at `offset`, without blanks around it and with U+FFFD for what is no UTF-8; nil for none.
    public func text(at offset: Int) -> String? {
        guard let number = uint8(at: offset), number > 0, number <= texts.count else { return nil }
        let text = texts[Int(number) - 1]
        let isBlank = { (byte: UInt8) in byte <= 0x20 }
        let trimmed = text.drop(while: isBlank).reversed().drop(while: isBlank).reversed()
        return trimmed.isEmpty ? nil : String(decoding: Array(trimmed), as: UTF8.self)
    }

    private func number(at offset: Int, _ count: Int) -> UInt64? {
        guard offset >= 0, offset + count <= area.count else { return nil }
        return (0..<count).reversed().reduce(0) { $0 << 8 | UInt64(area[area.startIndex + offset + $1]) }
    }
}
