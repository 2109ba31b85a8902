/// One syslog datagram (RFC 3164 §4, RFC 5424 §6), as far as a boot trace wants it. Total: what is no syslog at all, such as the bare
/// lines of netconsole, is taken as text.
struct SyslogMessage: Equatable {
    /// Printable ASCII, one line, at most 200 characters.
    var text: String

    init(_ datagram: some Sequence<UInt8>) {
        var rest = Array(datagram.prefix(1024))[...]
        Self.dropPriority(&rest)
        // RFC 5424: version, time, host, program, process and message id come before the words, each with a blank.
        if rest.starts(with: "1 ".utf8) {
            for _ in 0..<6 { rest = rest.drop { $0 != 0x20 }.dropFirst() }
            if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst().drop { $0 == 0x20 } }
        }
        let line = rest.drop { $0 == 0x20 || $0 == 0x0a }.prefix { $0 != 0x0a && $0 != 0 }
        text = String(
            decoding: line.prefix(200).map { (0x20...0x7e).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }

    /// `<13>`, up to 191.
    private static func dropPriority(_ rest: inout ArraySlice<UInt8>) {
        guard rest.first == UInt8(ascii: "<") else { return }
        let digits = rest.dropFirst().prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        let after = rest.dropFirst(1 + digits.count)
        guard (1...3).contains(digits.count), after.first == UInt8(ascii: ">"),
            let number = UInt8(String(decoding: digits, as: UTF8.self)), number <= 191
        else { return }
        rest = after.dropFirst()
    }
}
