import APIClient
import APIModel
import ArgumentParser
import Foundation
import Inventory

struct ProfileTryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "try", abstract: "Shows which machines would change profile; changes nothing.",
        discussion: "A file with the name of a profile that the daemon has takes its place in the trial.")
    @Option(
        name: [.short, .customLong("file")], parsing: .upToNextOption, help: "Profile files, NAME.yaml.",
        completion: .file(extensions: ["yaml"]))
    var files: [String] = []
    @Option(help: "A profile to do without; may be given again.") var remove: [String] = []
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        guard !files.isEmpty || !remove.isEmpty else { throw ValidationError("say --file or --remove") }
    }

    func run() async throws {
        let profiles = try files.map { file in
            let name = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
            do {
                return ProfileTrialRequest.File(name: name, text: try String(contentsOfFile: file, encoding: .utf8))
            } catch {
                throw ClientError("the profile \(file) cannot be read: \(error.localizedDescription)")
            }
        }
        let view = try await connection.call(
            .post, "/api/v1/profiles/try", body: ProfileTrialRequest(profiles: profiles, remove: remove),
            as: ProfileTrialView.self)
        guard format.isTable else { return try format.write(view) }
        if !view.changes.isEmpty {
            let rows = view.changes.map { line in
                [line.name, Self.words(line.change.from), Self.words(line.change.to), line.change.why]
            }
            Output.print(Output.table(["MACHINE", "FROM", "TO", "WHY"], rows))
        }
        Output.tell(Self.summary(view))
    }

    static func words(_ profiles: [String]) -> String {
        switch profiles.count {
        case 0: "none"
        case 1: profiles[0]
        default: "TIE of " + profiles.joined(separator: " and ")
        }
    }

    static func summary(_ view: ProfileTrialView) -> String {
        func machines(_ count: Int) -> String { count == 1 ? "1 machine" : "\(count) machines" }
        var parts = ["\(machines(view.changes.count)) would change"]
        let ties = view.changes.count { $0.change.becomesAmbiguous }
        if ties > 0 { parts[0] += ", of which \(ties) would have no profile for a tie" }
        if view.replaced > 0 {
            parts.append("\(machines(view.replaced)) would have the new text of a profile they have")
        }
        parts.append("\(machines(view.same)) would not")
        if view.unread > 0 { parts.append("\(machines(view.unread)) have not reported their hardware") }
        return parts.joined(separator: "; ")
    }
}
