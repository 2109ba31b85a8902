/// A text behind a byte of type and length, as SDRs (§43.15) and FRU areas (FRU definition §13) have it.
enum TypedText {
    /// - Parameter type: the two top bits of the type/length byte.
    static func decode(type: UInt8, _ bytes: some Collection<UInt8>, isUnicode: Bool = false) -> String {
        let text: String =
            switch type & 3 {
            case 0 where isUnicode: utf16(bytes)
            // FRU: bytes without a meaning that the standard knows.
            case 0: bytes.isEmpty ? "" : hex(bytes)
            case 1: String(bytes.flatMap { [bcd($0 >> 4), bcd($0 & 15)] })
            case 2: packed(bytes)
            default: latin(bytes)
            }
        return clean(text)
    }

    /// Without control characters, and without what fills a field up.
    static func clean(_ text: String) -> String {
        let kept = text.unicodeScalars.filter { $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) }
        var cut = Substring(String(String.UnicodeScalarView(kept)))
        while cut.last?.isWhitespace == true { cut.removeLast() }
        while cut.first?.isWhitespace == true { cut.removeFirst() }
        return String(cut)
    }

    /// 8-bit ASCII and Latin 1. Some makers end it with a zero inside its length.
    private static func latin(_ bytes: some Collection<UInt8>) -> String {
        String(String.UnicodeScalarView(bytes.prefix { $0 != 0 }.map { Unicode.Scalar($0) }))
    }

    private static func utf16(_ bytes: some Collection<UInt8>) -> String {
        let bytes = Array(bytes)
        let units = stride(from: 0, to: bytes.count - 1, by: 2).map { UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8 }
        return String(decoding: units, as: UTF16.self)
    }

    /// BCD plus: A is a space, B a dash, C a period; D to F are reserved.
    private static func bcd(_ digit: UInt8) -> Character {
        switch digit {
        case 0...9: Character(Unicode.Scalar(0x30 + digit))
        case 10: " "
        case 11: "-"
        case 12: "."
        default: "?"
        }
    }

    /// Four characters of six bits in three bytes, the low bits first, counted from the space.
    private static func packed(_ bytes: some Collection<UInt8>) -> String {
        var (text, bits, count) = ("", UInt32(0), 0)
        for byte in bytes {
            bits |= UInt32(byte) << UInt32(count)
            count += 8
            while count >= 6 {
                text.unicodeScalars.append(Unicode.Scalar(UInt8(bits & 0x3f) + 0x20))
                bits >>= 6
                count -= 6
            }
        }
        return text
    }
}
