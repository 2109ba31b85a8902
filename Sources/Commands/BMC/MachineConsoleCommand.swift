import APIClient
import APIModel
import ArgumentParser
import Foundation
import Synchronization

struct MachineConsoleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "console", abstract: "A machine's serial console (Serial over LAN), now or as it was recorded.",
        discussion: """
            Keys go to the machine. Behind a new line, ~. leaves, ~b sends a break, ~~ a tilde. What boots print is recorded: \
            --recordings lists them, --last shows how the newest one ended.
            """)
    @Argument(help: "Id, name, MAC address or serial number.", completion: .machine) var machine: String
    @Flag(help: "Only look.") var readOnly = false
    @Flag(help: "End the console that somebody else has open.") var takeOver = false
    @Flag(help: "The recordings that are kept.") var recordings = false
    @Flag(help: "The last screen of the newest recording.") var last = false
    @Option(help: ArgumentHelp("All of one recording, as it was printed; `last` is the newest.", valueName: "id"))
    var recording: String?
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let path = "/api/v1/machines/\(machine.escaped)"
        if recordings { return try await list(path) }
        if last || recording != nil {
            let id = recording ?? "last"
            let view = try await connection.call(
                .get, path + "/console-recordings/\(id.escaped)", as: ConsoleRecordingView.self)
            if last { return Output.print(view.screen.joined(separator: "\n")) }
            return FileHandle.standardOutput.write(view.data ?? Data())
        }
        try await attach(path + "/console", query: takeOver ? "?take-over=true" : "")
    }

    private func list(_ path: String) async throws {
        let list = try await connection.call(
            .get, path + "/console-recordings", as: ListView<ConsoleRecordingView>.self)
        let rows = list.items.map { view in
            [
                view.id, APICoding.format(view.startedAt), view.endedAt.map { APICoding.format($0) } ?? "goes on",
                "\(view.bytes + view.dropped)", view.screen.last ?? "",
            ]
        }
        Output.print(Output.table(["ID", "BEGAN", "ENDED", "BYTES", "LAST LINE"], rows))
    }

    private func attach(_ path: String, query: String) async throws {
        let isReadOnly = readOnly
        try await connection.withClient { client in
            try await TerminalLine(
                client: client, path: path + query, isReadOnly: isReadOnly, isPersistent: false,
                send: { action in
                    let input =
                        switch action {
                        case .send(let bytes): ConsoleInput(data: Data(bytes))
                        case .sendBreak: ConsoleInput(sendsBreak: true)
                        }
                    _ = try await client.call(.post, path, body: input, as: DoneView.self)
                }
            ).run()
        }
    }
}

/// Finds the commands for us among what is typed: a tilde behind a new line, as ssh and ipmitool have it.
struct ConsoleKeys {
    enum Action: Equatable {
        case send([UInt8])
        case sendBreak
        case leave
    }

    private var atStart = true
    private var sawTilde = false

    mutating func feed(_ bytes: some Sequence<UInt8>) -> [Action] {
        var actions: [Action] = []
        var plain: [UInt8] = []
        func flush() {
            if !plain.isEmpty { actions.append(.send(plain)) }
            plain = []
        }
        for byte in bytes {
            if sawTilde {
                sawTilde = false
                switch byte {
                case UInt8(ascii: "."):
                    flush()
                    return actions + [.leave]
                case UInt8(ascii: "b"), UInt8(ascii: "B"):
                    flush()
                    actions.append(.sendBreak)
                    continue
                case UInt8(ascii: "~"): break
                default: plain.append(UInt8(ascii: "~"))
                }
            } else if byte == UInt8(ascii: "~"), atStart {
                sawTilde = true
                continue
            }
            plain.append(byte)
            atStart = byte == UInt8(ascii: "\r") || byte == UInt8(ascii: "\n")
        }
        flush()
        return actions
    }
}
