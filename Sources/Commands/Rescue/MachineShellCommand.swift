import APIClient
import APIModel
import ArgumentParser
import Foundation

struct MachineShellCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shell",
        abstract: "Attach to the rescue shell of a machine, or show what went through its shells.",
        discussion: """
            `slipway machine rescue` asks for one. Several people may be attached at once and see the same. Behind a new line, ~. leaves \
            without ending it, ~~ is a tilde.
            """)
    @Argument(help: "Id, name, MAC address or serial number.", completion: .machine) var machine: String
    @Flag(help: "Only look.") var readOnly = false
    @Flag(help: "The recordings that are kept.") var recordings = false
    @Option(help: ArgumentHelp("All of one recording, as it was printed; `last` is the newest.", valueName: "id"))
    var recording: String?
    @Flag(help: "Of a recording: who typed what, and when.") var typed = false
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        guard !typed || recording != nil else { throw ValidationError("--typed is for a --recording") }
    }

    func run() async throws {
        let path = "/api/v1/machines/\(machine.escaped)/shell-recordings"
        if recordings { return try await list(path) }
        guard let recording else { return try await Self.attach(machine, isReadOnly: readOnly, connection) }
        let view = try await connection.call(.get, "\(path)/\(recording.escaped)", as: ShellRecordingView.self)
        guard typed else { return FileHandle.standardOutput.write(view.data ?? Data()) }
        for entry in view.typed ?? [] {
            let keys = String(decoding: entry.data, as: UTF8.self).unicodeScalars
                .map { $0.value < 32 || $0.value == 127 ? $0.escaped(asASCII: true) : String($0) }.joined()
            Output.print("\(APICoding.format(entry.at)) \(entry.by): \(keys)")
        }
    }

    private func list(_ path: String) async throws {
        let list = try await connection.call(.get, path, as: ListView<ShellRecordingView>.self)
        let rows = list.items.map { view in
            [
                view.id, APICoding.format(view.startedAt), view.endedAt.map { APICoding.format($0) } ?? "goes on",
                view.requestedBy, Set(view.visits.map(\.by)).sorted().joined(separator: ","), "\(view.bytes)",
                "\(view.typedBytes)", view.end ?? "",
            ]
        }
        Output.print(Output.table(["ID", "BEGAN", "ENDED", "ASKED BY", "SEEN BY", "PRINTED", "TYPED", "END"], rows))
    }

    /// Attaches the terminal; leaving does not end the rescue.
    static func attach(_ machine: String, isReadOnly: Bool, _ connection: ConnectionOptions) async throws {
        let path = "/api/v1/machines/\(machine.escaped)/shell"
        try await connection.withClient { client in
            @Sendable func post(_ keys: ShellKeys) async throws {
                _ = try await client.call(.post, path + "/input", body: keys, as: DoneView.self)
            }
            try await TerminalLine(
                client: client, path: path, isReadOnly: isReadOnly, isPersistent: true,
                send: { action in
                    // A terminal of Linux has no break.
                    if case .send(let bytes) = action { try await post(ShellKeys(data: Data(bytes))) }
                }, resize: { try await post(ShellKeys(size: $0)) }
            ).run()
        }
    }
}
