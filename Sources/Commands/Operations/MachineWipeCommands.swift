import APIModel
import ArgumentParser
import Machines

struct MachineWipeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wipe", abstract: "Erase the disks of machines, and prove it.",
        discussion: """
            A machine that is a node leaves its cluster first. Each disk is shown before anything is done, and what was done ends in a certificate: \
            slipway certificate list. See docs/wipe.md.
            """)
    @OptionGroup var bulk: BulkOptions
    @OptionGroup var wipe: WipeOptions
    @Flag(inversion: .prefixedNo, help: "A node leaves its cluster first.") var drain = true
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let request = WipeMachineRequest(wipe: wipe.body, drain: drain, requireApproval: bulk.requireApproval)
        var trial = request
        trial.dryRun = true
        try await BulkOperation(verb: .wipe, headline: "", plan: ("wipe", trial), request: request).run(
            bulk, format, connection)
    }
}

struct MachineReprovisionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reprovision", abstract: "Erase machines, install them anew and join their cluster.",
        discussion: """
            What is not said stays as it is: cluster, OS release, root disk. A machine that is a node leaves its cluster first. All local disks are \
            erased but those of --keep-disk; with --root-disk-only the others keep their data.
            """)
    @OptionGroup var bulk: BulkOptions
    @Option(help: "Name of another cluster.", completion: .cluster) var cluster: String?
    @Option(name: .customLong("os"), help: "Name of another OS release.", completion: .release) var release: String?
    @Option(help: "Root disk: serial, WWN, or path of a disk that has neither.") var rootDisk: String?
    @Option(help: "worker or control-plane.") var role: Machine.NodeRole?
    @OptionGroup var wipe: WipeOptions
    @Flag(inversion: .prefixedNo, help: "A node leaves its cluster first.") var drain = true
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let request = ReprovisionRequest(
            cluster: cluster, release: release, disk: rootDisk, role: role, wipe: wipe.body, drain: drain,
            requireApproval: bulk.requireApproval)
        var trial = request
        trial.dryRun = true
        let words = [release.map { " with \($0)" }, cluster.map { " into \($0)" }].compactMap { $0 }.joined()
        try await BulkOperation(
            verb: .reprovision, headline: words, plan: ("reprovision", trial), request: request
        ).run(bulk, format, connection)
    }
}

struct MachineReleaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Take machines out of their cluster, for their next use.",
        discussion: "recycle erases their disks; retain leaves the data, and they wait.")
    @OptionGroup var bulk: BulkOptions
    @Option(help: ArgumentHelp("What becomes of the data.", valueName: "recycle|retain"))
    var policy: ReleaseRequest.Policy
    @Flag(inversion: .prefixedNo, help: "A node leaves its cluster first.") var drain = true
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let request = ReleaseRequest(policy: policy, drain: drain, requireApproval: bulk.requireApproval)
        try await BulkOperation(
            verb: .release, headline: ", \(policy.rawValue)",
            plan: policy == .recycle ? ("wipe", WipeMachineRequest(dryRun: true)) : nil, request: request
        ).run(bulk, format, connection)
    }
}

extension ReleaseRequest.Policy: ExpressibleByArgument {}
