/// Text with `{{name}}` in it. Nothing else is special: no conditions, no environment, no files.
struct ScriptTemplate: Sendable {
    private enum Piece: Sendable {
        case text(String)
        case value(String)
    }

    private let pieces: [Piece]

    /// - Throws: ``ScriptTemplateError`` for a name that is not in `known`, or braces that do not close on their line.
    init(file: String, text: String, known: Set<String>) throws(ScriptTemplateError) {
        var pieces: [Piece] = []
        var number = 0
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            number += 1
            if number > 1 { pieces.append(.text("\n")) }
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
                pieces.append(.text(String(rest[..<open.lowerBound])))
                pieces.append(.value(name))
                rest = rest[close.upperBound...]
            }
            pieces.append(.text(String(rest)))
        }
        self.pieces = pieces
    }

    func rendered(_ values: [String: String]) -> String {
        pieces.map { piece in
            switch piece {
            case .text(let text): text
            case .value(let name): values[name] ?? ""
            }
        }.joined()
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
