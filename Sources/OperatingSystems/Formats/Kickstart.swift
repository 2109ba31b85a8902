import FoundationEssentials

/// A kickstart file for Anaconda. https://pykickstart.readthedocs.io/en/latest/kickstart-docs.html
struct Kickstart {
    /// Commands, one on a line.
    private var commands: [String] = []
    private var sections: [String] = []

    /// Adds a command of words that are safe by themselves or made so by ``word(_:_:)``.
    mutating func command(_ words: String...) { commands.append(words.joined(separator: " ")) }

    /// One word of a command: Anaconda splits lines as a shell does.
    /// - Throws: ``ConfigurationError`` for what would end the line or its quotes.
    static func word(_ text: String, of field: String) throws(ConfigurationError) -> String {
        let isFine = text.unicodeScalars.allSatisfy {
            $0.value > 0x20 && $0.value < 0x7f && !"\"'\\#".unicodeScalars.contains($0)
        }
        guard isFine, !text.isEmpty else {
            throw ConfigurationError(
                field: field,
                reason:
                    "\(text.debugDescription): blanks, quotes, backslashes and '#' mean something in a kickstart file")
        }
        return text
    }

    /// Adds a script, such as `%pre --erroronfail`. Nothing in it may look like the section's end.
    mutating func section(_ head: String, _ script: String) {
        sections.append("\(head)\n\(script.hasSuffix("\n") ? script : script + "\n")%end\n")
    }

    /// Commands that write a file. In base64: whatever is in it, no line of it begins with `%`.
    static func write(_ file: NodeSetup.File, below root: String = "") -> String {
        let path = root + file.path
        let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let bytes = Data(file.content.utf8).base64EncodedString()
        let lines = stride(from: 0, to: bytes.utf8.count, by: 76).map { start in
            String(bytes.dropFirst(start).prefix(76))
        }
        return """
            mkdir -p \(ShellText.quoted(folder))
            base64 -d >\(ShellText.quoted(path)) <<'END'
            \(lines.joined(separator: "\n"))
            END
            chmod 0\(String(file.mode, radix: 8)) \(ShellText.quoted(path))

            """
    }

    var text: String { commands.map { $0 + "\n" }.joined() + sections.map { "\n" + $0 }.joined() }
}
