import FoundationEssentials
import Inventory
import Logging
import Machines
import Store

/// Machines' BMCs: how to log in, what is found there, and what they are asked.
public struct BMCService: Sendable {
    let store: any RecordStore
    let installation: Installation
    let profiles: ProfileBook
    let controller: any BMCController
    let prober: any BMCProber
    let logger: Logger
    let now: @Sendable () -> Date

    /// Runs a command on a machine's BMC.
    /// - Parameter words: the command, for people.
    /// - Throws: ``ServiceError``: `upstream` with what came back.
    func ask<Result: Sendable>(
        _ id: String, _ words: String, _ body: @Sendable (any BMCController, BMCAccess) async throws -> Result
    ) async throws -> Result {
        let access = try await access(to: id)
        do {
            return try await body(controller, access)
        } catch let error as BMCError {
            throw ServiceError(.upstream, "\(words): \(error)")
        }
    }

    /// How to log in to a machine's BMC. What is not known of it yet is found out, and kept.
    public func access(to id: String) async throws -> BMCAccess {
        let machine = try await machine(id)
        guard let endpoint = machine.desired.bmc else {
            throw ServiceError(
                .conflict,
                "\(machine.name) has no BMC: name it with `slipway machine bmc set \(machine.name) ADDRESS`")
        }
        let password = try await endpoint.passwordSecret.asyncMap { try await open($0, of: machine) } ?? ""
        return try await access(to: machine, endpoint, password: password)
    }

    func access(to machine: Machine, _ endpoint: Machine.BMCEndpoint, password: String) async throws -> BMCAccess {
        let status = try await status(of: machine, endpoint, password: password)
        let trust: BMCTrust =
            switch endpoint.verification ?? .firstUse {
            case .firstUse:
                status.pinnedAt == nil ? .authorities : status.certificate.map { .pinned($0.sha256) } ?? .authorities
            case .authorities: .authorities
            case .off: .anything
            }
        var access = BMCAccess(
            kind: status.kind, address: endpoint.address, port: endpoint.port, username: endpoint.username ?? "",
            password: password, trust: trust)
        if let known = machine.observed.profile.flatMap({ profiles.profile(named: $0) })?.bmc {
            access.quirks = Set(known.quirks)
            if let settle = known.powerSettle { access.settle = settle }
        }
        access.machineUUID = machine.observed.hardware?.system.uuid.map { "\($0)" }
        access.machineSerial = machine.observed.hardware?.system.serial
        access.nics = machine.observed.hardware?.identity.macs ?? machine.observed.macs
        return access
    }

    /// What was found at the endpoint, or is found now.
    private func status(
        of machine: Machine, _ endpoint: Machine.BMCEndpoint, password: String
    ) async throws -> Machine.BMCStatus {
        let quirks = machine.observed.profile.flatMap { profiles.profile(named: $0) }?.bmc.quirks ?? []
        if let known = machine.observed.bmc, known.address == endpoint.address, known.port == endpoint.port,
            endpoint.kind.map({ $0 == known.kind }) ?? (known.kind != .redfish || !quirks.contains(.noRedfish))
        {
            return known
        }
        var status = Machine.BMCStatus(
            address: endpoint.address, port: endpoint.port, kind: endpoint.kind ?? BMCKind.none)
        let isFirstUse = (endpoint.verification ?? .firstUse) == .firstUse
        // Only a BMC of unknown kind, and one whose certificate is to be kept, is asked without being believed.
        guard endpoint.kind == nil || (endpoint.kind == .redfish && isFirstUse) else { return status }
        let probe = await prober.probe(
            endpoint.address, ports: endpoint.ports,
            credentials: endpoint.username.map { BMCCredentials(username: $0, password: password) },
            verification: endpoint.verification ?? .firstUse)
        let isIPMIToo = probe.findings.contains { $0.kind == .ipmi && $0.outcome == .answers }
        guard
            let kind = endpoint.kind
                ?? (quirks.contains(.noRedfish) && isIPMIToo ? .ipmi : probe.recommended),
            let finding = probe.findings.first(where: { $0.kind == kind && $0.outcome == .answers })
        else {
            let problems = probe.findings.compactMap { finding in
                finding.problem.map { "\(finding.kind.rawValue): \($0)" }
            }
            throw ServiceError(
                .upstream,
                "the BMC of \(machine.name) at \(endpoint.address) answers neither Redfish nor IPMI: "
                    + problems.joined(separator: "; "))
        }
        (status.kind, status.certificate, status.description) = (kind, finding.certificate, finding.description)
        if isFirstUse, let certificate = finding.certificate, !certificate.isAuthorized { status.pinnedAt = now() }
        try await keep(status, of: machine.id)
        return status
    }

    /// Keeps what was found, and says so.
    private func keep(_ status: Machine.BMCStatus, of id: String) async throws {
        let now = now()
        try await store.transaction { transaction in
            guard var machine = try await transaction.get(Machine.self, id) else { return }
            machine.observed.bmc = status
            machine.updatedAt = now
            try transaction.put(machine)
            let what = [status.description?.vendor, status.description?.model, status.description?.firmware]
                .compactMap { $0 }.joined(separator: " ")
            var words = "\(machine.name): its BMC at \(status.address) speaks \(status.kind.rawValue)"
            if !what.isEmpty { words += " (\(what))" }
            if status.pinnedAt != nil, let certificate = status.certificate {
                words += "; its certificate \(certificate.sha256) (\(certificate.subject)) is believed from now on"
            }
            try transaction.put(
                Event.now(
                    .machineChanged, machine: id, actor: "slipwayd", words,
                    details: ["bmc": status.address, "certificate": status.certificate?.sha256 ?? "none"], at: now))
        }
    }

    func machine(_ id: String) async throws -> Machine {
        guard let machine = try await store.get(Machine.self, id) else {
            throw ServiceError(.notFound, "no machine is called \(id)")
        }
        return machine
    }

    func open(_ secret: String, of machine: Machine) async throws -> String {
        guard let secret = try await store.get(Secret.self, secret) else {
            throw ServiceError(
                .conflict,
                "the BMC password of \(machine.name) is not in the secret store; say `slipway machine bmc set` again")
        }
        do {
            return try secret.open(with: installation.secretKey)
        } catch {
            throw ServiceError(
                .conflict, "the BMC password of \(machine.name) was sealed with another key than this installation's")
        }
    }
}

extension Machine.BMCEndpoint {
    /// Where to ask: a port that was given without a kind is tried with both.
    var ports: [BMCKind: Int] {
        guard let port else { return [:] }
        return kind.map { [$0: port] } ?? [.redfish: port, .ipmi: port]
    }
}

extension Optional {
    func asyncMap<Result>(_ body: (Wrapped) async throws -> Result) async rethrows -> Result? {
        guard let self else { return nil }
        return try await body(self)
    }
}
