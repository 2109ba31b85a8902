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
        let port = try await store.get(AgentSession.self, session.id)?.mac
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
        let (task, entry) = try task(rendering, plan, machine)
        let order = Order(
            id: Credential.identifier("order"), operation: operation.id, machine: plan.facts, task: task, issuedAt: now,
            expiresAt: now.addingTimeInterval(Self.lifetime))
        try await send(order, of: operation, to: machine, session, .install) { machine, current, transaction in
            current.order?.installs = InstalledSystem(disk: DiskTarget(plan.disk), entry: entry)
            var boot: InstallerBoot?
            if case .installer(let installer) = rendering {
                boot = installer
                current.order?.runsInstaller = true
                current.order?.endsWhenEntered = installer.end == .entered
            }
            machine.observed.installed = nil
            try put(secrets, of: &current, machine, assignment, until: order.expiresAt, boot, in: transaction)
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
        (operation.joinToken, operation.ticket) = (join.id, ticket.id)
        try transaction.put(join)
        try transaction.put(ticket)
    }

    /// What the agent is to do, and how the system is entered afterwards.
    private func task(
        _ rendering: Rendering, _ plan: OperationPlanner.Plan, _ machine: Machine
    ) throws -> (Order.Task, SystemEntry) {
        let mayKexec = (plan.profile?.kexec ?? true) && !machine.observed.kexecFailed
        let release = plan.release
        func file(_ role: ArtifactRole) throws -> Artifact {
            guard let artifact = release.artifacts[role] else {
                throw ServiceError(.notFound, "\(release.name) has no \(role.rawValue); add the release again")
            }
            return artifact
        }
        func order(_ files: [ConfigurationFile], _ entry: SystemEntry, _ first: KernelOrder?) throws -> InstallOrder {
            let image = try file(.image)
            return InstallOrder(
                release: release.name,
                image: .init(
                    url: image.url(below: installation.bootURL), sha256: image.sha256, compression: image.compression,
                    compressedBytes: image.bytes, rawBytes: image.rawBytes),
                disk: DiskTarget(plan.disk), files: files, readBack: plan.profile?.readBack ?? .sampled,
                entry: mayKexec ? entry : .reboot, bootOrder: plan.profile?.bootOrder ?? .networkFirst,
                firstStart: first)
        }
        func kernel(_ boot: InstallerBoot) throws -> KernelOrder {
            guard mayKexec else {
                throw ServiceError(
                    .conflict,
                    "\(machine.name) cannot enter a kernel of \(release.name): its hardware profile forbids kexec, or one failed on it"
                )
            }
            // COMMAND_LINE_SIZE of x86 and arm64, with its end.
            guard boot.commandLine.utf8.count < 2048 else {
                throw ServiceError(
                    .conflict,
                    "the kernel arguments of \(release.name) are \(boot.commandLine.utf8.count) bytes, and a kernel takes 2047"
                )
            }
            return KernelOrder(
                kernel: .init(try file(boot.kernel), below: installation.bootURL),
                initrds: try boot.initrds.map { .init(try file($0), below: installation.bootURL) },
                archived: try boot.archived.sorted { $0.key < $1.key }.map {
                    .init(path: $0.key, file: .init(try file($0.value), below: installation.bootURL))
                },
                overlay: boot.overlay, commandLine: boot.commandLine)
        }
        switch rendering {
        case .image(let files, let entry): return (.install(try order(files, entry, nil)), entry)
        case .imageStartedBy(let boot): return (.install(try order([], .reboot, try kernel(boot))), .reboot)
        case .installer(let boot):
            // Its own boot loader starts it; where its kernel lies is its own affair.
            return (
                .runInstaller(
                    InstallerOrder(release: release.name, disk: DiskTarget(plan.disk), boot: try kernel(boot))),
                .reboot
            )
        }
    }
}
