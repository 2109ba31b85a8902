import APIClient
import APIModel
import ArgumentParser
import Foundation
import Machines
import NetworkAddresses

struct BootCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "boot", abstract: "Attempts to boot from the network, also of what is no machine yet.",
        subcommands: [BootListCommand.self])
}

struct BootListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "The newest attempt of every MAC, and why it stopped.")
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let list = try await connection.withClient { client in
            try await client.call(.get, "/api/v1/boots", as: ListView<BootView>.self)
        }
        guard format.isTable else { return try format.write(list.items) }
        let rows = list.items.map { boot in
            [
                boot.mac.description, boot.machine ?? "-", "\(Output.age(boot.lastAt)) ago", boot.stage,
                boot.location ?? "-", boot.diagnosis.map { "\($0.seen): \($0.means)" } ?? "",
            ]
        }
        format.show(TextTable(["MAC", "MACHINE", "SEEN", "STAGE", "LOCATION", "DIAGNOSIS"], rows))
    }
}

struct MachineBootTraceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "boot-trace", abstract: "Step by step, how a machine boots, and why it stopped.")
    @Argument(
        help: "Id, name, MAC address or serial number; or the MAC of what is no machine yet.", completion: .machine)
    var machine: String
    @Flag(help: "All attempts that are kept.") var all = false
    @Flag(help: "Go on as things happen.") var follow = false
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        if follow, !format.isTable { throw ValidationError("--follow writes words, not JSON") }
    }

    func run() async throws {
        let (path, all, follow, isTable) = ("/api/v1/boots/\(machine.escaped)", all, follow, format.isTable)
        let reference = machine
        try await connection.withClient { client in
            var shown = BootTraceText()
            repeat {
                let boots = try await client.call(.get, path, as: ListView<BootView>.self).items
                guard !boots.isEmpty || follow else {
                    throw ClientError("\(reference) has not tried to boot from the network since this was kept")
                }
                let wanted = all ? boots : Array(boots.suffix(1))
                guard isTable else { return try format.write(wanted) }
                for line in shown.lines(wanted) { Output.print(line) }
                if follow { try await Task.sleep(for: .seconds(1)) }
            } while follow
        }
    }
}

/// Attempts as lines; of what was shown before, only what is new.
struct BootTraceText {
    private var shown: [Date: Int] = [:]
    private var told: [Date: String] = [:]

    mutating func lines(_ boots: [BootView]) -> [String] {
        var lines: [String] = []
        for boot in boots {
            if shown[boot.startedAt] == nil {
                lines.append(
                    "\(boot.mac) \(APICoding.format(boot.startedAt))\(boot.location.map { ", at \($0)" } ?? "")")
            }
            let steps = boot.steps ?? []
            for step in steps.dropFirst(shown[boot.startedAt] ?? 0) {
                let seconds = String(format: "%7.1f s", step.time.timeIntervalSince(boot.startedAt))
                lines.append("\(seconds)  \(step.text)\(step.count > 1 ? " (\(step.count) times)" : "")")
            }
            shown[boot.startedAt] = steps.count
            guard let diagnosis = boot.diagnosis, told[boot.startedAt] != diagnosis.summary else { continue }
            told[boot.startedAt] = diagnosis.summary
            lines += [
                "   stopped  \(diagnosis.seen)", "     means  \(diagnosis.means)", "       try  \(diagnosis.attempt)",
            ]
            if let screen = boot.screen, !screen.isEmpty {
                lines += ["    screen  the last one of its serial console:"] + screen.map { "          | \($0)" }
            }
        }
        return lines
    }
}
