import APIModel
import ArgumentParser
import Foundation
import ProfileFiles

enum OutputFormat: String, ExpressibleByArgument, CaseIterable { case table, wide, json, yaml, name }

/// How an answer is written: for people, or for programs.
struct FormatOption: ParsableArguments {
    @Option(
        name: [.customShort("o"), .long],
        help: ArgumentHelp("How the answer is written; wide has all columns.", valueName: "table|wide|json|yaml|name"))
    var format: OutputFormat = .table
    @Option(
        help: ArgumentHelp("Colours; auto: on a terminal, unless NO_COLOR is set.", valueName: "auto|always|never"))
    var color: ColorChoice = .auto

    /// Words for people, rather than data.
    var isTable: Bool { format == .table || format == .wide }

    /// Writes an answer as data.
    /// - Parameter names: what `--format name` writes, one on a line.
    func write(_ value: some Encodable, names: [String]? = nil) throws {
        switch format {
        case .table, .wide, .json: Output.print(try Self.json(value))
        case .yaml: FileHandle.standardOutput.write(Data(try Self.yaml(value).utf8))
        case .name:
            guard let names else {
                throw ValidationError("nothing here has a name: --format table, json or yaml")
            }
            for name in names { Output.print(name) }
        }
    }

    /// One of many answers that come as things happen: JSON on one line, or a YAML document.
    func writeNext(_ value: some Encodable, name: String) throws {
        switch format {
        case .table, .wide, .json:
            Output.print(String(decoding: try APICoding.encoder.encode(value), as: UTF8.self))
        case .yaml: FileHandle.standardOutput.write(Data(("---\n" + (try Self.yaml(value))).utf8))
        case .name: Output.print(name)
        }
    }

    /// Writes a table, as wide as the terminal; where it is none, as wide as it is.
    func show(_ table: TextTable) {
        let width = format == .wide ? nil : Screen.output.size?.width
        for line in table.lines(isWide: format == .wide, width: width, painter: painter) { Output.write(line) }
    }

    /// For standard output.
    var painter: Painter { Painter(color, isTerminal: Screen.output.isTerminal) }
    /// For standard error, where progress is shown.
    var noticePainter: Painter { Painter(color, isTerminal: Screen.notices.isTerminal) }

    private static func json(_ value: some Encodable) throws -> String {
        let encoder = APICoding.encoder
        encoder.outputFormatting.insert(.prettyPrinted)
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    private static func yaml(_ value: some Encodable) throws -> String {
        try YAMLText.write(json: try APICoding.encoder.encode(value))
    }
}
