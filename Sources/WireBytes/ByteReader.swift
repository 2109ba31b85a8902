/// Reads fields of a whole buffer, front to back. Total: whatever the bytes, it returns a value or throws.
public struct ByteReader: Sendable {
    private let bytes: ArraySlice<UInt8>
    /// Bytes read so far.
    public private(set) var offset = 0

    public init(_ bytes: some Sequence<UInt8>) { self.bytes = ArraySlice(bytes) }

    /// Bytes left.
    public var remaining: Int { bytes.count - offset }

    /// The next `count` bytes.
    /// - Parameter field: what they are, for the error.
    public mutating func take(_ count: Int, _ field: StaticString) throws(WireError) -> [UInt8] {
        Array(bytes[try span(count, field)])
    }

    /// The next `count` bytes, without a copy.
    public mutating func slice(_ count: Int, _ field: StaticString) throws(WireError) -> ArraySlice<UInt8> {
        bytes[try span(count, field)]
    }

    /// All that is left.
    public mutating func rest() -> [UInt8] { Array(restSlice()) }

    /// All that is left, without a copy.
    public mutating func restSlice() -> ArraySlice<UInt8> {
        defer { offset = bytes.count }
        return bytes.dropFirst(offset)
    }

    public mutating func uint8(_ field: StaticString) throws(WireError) -> UInt8 { UInt8(try bigEndian(1, field)) }
    /// Two bytes, the most significant first.
    public mutating func uint16(_ field: StaticString) throws(WireError) -> UInt16 { UInt16(try bigEndian(2, field)) }
    /// Four bytes, the most significant first.
    public mutating func uint32(_ field: StaticString) throws(WireError) -> UInt32 { UInt32(try bigEndian(4, field)) }
    /// Two bytes, the least significant first.
    public mutating func uint16LE(_ field: StaticString) throws(WireError) -> UInt16 {
        UInt16(try littleEndian(2, field))
    }
    /// Four bytes, the least significant first.
    public mutating func uint32LE(_ field: StaticString) throws(WireError) -> UInt32 {
        UInt32(try littleEndian(4, field))
    }
    /// Eight bytes, the least significant first.
    public mutating func uint64LE(_ field: StaticString) throws(WireError) -> UInt64 { try littleEndian(8, field) }

    private mutating func bigEndian(_ count: Int, _ field: StaticString) throws(WireError) -> UInt64 {
        var value: UInt64 = 0
        for index in try span(count, field) { value = value << 8 | UInt64(bytes[index]) }
        return value
    }

    private mutating func littleEndian(_ count: Int, _ field: StaticString) throws(WireError) -> UInt64 {
        var value: UInt64 = 0
        for index in try span(count, field).reversed() { value = value << 8 | UInt64(bytes[index]) }
        return value
    }

    /// Where the next `count` bytes are; they count as read.
    private mutating func span(_ count: Int, _ field: StaticString) throws(WireError) -> Range<Int> {
        guard count >= 0, count <= remaining else {
            throw WireError(field: field, offset: offset, needed: count, available: remaining)
        }
        defer { offset += count }
        let start = bytes.startIndex + offset
        return start..<start + count
    }
}

/// A field that the bytes end before.
public struct WireError: Error, CustomStringConvertible {
    public var field: String
    /// Where the field begins, in bytes.
    public var offset: Int
    public var needed: Int
    public var available: Int

    public init(field: StaticString, offset: Int, needed: Int, available: Int) {
        (self.field, self.offset, self.needed, self.available) = ("\(field)", offset, needed, available)
    }

    public var description: String {
        "\(field) at byte \(offset) needs \(needed) bytes, and \(available) are left"
    }
}
