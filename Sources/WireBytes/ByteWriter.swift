/// Appends fields to a buffer.
public struct ByteWriter: Sendable {
    public var bytes: [UInt8] { storage }
    /// Bytes so far.
    public var count: Int { storage.count }
    @usableFromInline var storage: [UInt8] = []

    /// - Parameter capacity: bytes that are expected.
    public init(capacity: Int = 0) { storage.reserveCapacity(capacity) }

    @inlinable public mutating func append(_ more: some Sequence<UInt8>) { storage.append(contentsOf: more) }
    public mutating func uint8(_ value: UInt8) { storage.append(value) }
    /// The most significant byte first.
    public mutating func uint16(_ value: UInt16) { bigEndian(UInt64(value), 2) }
    /// The most significant byte first.
    public mutating func uint32(_ value: UInt32) { bigEndian(UInt64(value), 4) }
    /// The least significant byte first.
    public mutating func uint16LE(_ value: UInt16) { littleEndian(UInt64(value), 2) }
    /// The least significant byte first.
    public mutating func uint32LE(_ value: UInt32) { littleEndian(UInt64(value), 4) }
    /// The least significant byte first.
    public mutating func uint64LE(_ value: UInt64) { littleEndian(value, 8) }

    /// `value` cut or filled with zeros to exactly `count` bytes.
    @inlinable public mutating func fixed(_ value: some Collection<UInt8>, _ count: Int) {
        let cut = value.prefix(count)
        storage.append(contentsOf: cut)
        storage.append(contentsOf: repeatElement(0, count: count - cut.count))
    }

    @inline(__always) private mutating func bigEndian(_ value: UInt64, _ count: Int) {
        for index in (0..<count).reversed() { storage.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
    }

    private mutating func littleEndian(_ value: UInt64, _ count: Int) {
        for index in 0..<count { storage.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
    }
}
