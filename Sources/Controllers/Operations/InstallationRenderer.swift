import Crypto
import FoundationEssentials
import Inventory
import Machines
import NetworkAddresses
import OperatingSystems
import Store

/// Makes of a plan all that a machine gets.
struct InstallationRenderer: Sendable {
    let store: any RecordStore
    let installation: Installation

    /// What leaves the daemon with one order, and of which it keeps hashes only.
    struct Secrets: Sendable {
        var joinToken: String
        var ticket: String

        /// New ones.
        static func random() -> Self { Self(joinToken: Credential.random(), ticket: Credential.random()) }
        /// Stand where those of an order will be.
        static let placeholders = Self(joinToken: "JOIN-TOKEN", ticket: "TICKET")
    }

    /// - Parameter redacts: what is sealed of the cluster and the machine is replaced.
    /// - Throws: ``ConfigurationError``, ``NetworkFault``, ``ServiceError``.
    func render(
        _ plan: OperationPlanner.Plan, _ machine: Machine, _ assignment: Machine.Assignment, bootMAC: MACAddress?,
        _ secrets: Secrets, redacts: Bool = false
    ) async throws -> Rendering {
        let name = assignment.cluster
        guard let cluster = try await store.list(Cluster.self).items.first(where: { $0.name == name }) else {
            throw ServiceError(.notFound, "the cluster \(name) is gone; add it again or ask for another")
        }
        let sealed = SealedTexts(cluster: cluster, key: installation.secretKey, redacts: redacts)
        let role = assignment.role ?? .worker
        let hardware = machine.observed.hardware
        var target = TargetMachine(
            id: machine.id, hostname: machine.hostname, role: role,
            architecture: hardware?.processor.architecture ?? plan.release.architecture,
            isUEFI: hardware?.firmware.kind == .uefi, disk: plan.disk,
            network: try machine.desired.network?.resolved(among: machine.knownPorts), bootMAC: bootMAC,
            kernelArguments: plan.profile?.agentArguments ?? [], labels: machine.effectiveLabels)
        target.isSecureBoot = hardware?.firmware.secureBoot ?? false
        let input = InstallationInput(
            machine: target,
            release: TargetRelease(
                name: plan.release.name, version: plan.release.version,
                urls: plan.release.artifacts.mapValues { $0.url(below: installation.bootURL) },
                digests: plan.release.artifacts.mapValues(\.sha256), parameters: plan.release.parameters),
            cluster: name, join: try sealed.join(role, standalone: standalone(secrets)),
            callback: Callback(
                url: "\(installation.apiURL)/api/v1/installations/\(secrets.ticket)",
                certificateAuthority: installation.certificateAuthority, eventSink: installation.talosEvents),
            access: AdministratorAccess(sshKeys: cluster.join?.sshKeys ?? []), setup: try sealed.setup(),
            patches: try sealed.patches(of: machine))
        let rendering = try plan.driver.render(input, route: plan.release.route)
        guard input.patches.isEmpty || plan.driver.takesPatches(plan.release.route) else {
            throw ConfigurationError(
                field: "patch",
                reason:
                    "\(plan.release.os) by \(plan.release.route.rawValue) takes no patches; commands of its cluster's setup can do as much"
            )
        }
        return rendering
    }

    private func standalone(_ secrets: Secrets) -> JoinMaterial.StandaloneJoin {
        .init(
            server: installation.apiURL, certificateAuthority: installation.certificateAuthority,
            token: secrets.joinToken)
    }
}

/// What is sealed of a cluster, opened for one rendering.
private struct SealedTexts {
    var cluster: Cluster
    var key: SymmetricKey
    /// Nobody who sees the rendering may know them.
    var redacts: Bool

    func join(_ role: Machine.NodeRole, standalone: JoinMaterial.StandaloneJoin) throws -> JoinMaterial {
        switch cluster.flavor {
        case .standalone: return .standalone(standalone)
        case .kubernetes:
            let authority = try needed(cluster.join?.certificateAuthority, "CA")
            return .kubernetes(
                .init(
                    endpoint: try needed(cluster.join?.endpoint, "endpoint"), certificateAuthority: authority,
                    certificateAuthorityHash: try ClusterAuthority.pin(of: authority), token: try word(.token),
                    version: try needed(cluster.join?.version, "version"),
                    certificateKey: try text(.certificateKey).map { redacts ? Redaction.mark : $0 }))
        case .k3s:
            return .k3s(.init(server: try needed(cluster.join?.endpoint, "endpoint"), token: try word(.token)))
        case .talos:
            let name: ClusterSecret = role == .controlPlane ? .controlPlane : .worker
            let config = try needed(try text(name), "configuration for a \(role.rawValue)")
            return .talos(.init(config: redacts ? Redaction.configuration(config) : config))
        case .rancher:
            let registration = try needed(try text(.registration), "registration")
            return .rancher(registration: redacts ? Redaction.configuration(registration) : registration)
        }
    }

    func setup() throws -> String? { try text(.setup).map { redacts ? "# \(Redaction.mark)\n" : $0 } }

    func patches(of machine: Machine) throws -> [String] {
        [try text(.patch), try machine.desired.patch?.open(with: key)].compactMap { $0 }
            .map { redacts ? Redaction.configuration($0) : $0 }
    }

    private func word(_ name: ClusterSecret) throws -> String {
        let text = try needed(try text(name), name.rawValue)
        return redacts ? Redaction.mark : text
    }

    private func text(_ name: ClusterSecret) throws -> String? { try cluster.join?.text(of: name, key: key) }

    private func needed(_ value: String?, _ what: String) throws -> String {
        guard let value else {
            throw ServiceError(
                .conflict, "the cluster \(cluster.name) has no \(what): `slipway cluster set \(cluster.name)`")
        }
        return value
    }
}
