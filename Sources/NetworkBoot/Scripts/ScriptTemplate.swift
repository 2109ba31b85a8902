/// Text with `{{name}}` in it. Nothing else is special: no conditions, no environment, no files.
struct ScriptTemplate: Sendable {
    private enum Piece: Sendable {
        case text([UInt8])
        case value(String)
    }

    private let pieces: [Piece]

    /// - Throws: ``ScriptTemplateError`` for a name that is not in `known`, or braces that do not close on their line.
    init(file: String, text: String, known: Set<String>) throws(ScriptTemplateError) {
        var pieces: [Piece] = []
        var plain = ""
        var number = 0
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            number += 1
            if number > 1 { plain += "\n" }
            var rest = Substring(line)
            while let open = rest.firstRange(of: "{{") {
                guard let close = rest[open.upperBound...].firstRange(of: "}}") else {
                    throw ScriptTemplateError(file: file, line: number, message: "{{ without }}")
                }
                let name = String(rest[open.upperBound..<close.lowerBound])
                guard known.contains(name) else {
                    let names = known.sorted().joined(separator: ", ")
                    throw ScriptTemplateError(
                        file: file, line: number,
                        message: "{{\(name)}} is not a value of this template; there is \(names)")
                }
                pieces += [.text(Array((plain + rest[..<open.lowerBound]).utf8)), .value(name)]
                plain = ""
                rest = rest[close.upperBound...]
            }
            plain += rest
        }
        self.pieces = pieces + [.text(Array(plain.utf8))]
    }

    func rendered(_ values: KeyValuePairs<String, String>) -> String {
        // By bytes: a string grows with more ado.
        var rendered: [UInt8] = []
        rendered.reserveCapacity(2048)
        for piece in pieces {
            switch piece {
            case .text(let text): rendered += text
            case .value(let name):
                if let value = values.first(where: { $0.key == name })?.value { rendered += value.utf8 }
            }
        }
        return String(decoding: rendered, as: UTF8.self)
    }
}

/// A fault in a script template.
public struct ScriptTemplateError: Error, Equatable, CustomStringConvertible {
    public var file: String
    public var line: Int?
    public var message: String

    public var description: String {
        [file, line.map(String.init)].compactMap { $0 }.joined(separator: ":") + ": " + message
    }
}
