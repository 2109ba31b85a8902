import APIModel
import FoundationEssentials
import Inventory
import Machines
import NetworkAddresses
import OperatingSystems
import Store

extension MachineService {
    /// What an installation would give a machine. Nothing is done.
    /// - Parameters:
    ///   - assignment: nil: the one that it has.
    ///   - actor: who sees what is sealed; nil: it is replaced.
    public func rendering(
        of machine: Machine, _ assignment: Machine.Assignment?, secretsFor actor: String?
    ) async throws -> RenderingView {
        guard let assignment = assignment ?? machine.desired.assignment else {
            throw ServiceError(
                .invalid, "\(machine.name) has no assignment: say which cluster and OS release", field: "cluster")
        }
        try await check(assignment)
        let history = try await store.get(InstallationHistory.self, machine.id)
        do {
            let plan = try await planner.plan(assignment, on: machine)
            func render(redacts: Bool) async throws -> RenderedInstallation {
                RenderedInstallation(
                    try await planner.renderer.render(
                        plan, machine, assignment, bootMAC: machine.anyPort, .placeholders, redacts: redacts))
            }
            let digest = try await render(redacts: false).digest(plan.release, key: installation.secretKey)
            let shown = try await render(redacts: actor == nil)
            if let actor { try await noteShown(machine, assignment, to: actor) }
            return RenderingView(
                machine: machine.name, assignment: assignment, route: plan.release.route, disk: plan.disk.summary,
                entry: shown.entry, kernelArguments: shown.kernelArguments, files: shown.files, digest: digest,
                isInstalled: history?.records.last.map { $0.digest == digest }, redacted: actor == nil)
        } catch let error as ConfigurationError {
            throw ServiceError(.conflict, "\(assignment.release) on \(machine.name): \(error)", field: error.field)
        } catch let fault as NetworkFault {
            throw ServiceError(.conflict, "\(machine.name): \(fault)", field: "network")
        } catch let problem as RootDiskProblem {
            throw ServiceError(.conflict, "\(machine.name): \(problem)")
        }
    }

    /// What the newest installation of a machine gave it.
    /// - Throws: ``ServiceError`` `notFound` when there was none.
    public func installedRendering(of machine: Machine) async throws -> RenderingView {
        guard let rendering = try await store.get(InstalledRendering.self, machine.id) else {
            throw ServiceError(.notFound, "nothing was installed on \(machine.name) yet")
        }
        return RenderingView(rendering, machine: machine.name)
    }

    private func noteShown(_ machine: Machine, _ assignment: Machine.Assignment, to actor: String) async throws {
        let now = now()
        try await store.transaction { transaction in
            try transaction.put(
                Event.now(
                    .secretsShown, machine: machine.id, actor: actor,
                    "\(actor) was shown what \(assignment.release) in \(assignment.cluster) would get on \(machine.name), with its secrets",
                    at: now))
        }
    }

    /// The newest last.
    public func installations(of machine: Machine) async throws -> [InstallationView] {
        let history = try await store.get(InstallationHistory.self, machine.id)
        let goal = history?.lastGood
        return (history?.records ?? []).map { InstallationView($0, isGoal: $0.operation == goal?.operation) }
    }

    /// Where `rollback` goes.
    /// - Throws: ``ServiceError`` `conflict` when there is nothing to go back to.
    public func lastGood(of machine: Machine) async throws -> InstallationRecord {
        guard let record = try await store.get(InstallationHistory.self, machine.id)?.lastGood else {
            throw ServiceError(
                .conflict,
                "\(machine.name) was never a node with another system or configuration than its newest: see `slipway machine history \(machine.name)`"
            )
        }
        return record
    }
}
