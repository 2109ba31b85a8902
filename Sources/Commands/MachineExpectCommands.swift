import APIClient
import APIModel
import ArgumentParser
import Foundation
import Machines
import ProfileFiles

struct MachineExpectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "expect", abstract: "Announce machines before they arrive.",
        discussion: "`slipway machine expect -f rack.csv` announces; `status` tells what became of it.",
        subcommands: [
            MachineExpectAnnounceCommand.self, MachineExpectStatusCommand.self, MachineExpectWithdrawCommand.self,
        ], defaultSubcommand: MachineExpectAnnounceCommand.self)
}

struct MachineExpectAnnounceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "announce",
        abstract: "Announces the machines of a file, all or none. The same file again changes nothing.",
        discussion: "The file is CSV or YAML. It may hold BMC passwords: see docs/expected-machines.md.")
    @Option(
        name: .shortAndLong, help: ArgumentHelp("rack.csv or rack.yaml.", valueName: "file"),
        completion: .file(extensions: ["csv", "yaml", "yml"])) var file: String
    @Flag(help: "Only say what would change.") var dryRun = false
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let manifest: RackManifest
        do {
            manifest = try Self.read(file)
        } catch {
            for fault in error.errors { Output.tell("\(fault)") }
            Output.tell("slipway: nothing was announced")
            throw ExitCode.failure
        }
        if manifest.holdsPasswords, Self.isOpen(file) {
            Output.tell("\(file) holds passwords and others on this host may read it: chmod 600 \(file)")
        }
        let request = AnnounceRequest(
            items: manifest.entries.map { .init($0.machine, bmcPassword: $0.bmcPassword) }, dryRun: dryRun ? true : nil)
        let answer: AnnounceAnswer
        do {
            answer = try await connection.call(.post, "/api/v1/expected-machines", body: request)
        } catch let problem as ProblemView {
            guard let fault = Self.fault(problem, manifest, file) else { throw problem }
            Output.tell("\(fault)\nslipway: nothing was announced")
            throw ExitCode.failure
        }
        guard format.isTable else { return try format.write(answer) }
        for name in answer.created { Output.print("\(name) \(dryRun ? "would be announced" : "announced")") }
        for name in answer.changed { Output.print("\(name) \(dryRun ? "would change" : "changed")") }
        let counts = [
            "\(answer.created.count) created", "\(answer.changed.count) changed", "\(answer.unchanged.count) unchanged",
        ]
        Output.tell(counts.joined(separator: ", ") + (dryRun ? "; nothing was announced yet (--dry-run)" : ""))
    }

    /// What the daemon refuses, where it stands in the file.
    private static func fault(_ problem: ProblemView, _ manifest: RackManifest, _ file: String) -> ProfileFileError? {
        let parts = problem.field?.split(separator: ".").map(String.init) ?? []
        guard parts.count == 3, parts[0] == "items", let index = Int(parts[1]) else { return nil }
        return manifest.fault(file: file, index: index, field: parts[2], problem.detail)
    }

    /// Paths of password files are relative to the folder of the file that names them.
    private static func read(_ file: String) throws(ProfileFileErrors) -> RackManifest {
        let text: String
        do {
            text = try String(contentsOfFile: file, encoding: .utf8)
        } catch {
            let exists = FileManager.default.fileExists(atPath: file)
            throw ProfileFileErrors(errors: [
                ProfileFileError(
                    file: file,
                    message: exists
                        ? "it cannot be read as UTF-8 text: \(error.localizedDescription)" : "there is no such file")
            ])
        }
        let folder = URL(fileURLWithPath: file).deletingLastPathComponent()
        return try RackManifest.read(text, file: file) { path in
            let place = path.hasPrefix("/") ? URL(fileURLWithPath: path) : folder.appendingPathComponent(path)
            do {
                return try String(contentsOf: place, encoding: .utf8)
            } catch {
                throw ClientError(error.localizedDescription)
            }
        }
    }

    private static func isOpen(_ file: String) -> Bool {
        let attributes = try? FileManager.default.attributesOfItem(atPath: file)
        return (attributes?[.posixPermissions] as? NSNumber).map { $0.intValue & 0o077 != 0 } ?? false
    }
}

struct MachineExpectStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "What arrived, what is missing, and what is not as announced.")
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let view = try await connection.call(.get, "/api/v1/expected-machines", as: ExpectedMachinesView.self)
        guard format.isTable else { return try format.write(view) }
        if !view.items.isEmpty || !view.unexpected.isEmpty { Output.print(ExpectationText.table(view)) }
        Output.tell(ExpectationText.summary(view))
        if let advice = ExpectationText.advice(view) { Output.tell(advice) }
    }
}

struct MachineExpectWithdrawCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "withdraw",
        abstract: "Takes announcements back, all or none. Machines that arrived stay as they are.")
    @Argument(help: "Names, as they were announced.") var names: [String]
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let query = names.map { "name=\($0.escaped)" }.joined(separator: "&")
        try await connection.withClient { try await $0.send(.delete, "/api/v1/expected-machines?\(query)") }
        for name in names { Output.print("\(name) withdrawn") }
    }
}

/// What became of announcements, in words. Pure.
enum ExpectationText {
    /// What needs a person first.
    static func table(_ view: ExpectedMachinesView, now: Date = Date()) -> String {
        var rows: [[String]] = []
        func add(_ state: ExpectedMachine.State) {
            for item in view.items where item.state == state {
                let machine = item.announced
                let known = machine.serial ?? machine.macs.first.map { "\($0)" } ?? "-"
                let detail: String =
                    switch state {
                    case .missing: "announced by \(item.announcedBy), not seen yet"
                    case .arrived: machine.accept ? "as announced" : "as announced; accept it by hand"
                    case .mismatched: item.mismatches.map(\.description).joined(separator: "; ")
                    }
                rows.append([
                    state.rawValue, machine.name, item.machineName ?? "-", known,
                    machine.location?.description ?? "-", Output.age(item.matchedAt ?? item.createdAt, now: now),
                    detail,
                ])
            }
        }
        func addUnexpected(_ isWanted: (UnexpectedMachineView) -> Bool) {
            for item in view.unexpected where isWanted(item) {
                let port = item.switchPorts.first.map { "\($0.name) \($0.port)" }
                rows.append([
                    item.reason == nil ? "unexpected" : "mismatched", "-", item.name, item.serial ?? "-",
                    item.location?.description ?? port ?? "-", Output.age(item.createdAt, now: now),
                    item.reason ?? "nobody announced it",
                ])
            }
        }
        add(.mismatched)
        addUnexpected { $0.reason != nil }
        addUnexpected { $0.reason == nil }
        add(.missing)
        add(.arrived)
        return Output.table(["STATE", "EXPECTED", "MACHINE", "SERIAL/MAC", "LOCATION", "SINCE", "DETAIL"], rows)
    }

    /// What to do about it.
    static func advice(_ view: ExpectedMachinesView) -> String? {
        let isMismatched =
            view.items.contains { $0.state == .mismatched } || view.unexpected.contains { $0.reason != nil }
        guard isMismatched else { return nil }
        return
            "mismatched: look at the machine; then mend the file and announce it again, or `slipway machine accept` what "
            + "is right as it is"
    }

    static func summary(_ view: ExpectedMachinesView) -> String {
        func count(_ state: ExpectedMachine.State) -> Int { view.items.count { $0.state == state } }
        let unexpected = view.unexpected.count { $0.reason == nil }
        return "\(view.items.count) expected: \(count(.arrived)) arrived, \(count(.mismatched)) mismatched, "
            + "\(count(.missing)) missing; \(unexpected) unexpected"
    }
}
