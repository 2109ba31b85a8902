import FoundationEssentials
import Inventory
import Machines
import NetworkAddresses
import OperatingSystems
import Store

extension OrderIssuer {
    func issueInstall(_ operation: Operation, on machine: Machine, _ session: Situation.Session) async throws {
        guard let assignment = operation.assignment else { return }
        let plan = try await planner.plan(operation, on: machine)
        let agent = try await store.get(AgentSession.self, session.id)
        let port = agent?.mac
        let mirror = agent.flatMap { IPv4Address($0.address) }.flatMap {
            ImageMirror.url(for: $0, among: installation.mirrors)
        }
        let now = now()
        let secrets = InstallationRenderer.Secrets.random()
        let rendering = try await planner.renderer.render(plan, machine, assignment, bootMAC: port, secrets)
        let lasting = try await planner.renderer.render(plan, machine, assignment, bootMAC: port, .placeholders)
        let shown = RenderedInstallation(
            try await planner.renderer.render(plan, machine, assignment, bootMAC: port, .placeholders, redacts: true))
        let record = InstallationRecord(
            operation: operation.id, assignment: assignment, desired: machine.desired, disk: DiskTarget(plan.disk),
            release: plan.release, profile: plan.profile?.name,
            digest: RenderedInstallation(lasting).digest(plan.release, key: installation.secretKey), at: now)
        let task = try InstallTask(rendering, plan, machine, bootURL: installation.bootURL)
        let order = Order(
            id: Credential.identifier("order"), operation: operation.id, machine: plan.facts,
            task: task.task.mirrored(at: mirror, of: installation.bootURL), issuedAt: now,
            expiresAt: now.addingTimeInterval(Self.lifetime))
        try await send(order, of: operation, to: machine, session, .install) { machine, current, transaction in
            current.order?.installs = InstalledSystem(disk: DiskTarget(plan.disk), entry: task.entry)
            var boot: InstallerBoot?
            if case .installer(let installer) = rendering {
                boot = installer
                current.order?.runsInstaller = true
                current.order?.endsWhenEntered = installer.end == .entered
            }
            _ = try await transaction.get(NetworkStart.self, machine.id)
            if let kernel = task.networkStart {
                try transaction.put(
                    NetworkStart(
                        machine: machine.id, operation: operation.id, order: order.id, kernel,
                        key: installation.secretKey))
            } else {
                transaction.delete(NetworkStart.self, machine.id)
            }
            machine.observed.installed = nil
            try put(secrets, of: &current, machine, assignment, until: order.expiresAt, boot, in: transaction)
            (current.eventSources, current.systemWord) = (nil, nil)
            if boot?.tellsEvents ?? false { current.listen(to: try addresses(of: machine, agent)) }
            var history =
                try await transaction.get(InstallationHistory.self, machine.id)
                ?? InstallationHistory(machine: machine.id)
            history.note(record)
            try transaction.put(history)
            _ = try await transaction.get(InstalledRendering.self, machine.id)
            try transaction.put(
                InstalledRendering(
                    machine: machine.id, operation: operation.id, assignment: assignment, route: plan.release.route,
                    disk: plan.disk.summary, entry: shown.entry, kernelArguments: shown.kernelArguments,
                    files: shown.files, digest: record.digest))
            return (
                "install \(plan.release.name) on \(plan.disk.summary)",
                ["disk": plan.disk.serial ?? plan.disk.wwn ?? plan.disk.path, "digest": record.digest]
            )
        }
    }

    /// Where a machine may speak from: its agent's address, and the fixed ones that it is to have.
    private func addresses(of machine: Machine, _ agent: AgentSession?) throws -> [IPAddress] {
        let network = try machine.desired.network?.resolved(among: machine.knownPorts)
        return [agent.flatMap { IPAddress($0.address) }].compactMap { $0 }
            + (network?.addressings.flatMap { $0.addressing.addresses.map(\.address) } ?? [])
    }

    /// Those of an earlier order are worth nothing from here on.
    private func put(
        _ secrets: InstallationRenderer.Secrets, of operation: inout Operation, _ machine: Machine,
        _ assignment: Machine.Assignment, until expiry: Date, _ boot: InstallerBoot?, in transaction: Transaction
    ) throws {
        if let former = operation.joinToken { transaction.delete(JoinToken.self, former) }
        if let former = operation.ticket { transaction.delete(InstallationTicket.self, former) }
        let deadlines = planner.deadlines(of: machine)
        // An installer may take the whole of its phase.
        let end = expiry.addingTimeInterval(
            (Phase.installing.deadline(deadlines) ?? 0) + (Phase.joining.deadline(deadlines) ?? 0))
        let join = JoinToken(
            id: Credential.hash(secrets.joinToken), cluster: assignment.cluster, machine: machine.id,
            nodeName: machine.hostname, operation: operation.id, expiresAt: end)
        var ticket = InstallationTicket(
            id: Credential.hash(secrets.ticket), machine: machine.id, operation: operation.id, expiresAt: end)
        for file in boot?.served ?? [] { try ticket.put(file, key: installation.secretKey) }
        ticket.endsWhenFetched = boot?.end == .fetched
        if boot?.tellsEvents ?? false { ticket.isListenedTo = true }
        (operation.joinToken, operation.ticket) = (join.id, ticket.id)
        try transaction.put(join)
        try transaction.put(ticket)
    }
}
