/// Where and why a text is no JSON.
public struct JSONError: Error, Equatable, CustomStringConvertible {
    /// Of the byte, from 0.
    public var offset: Int
    public var problem: String

    public var description: String { "not JSON at byte \(offset): \(problem)" }
}

extension JSON {
    /// Deepest nesting that is read. Recorded trees of real machines have less than 20.
    public static let mostDepth = 64
    /// Most values in one text: a few bytes each make a value of many.
    public static let mostValues = 500_000

    /// Parses a whole text. Total on any bytes: bounded in depth and number of values.
    /// Tolerates what BMCs send: a byte order mark, control characters in strings, bytes that are no UTF-8, NULs at the end.
    public init(parsing bytes: [UInt8]) throws(JSONError) {
        var parser = JSONParser(bytes: bytes)
        self = try parser.document()
    }
}

private struct JSONParser {
    let bytes: [UInt8]
    var offset = 0
    var values = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(JSONError) -> JSON {
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { offset = 3 }
        let value = try value(depth: 0)
        while let byte = peek, byte == 0 || Self.isBlank(byte) { offset += 1 }
        guard offset == bytes.count else { throw error("something follows the value") }
        return value
    }

    private var peek: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private func error(_ problem: String) -> JSONError { JSONError(offset: offset, problem: problem) }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }

    private mutating func skipBlanks() { while let byte = peek, Self.isBlank(byte) { offset += 1 } }

    private mutating func take(_ byte: UInt8) -> Bool {
        skipBlanks()
        guard peek == byte else { return false }
        offset += 1
        return true
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSON {
        skipBlanks()
        values += 1
        guard depth < JSON.mostDepth else { throw error("nested too deep") }
        guard values <= JSON.mostValues else { throw error("too many values") }
        switch peek {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case nil: throw error("ends in the middle")
        default: return try number()
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSON {
        offset += 1
        var properties: [String: JSON] = [:]
        if take(UInt8(ascii: "}")) { return .object(properties) }
        repeat {
            skipBlanks()
            guard peek == UInt8(ascii: "\"") else { throw error("a property's name is missing") }
            let name = try string()
            guard take(UInt8(ascii: ":")) else { throw error("a colon is missing") }
            properties[name] = try value(depth: depth + 1)
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw error("an object does not end") }
        return .object(properties)
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSON {
        offset += 1
        var values: [JSON] = []
        if take(UInt8(ascii: "]")) { return .array(values) }
        repeat { values.append(try value(depth: depth + 1)) } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")) else { throw error("an array does not end") }
        return .array(values)
    }

    private mutating func word(_ word: StaticString, _ value: JSON) throws(JSONError) -> JSON {
        let text = word.description.utf8
        guard bytes[offset...].starts(with: text) else { throw error("an unknown word") }
        offset += text.count
        return value
    }

    private mutating func number() throws(JSONError) -> JSON {
        let start = offset
        while let byte = peek, (0x30...0x39).contains(byte) || "+-.eE".utf8.contains(byte) { offset += 1 }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        guard offset - start <= 64, let value = Double(text), value.isFinite else {
            offset = start
            throw error("no value begins like this")
        }
        return .number(value)
    }

    private mutating func string() throws(JSONError) -> String {
        offset += 1
        var text: [UInt8] = []
        while let byte = peek {
            offset += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(into: &text)
            default: text.append(byte)
            }
        }
        throw error("a string does not end")
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        guard let byte = peek else { throw error("a string does not end") }
        offset += 1
        switch byte {
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var code = try hex4()
            if (0xd800..<0xdc00).contains(code), bytes[offset...].starts(with: Array("\\u".utf8)) {
                offset += 2
                let low = try hex4()
                code = (0xdc00..<0xe000).contains(low) ? 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00) : 0xfffd
            }
            text += Array(String(Unicode.Scalar(code) ?? "\u{fffd}").utf8)
        default: text.append(byte)
        }
    }

    private mutating func hex4() throws(JSONError) -> UInt32 {
        guard offset + 4 <= bytes.count,
            let code = UInt32(String(decoding: bytes[offset..<offset + 4], as: UTF8.self), radix: 16)
        else { throw error("four hex digits are missing") }
        offset += 4
        return code
    }
}
