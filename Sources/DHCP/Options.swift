import WireBytes

/// The options of a message in their order; those this code does not know are kept as they came. One buffer holds all values, so that
/// reading a packet and making its answer take a few allocations and not one for each option.
public struct Options: Sendable {
    /// Where in `storage` the value of a code is.
    private struct Slot {
        var code: OptionCode
        var range: Range<Int>
    }

    private var storage: [UInt8] = []
    private var slots: [Slot] = []

    public init() {}

    /// Parses one options area: TLVs, Pad (0) skipped, up to End (255) or the last byte.
    /// - Throws: ``OptionsError``.
    public init(parsing bytes: some Sequence<UInt8>) throws(OptionsError) { try append(parsing: ArraySlice(bytes)) }

    /// The codes in their order.
    public var codes: [OptionCode] { slots.map(\.code) }

    /// Room for so many more bytes and options.
    public mutating func reserve(bytes: Int, options: Int) {
        storage.reserveCapacity(storage.count + bytes)
        slots.reserveCapacity(slots.count + options)
    }

    /// Parses a further area of the same message. Repeated codes are joined in order (RFC 3396 §7).
    public mutating func append(parsing area: ArraySlice<UInt8>) throws(OptionsError) {
        var offset = storage.count
        let (base, end) = (offset, offset + area.count)
        reserve(bytes: area.count, options: 16)
        storage.append(contentsOf: area)
        while offset < end {
            let code = OptionCode(rawValue: storage[offset])
            if code == .end { return }
            if code == .pad {
                offset += 1
                continue
            }
            let start = offset + 2
            let length = start <= end ? Int(storage[start - 1]) : 0
            guard start <= end, start + length <= end else {
                throw .truncated(code, offset: offset - base, length: length, available: max(0, end - start))
            }
            offset = start + length
            if let index = index(of: code) {
                // Behind the area: both parts in one piece.
                let joined = storage.count
                storage.append(contentsOf: storage[slots[index].range])
                storage.append(contentsOf: storage[start..<offset])
                slots[index].range = joined..<storage.count
            } else {
                slots.append(Slot(code: code, range: start..<offset))
            }
        }
    }

    /// The value of a code; setting nil removes it, setting a new one appends it.
    public subscript(code: OptionCode) -> [UInt8]? {
        get { value(code).map(Array.init) }
        set {
            if let newValue { set(code, newValue) } else { slots.removeAll { $0.code == code } }
        }
    }

    /// The value of a code, without a copy.
    public func value(_ code: OptionCode) -> ArraySlice<UInt8>? { index(of: code).map { storage[slots[$0].range] } }

    public mutating func set(_ code: OptionCode, _ value: some Sequence<UInt8>) {
        let start = storage.count
        storage.append(contentsOf: value)
        let slot = Slot(code: code, range: start..<storage.count)
        if let index = index(of: code) { slots[index] = slot } else { slots.append(slot) }
    }

    private func index(of code: OptionCode) -> Int? { slots.firstIndex { $0.code == code } }

    /// TLVs without End. Values over 255 bytes are split (RFC 3396 §5).
    public var encoded: [UInt8] {
        var writer = ByteWriter(capacity: storage.count)
        write(to: &writer)
        return writer.bytes
    }

    func write(to writer: inout ByteWriter) {
        for slot in slots {
            var rest = slot.range
            repeat {
                let part = rest.prefix(255)
                writer.uint8(slot.code.rawValue)
                writer.uint8(UInt8(part.count))
                writer.append(storage[part])
                rest = rest.dropFirst(part.count)
            } while !rest.isEmpty
        }
    }
}

extension Options: Equatable {
    /// The same codes with the same values in the same order.
    public static func == (left: Options, right: Options) -> Bool {
        left.slots.elementsEqual(right.slots) {
            $0.code == $1.code && left.storage[$0.range] == right.storage[$1.range]
        }
    }
}

/// Why an options area cannot be read.
public enum OptionsError: Error, Equatable, CustomStringConvertible {
    /// The option at byte `offset` claims `length` bytes; only `available` remain.
    case truncated(OptionCode, offset: Int, length: Int, available: Int)

    public var description: String {
        switch self {
        case .truncated(let code, let offset, let length, let available):
            "option \(code.rawValue) at byte \(offset) of its area claims \(length) bytes, and \(available) are left"
        }
    }
}
