/// The options of a message in their order; those this code does not know are kept as they came.
public struct Options: Equatable, Sendable {
    public struct Field: Equatable, Sendable {
        public var code: OptionCode
        public var value: [UInt8]

        public init(_ code: OptionCode, _ value: [UInt8]) { (self.code, self.value) = (code, value) }
    }

    public private(set) var fields: [Field] = []

    public init() {}

    /// Parses one options area: TLVs, Pad (0) skipped, up to End (255) or the last byte.
    /// - Throws: ``OptionsError``.
    public init(parsing bytes: some Sequence<UInt8>) throws(OptionsError) { try append(parsing: bytes) }

    /// Parses a further area of the same message. Repeated codes are joined in order (RFC 3396 §7).
    public mutating func append(parsing area: some Sequence<UInt8>) throws(OptionsError) {
        let bytes = Array(area)
        var offset = 0
        while offset < bytes.count {
            let code = OptionCode(rawValue: bytes[offset])
            if code == .end { return }
            if code == .pad {
                offset += 1
                continue
            }
            let start = offset + 2
            let length = start <= bytes.count ? Int(bytes[start - 1]) : 0
            guard start <= bytes.count, start + length <= bytes.count else {
                throw .truncated(code, offset: offset, length: length, available: max(0, bytes.count - start))
            }
            let value = Array(bytes[start..<start + length])
            if let index = fields.firstIndex(where: { $0.code == code }) {
                fields[index].value += value
            } else {
                fields.append(Field(code, value))
            }
            offset = start + length
        }
    }

    /// The value of a code; setting nil removes it, setting a new one appends it.
    public subscript(code: OptionCode) -> [UInt8]? {
        get { fields.first { $0.code == code }?.value }
        set {
            let index = fields.firstIndex { $0.code == code }
            switch (index, newValue) {
            case (let index?, let value?): fields[index].value = value
            case (let index?, nil): fields.remove(at: index)
            case (nil, let value?): fields.append(Field(code, value))
            case (nil, nil): break
            }
        }
    }

    /// TLVs without End. Values over 255 bytes are split (RFC 3396 §5).
    public var encoded: [UInt8] {
        var bytes: [UInt8] = []
        for field in fields {
            var rest = field.value[...]
            repeat {
                let part = rest.prefix(255)
                bytes += [field.code.rawValue, UInt8(part.count)]
                bytes += part
                rest = rest.dropFirst(part.count)
            } while !rest.isEmpty
        }
        return bytes
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
