/// Reads comma-separated values by RFC 4180, and nothing looser: what a spreadsheet did not mean is not guessed. Ends of lines may be LF, and a byte
/// order mark, which Excel writes, is passed over.
struct CSVReader {
    struct Field: Equatable {
        var text: String
        var place: FilePlace
    }

    private let file: String
    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var place = (line: 1, column: 1)

    private init(file: String, _ text: String) {
        self.file = file
        scalars = Array(text.unicodeScalars)
        if scalars.first == "\u{feff}" { position = 1 }
    }

    /// Every row that is not empty; the first is the header.
    /// - Throws: ``ProfileFileError``.
    static func rows(of text: String, file: String) throws(ProfileFileError) -> [[Field]] {
        var reader = CSVReader(file: file, text)
        var rows: [[Field]] = []
        while reader.position < reader.scalars.count {
            let row = try reader.row()
            if row.count > 1 || row.first?.text.isEmpty == false { rows.append(row) }
        }
        return rows
    }

    private var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private mutating func advance() {
        if next == "\n" { place = (place.line + 1, 1) } else { place.column += 1 }
        position += 1
    }

    private var endsLine: Bool {
        next == nil || next == "\n"
            || (next == "\r" && (position + 1 == scalars.count || scalars[position + 1] == "\n"))
    }

    private mutating func row() throws(ProfileFileError) -> [Field] {
        var fields = [try field()]
        while next == "," {
            advance()
            fields.append(try field())
        }
        if next == "\r" { advance() }
        if next == "\n" { advance() }
        return fields
    }

    private mutating func field() throws(ProfileFileError) -> Field {
        let start = FilePlace(line: place.line, column: place.column)
        var text = String.UnicodeScalarView()
        guard next == "\"" else {
            while let scalar = next, scalar != ",", !endsLine {
                guard scalar != "\"" else {
                    throw fault("a quote inside a field: put the whole field in quotes, and double the ones inside")
                }
                guard scalar != "\r" else { throw fault("a carriage return inside a line") }
                text.append(scalar)
                advance()
            }
            return Field(text: String(text), place: start)
        }
        advance()
        while true {
            guard let scalar = next else {
                throw ProfileFileError(
                    file: file, line: start.line, column: start.column,
                    message: "the quote that opens here is not closed")
            }
            advance()
            guard scalar == "\"" else {
                text.append(scalar)
                continue
            }
            guard next == "\"" else { break }
            text.append("\"")
            advance()
        }
        guard next == "," || endsLine else { throw fault("text after the closing quote") }
        return Field(text: String(text), place: start)
    }

    private func fault(_ message: String) -> ProfileFileError {
        ProfileFileError(file: file, line: place.line, column: place.column, message: message)
    }
}
