import APIClient
import APIModel
import ArgumentParser
import Foundation
import Machines
import ProfileFiles

struct ApplyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply", abstract: "Make profiles, clusters, releases and machines as files declare them.",
        discussion: """
            The same files again change nothing. A fault in any of them, and nothing is done. Machines are never made or removed. docs/apply.md \
            has the files' form.
            """)
    @Option(
        name: [.customShort("f"), .customLong("file")], parsing: .upToNextOption,
        help: ArgumentHelp("YAML files, or folders of them; - is standard input.", valueName: "file|folder"),
        completion: .file(extensions: ["yaml", "yml"]))
    var files: [String]
    @Flag(help: "Print what is different, and change nothing.") var diff = false
    @Flag(help: "Only say what would be done.") var dryRun = false
    @Flag(help: "Remove profiles, clusters and releases that this set of files made and does not have any more.")
    var prune =
        false
    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "Name of this set of files: what one set made is never pruned by another.", valueName: "name"))
    var owner = "default"
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        guard !files.isEmpty else { throw ValidationError("say --file") }
        if owner.isEmpty { throw ValidationError("--set: a set has a name") }
        if let reason = Labels.fault([Labels.appliedBy: owner]) { throw ValidationError("--set: \(reason)") }
    }

    func run() async throws {
        let declared: [DeclaredResource]
        do {
            declared = try ResourceFolder.read(files)
        } catch {
            throw Self.refusal(error.errors)
        }
        let (owner, prune) = (owner, prune)
        let (format, isTrial, isDiff) = (format, dryRun || diff, diff)
        try await connection.withClient { client in
            let plan = ApplyPlan(declared, known: try await Self.known(client), owner: owner, prunes: prune)
            guard plan.faults.isEmpty else { throw Self.refusal(plan.faults) }
            var report = ApplyReport()
            for step in plan.steps {
                if isDiff { for line in step.diff(format.painter) { Output.write(line) } }
                do {
                    if !isTrial { try await Self.carryOut(step, client) }
                    report.note(step, isTrial: isTrial)
                    if !isDiff, format.isTable { Output.print(step.outcome(isTrial: isTrial)) }
                } catch let problem as ProblemView {
                    report.fail(step, problem.detail)
                    Output.tell("\(step.title) failed: \(problem.detail)")
                }
                if isDiff, case .differs(let reason) = step.action { Output.tell("\(step.title): \(reason)") }
            }
            if !isDiff, !format.isTable { try format.write(report) }
            Output.tell(report.summary(isTrial: isTrial))
            if !report.failed.isEmpty || !report.differing.isEmpty { throw ExitStatus.failed.code }
        }
    }

    /// Tells the faults.
    private static func refusal(_ faults: [ProfileFileError]) -> ExitCode {
        for fault in faults { Output.tell("\(fault)") }
        Output.tell("slipway: nothing was applied")
        return ExitStatus.failed.code
    }

    private static func known(_ client: APIClient) async throws -> ApplyPlan.Known {
        ApplyPlan.Known(
            clusters: try await client.call(.get, "/api/v1/clusters", as: ListView<ClusterView>.self).items,
            releases: try await client.call(.get, "/api/v1/os-releases", as: ListView<OSReleaseView>.self).items,
            machines: try await client.machines(),
            profiles: try await client.call(.get, "/api/v1/profiles", as: ListView<ProfileView>.self).items)
    }

    private static func carryOut(_ step: ApplyPlan.Step, _ client: APIClient) async throws {
        switch step.action {
        case .createCluster(let request):
            _ = try await client.call(.post, "/api/v1/clusters", body: request, as: ClusterView.self)
        case .createRelease(let request):
            _ = try await client.call(.post, "/api/v1/os-releases", body: request, as: OSReleaseView.self)
        case .changeMachine(let id, let generation, let request):
            _ = try await client.call(
                .post, "/api/v1/machines/\(id.escaped)/set", body: request, ifMatch: generation, as: MachineView.self)
        case .removeCluster: try await client.send(.delete, "/api/v1/clusters/\(step.name.escaped)")
        case .removeRelease: try await client.send(.delete, "/api/v1/os-releases/\(step.name.escaped)")
        case .putProfile(let request, _):
            _ = try await client.call(
                .put, "/api/v1/profiles/\(step.name.escaped)", body: request, as: ProfileChangeView.self)
        case .removeProfile: try await client.send(.delete, "/api/v1/profiles/\(step.name.escaped)")
        case .none, .differs: break
        }
    }
}

/// What became of everything, for programs.
struct ApplyReport: Encodable {
    var created: [String] = []
    var changed: [String] = []
    var removed: [String] = []
    var unchanged: [String] = []
    /// Title and what to do.
    var differing: [String: String] = [:]
    /// Title and reason.
    var failed: [String: String] = [:]

    mutating func note(_ step: ApplyPlan.Step, isTrial: Bool) {
        switch step.action {
        case .createCluster, .createRelease, .putProfile(_, isNew: true): created.append(step.title)
        case .changeMachine, .putProfile(_, isNew: false): changed.append(step.title)
        case .removeCluster, .removeRelease, .removeProfile: removed.append(step.title)
        case .none: unchanged.append(step.title)
        case .differs(let reason): differing[step.title] = reason
        }
    }

    mutating func fail(_ step: ApplyPlan.Step, _ reason: String) { failed[step.title] = reason }

    func summary(isTrial: Bool) -> String {
        let counts = [
            (created.count, "created"), (changed.count, "changed"), (removed.count, "removed"),
            (unchanged.count, "unchanged"), (differing.count, "different"), (failed.count, "failed"),
        ]
        let text = counts.filter { $0.0 > 0 || $0.1 == "unchanged" }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
        return isTrial ? text + "; nothing was applied yet" : text
    }
}

/// Files and folders that people name.
enum ResourceFolder {
    /// - Throws: all faults of all files.
    static func read(_ paths: [String]) throws(ProfileFileErrors) -> [DeclaredResource] {
        var resources: [DeclaredResource] = []
        var faults: [ProfileFileError] = []
        for path in paths {
            do {
                for file in try files(path) { resources += try ResourceFiles.read(try text(file), file: file) }
            } catch let errors as ProfileFileErrors {
                faults += errors.errors
            } catch {
                faults.append(ProfileFileError(file: path, message: "cannot be read: \(error.localizedDescription)"))
            }
        }
        guard faults.isEmpty else { throw ProfileFileErrors(errors: faults) }
        return resources
    }

    private static func text(_ file: String) throws -> String {
        guard file != "-" else {
            return String(decoding: try FileHandle.standardInput.readToEnd() ?? Data(), as: UTF8.self)
        }
        return try String(contentsOfFile: file, encoding: .utf8)
    }

    /// The YAML files of a folder, by name; not those of folders in it.
    private static func files(_ path: String) throws -> [String] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
            return [path]
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: path).filter {
            ($0.hasSuffix(".yaml") || $0.hasSuffix(".yml")) && !$0.hasPrefix(".")
        }
        guard !names.isEmpty else {
            throw ProfileFileErrors(errors: [
                ProfileFileError(file: path, message: "there is no .yaml file in this folder")
            ])
        }
        return names.sorted().map { path.hasSuffix("/") ? path + $0 : path + "/" + $0 }
    }
}
