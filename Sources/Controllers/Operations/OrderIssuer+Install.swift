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
        let secrets = InstallationSecrets(joinToken: Credential.random(), ticket: Credential.random())
        let input = try input(of: plan, machine: machine, assignment: assignment, bootMAC: port, secrets)
        let rendering = try plan.driver.render(input, route: plan.release.route)
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
            }
            machine.observed.installed = nil
            try put(secrets, of: &current, machine, assignment, until: order.expiresAt, boot, in: transaction)
            return (
                "install \(plan.release.name) on \(plan.disk.summary)",
                ["disk": plan.disk.serial ?? plan.disk.wwn ?? plan.disk.path]
            )
        }
    }

    /// What leaves the daemon with one order, and of which it keeps hashes only.
    struct InstallationSecrets: Sendable {
        var joinToken: String
        var ticket: String
    }

    /// Those of an earlier order are worth nothing from here on.
    private func put(
        _ secrets: InstallationSecrets, of operation: inout Operation, _ machine: Machine,
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

    private func input(
        of plan: OperationPlanner.Plan, machine: Machine, assignment: Machine.Assignment, bootMAC: MACAddress?,
        _ secrets: InstallationSecrets
    ) throws -> InstallationInput {
        let hardware = machine.observed.hardware
        let urls = plan.release.artifacts.mapValues { $0.url(below: installation.bootURL) }
        return InstallationInput(
            machine: TargetMachine(
                id: machine.id, hostname: machine.hostname, role: assignment.role ?? .worker,
                architecture: hardware?.processor.architecture ?? plan.release.architecture,
                isUEFI: hardware?.firmware.kind == .uefi, disk: plan.disk,
                network: try machine.desired.network?.resolved(among: machine.knownPorts), bootMAC: bootMAC,
                kernelArguments: plan.profile?.agentArguments ?? [], labels: machine.effectiveLabels),
            release: TargetRelease(
                name: plan.release.name, version: plan.release.version, urls: urls, parameters: plan.release.parameters),
            cluster: assignment.cluster,
            join: .standalone(
                .init(
                    server: installation.apiURL, certificateAuthority: installation.certificateAuthority,
                    token: secrets.joinToken)),
            callback: Callback(
                url: "\(installation.apiURL)/api/v1/installations/\(secrets.ticket)",
                certificateAuthority: installation.certificateAuthority))
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
        switch rendering {
        case .image(let files, let entry):
            let image = try file(.image)
            let order = InstallOrder(
                release: release.name,
                image: .init(
                    url: image.url(below: installation.bootURL), sha256: image.sha256, compression: image.compression,
                    compressedBytes: image.bytes, rawBytes: image.rawBytes),
                disk: DiskTarget(plan.disk), files: files, readBack: plan.profile?.readBack ?? .sampled,
                entry: mayKexec ? entry : .reboot, bootOrder: plan.profile?.bootOrder ?? .networkFirst)
            return (.install(order), entry)
        case .installer(let boot):
            guard mayKexec else {
                throw ServiceError(
                    .conflict,
                    "\(machine.name) cannot enter the installer of \(release.name): its hardware profile forbids kexec, or one failed on it"
                )
            }
            // COMMAND_LINE_SIZE of x86 and arm64, with its end.
            guard boot.commandLine.utf8.count < 2048 else {
                throw ServiceError(
                    .conflict,
                    "the kernel arguments of \(release.name) are \(boot.commandLine.utf8.count) bytes, and a kernel takes 2047"
                )
            }
            let order = InstallerOrder(
                release: release.name, disk: DiskTarget(plan.disk),
                kernel: .init(try file(boot.kernel), below: installation.bootURL),
                initrds: try boot.initrds.map { .init(try file($0), below: installation.bootURL) },
                overlay: boot.overlay, commandLine: boot.commandLine)
            // Its own boot loader starts it; where its kernel lies is its own affair.
            return (.runInstaller(order), .reboot)
        }
    }
}
