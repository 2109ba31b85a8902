/// What the head of an answer means for a download of which some bytes are there (RFC 9110 §14, §15.3.7, §15.5.17). Pure.
enum DownloadAnswer: Equatable {
    /// What follows is the file from where the download is, behind so many bytes that are known and only compared.
    case body(known: Int64)
    /// It may be otherwise in a moment.
    case tryAgain(String)
    /// This server does not have the file that is wanted.
    case giveUp(String)

    /// - Parameters:
    ///   - done: bytes that are there.
    ///   - total: bytes of the whole file.
    init(_ head: HTTPHead, done: Int64, total: Int64) {
        switch head.status {
        case 206:
            guard let range = head.contentRange, let first = range.first else {
                self = .giveUp("it answers 206 and does not say with which part")
                return
            }
            guard range.size == nil || range.size == total else {
                self = .giveUp(Self.otherSize(range.size, total))
                return
            }
            self =
                first > done
                ? .giveUp("it begins at byte \(first), and \(done) are there") : .body(known: done - first)
        // It does not know ranges, or another tag by now: what is known is passed over, and must be the same.
        case 200:
            guard let length = head.contentLength else {
                self = .giveUp("it does not say how long the file is")
                return
            }
            self = length == total ? .body(known: done) : .giveUp(Self.otherSize(length, total))
        case 416: self = .giveUp(Self.otherSize(head.contentRange?.size, total))
        // A library may be filled, and a daemon starts with its files in place: neither takes long.
        case 404, 408, 429, 500...599: self = .tryAgain("it answers \(head.status)")
        default: self = .giveUp("it answers \(head.status)")
        }
    }

    private static func otherSize(_ found: Int64?, _ total: Int64) -> String {
        "its file has \(found.map { "\($0)" } ?? "fewer") bytes, and the order says \(total)"
    }
}

/// The status line and fields of an answer (RFC 9112 §4, §5), as far as a download needs them.
struct HTTPHead: Equatable {
    var status: Int
    private var fields: [String: String] = [:]

    /// Nil for what is no answer of HTTP/1.
    init?(_ text: some StringProtocol) {
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
        let words = lines.first?.split(separator: " ", omittingEmptySubsequences: false) ?? []
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]), (100...599).contains(status)
        else { return nil }
        self.status = status
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            var value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            while value.last == " " || value.last == "\t" { value.removeLast() }
            fields[line[..<colon].lowercased()] = String(value)
        }
    }

    var contentLength: Int64? {
        fields["transfer-encoding"] == nil ? fields["content-length"].flatMap { Int64($0) } : nil
    }

    /// A strong tag: only that says that two files are the same to the last byte (RFC 9110 §8.8.3).
    var strongTag: String? { fields["etag"].flatMap { $0.hasPrefix("\"") && $0.count > 1 ? $0 : nil } }

    /// `bytes 5-9/10`, or `bytes */10` without the part; the size is nil where it is `*`.
    var contentRange: (first: Int64?, size: Int64?)? {
        guard let field = fields["content-range"], field.hasPrefix("bytes ") else { return nil }
        let parts = field.dropFirst("bytes ".count).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let size = Int64(parts[1])
        guard parts[1] == "*" || size != nil else { return nil }
        if parts[0] == "*" { return (nil, size) }
        let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false).map { Int64($0) }
        guard ends.count == 2, let first = ends[0], let last = ends[1], first >= 0, last >= first else { return nil }
        return (first, size)
    }
}
