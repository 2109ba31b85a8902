/// What a request for a file is answered with (RFC 9110 §13.2.2). Pure.
enum FileAnswer: Equatable {
    /// 304: the client has it.
    case notModified
    case range(ByteRange)

    /// - Parameters:
    ///   - tag: the file's entity tag, with its quotes.
    ///   - header: the request's first header of a name.
    init(tag: String, size: Int64, header: (String) -> String?) {
        if let known = header("If-None-Match"), Self.lists(known, tag) {
            self = .notModified
            return
        }
        // A range of another version than the client has parts of would make a file that never was (§13.1.5).
        let isSame = header("If-Range").map { $0 == tag } ?? true
        self = .range(ByteRange(header: isSame ? header("Range") : nil, size: size))
    }

    /// `*`, or a list of tags, weak ones included: the comparison is the weak one (§13.1.2).
    private static func lists(_ header: String, _ tag: String) -> Bool {
        header.split(separator: ",").contains { part in
            let known = part.drop { $0 == " " }.prefix { $0 != " " }
            return known == "*" || known == tag[...] || known == "W/" + tag
        }
    }
}
