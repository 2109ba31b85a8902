import APIClient
import APIModel
import ArgumentParser
import Foundation
import Inventory
import ProfileFiles

struct ProfileCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile", abstract: "Hardware profiles: which machines they are for, and what follows.",
        subcommands: [
            ProfileListCommand.self, ProfileShowCommand.self, ProfileExplainCommand.self, ProfileTryCommand.self,
            ProfileCheckCommand.self,
        ])
}

struct ProfileListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "The profiles that the daemon has read.")
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let list = try await connection.call(.get, "/api/v1/profiles", as: ListView<ProfileView>.self)
        guard format.isTable else { return try format.write(list.items) }
        let rows = list.items.map {
            [$0.name, "\($0.priority)", "\($0.machines)", $0.origin, ProfileText.brief($0.gives), $0.match]
        }
        format.show(TextTable(["NAME", "PRIORITY", "MACHINES", "FROM", "GIVES", "MATCH"], rows))
    }
}

struct ProfileShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "One profile: what it demands, and all that follows from it.")
    @Argument(help: "Name of the profile.") var profile: String
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let list = try await connection.call(.get, "/api/v1/profiles", as: ListView<ProfileView>.self)
        guard let found = list.items.first(where: { $0.name == profile }) else {
            Output.tell("slipway: no hardware profile is called \(profile); see `slipway profile list`")
            throw ExitCode.failure
        }
        if !format.isTable { try format.write(found) } else { Output.print(ProfileText.describe(found)) }
    }
}

struct ProfileExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Why a profile is a machine's, and what the others lack.")
    @Argument(help: "Id, name, MAC address or serial number.", completion: .machine) var machine: String
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let view = try await connection.call(
            .get, "/api/v1/machines/\(machine.escaped)/profile", as: MachineProfileView.self)
        guard format.isTable else { return try format.write(view) }
        Output.print(view.outcome)
        for profile in view.profiles { Output.print(Self.words(profile)) }
    }

    static func words(_ profile: ProfileExplanation) -> String {
        let count = profile.specificity
        let rank = "priority \(profile.priority), \(count) condition\(count == 1 ? "" : "s")"
        guard profile.condition.holds else {
            return (["  \(profile.profile) does not fit"] + profile.condition.faults.map { "      \($0)" }).joined(
                separator: "\n")
        }
        return "  \(profile.profile) fits (\(rank))\(profile.isChosen ? ", and is the machine's" : ""): "
            + profile.condition.demand
    }
}

struct ProfileCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Reads profile files and tells their faults; needs no daemon.")
    @Argument(help: "Files.", completion: .file(extensions: ["yaml"])) var files: [String]

    func run() throws {
        var faults: [String] = []
        for file in files {
            do {
                let text = try String(contentsOfFile: file, encoding: .utf8)
                let name = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
                let profile = try ProfileDirectory.parse(text, file: file, name: name)
                Output.print("\(file): \(profile.match.words)")
            } catch let fault as ProfileFileError {
                faults.append("\(fault)")
            } catch {
                faults.append("\(file): cannot be read: \(error.localizedDescription)")
            }
        }
        for fault in faults { Output.tell(fault) }
        if !faults.isEmpty { throw ExitCode.failure }
    }
}
