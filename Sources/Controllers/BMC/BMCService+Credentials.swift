import Crypto
import FoundationEssentials
import IPMI
import Inventory
import Machines
import Store

extension BMCService {
    /// Names a machine's BMC. What was known of the one of before is forgotten.
    public func set(_ setting: BMCSetting, of id: String, by actor: String) async throws -> Machine {
        if let fault = setting.fault { throw ServiceError(.invalid, fault.reason, field: fault.field) }
        let now = now()
        return try await store.transaction { transaction in
            guard var machine = try await transaction.get(Machine.self, id) else {
                throw ServiceError(.notFound, "no machine is called \(id)")
            }
            try machine.setBMC(setting, key: installation.secretKey, in: transaction)
            machine.generation += 1
            machine.updatedAt = now
            try transaction.put(machine)
            let kind = setting.endpoint.kind?.rawValue ?? "Redfish or IPMI, whichever answers"
            try transaction.put(
                Event.now(
                    .machineChanged, machine: id, actor: actor,
                    "\(machine.name): its BMC is \(setting.endpoint.address) (\(kind))", at: now))
            return machine
        }
    }

    /// Believes the certificate that the BMC shows now.
    /// - Parameter fingerprint: its SHA-256, which the person has compared.
    /// - Throws: ``ServiceError`` `conflict` when the BMC shows another one.
    public func trust(_ fingerprint: String, of id: String, by actor: String) async throws -> Machine {
        let machine = try await machine(id)
        guard let endpoint = machine.desired.bmc, endpoint.kind ?? machine.observed.bmc?.kind == .redfish else {
            throw ServiceError(.conflict, "\(machine.name) has no BMC that shows a certificate")
        }
        let wanted = fingerprint.lowercased().filter { $0 != ":" }
        let probe = await prober.probe(
            endpoint.address, ports: endpoint.ports, credentials: nil, verification: .firstUse)
        guard let finding = probe.findings.first(where: { $0.kind == .redfish }), let shown = finding.certificate else {
            let why = probe.findings.first { $0.kind == .redfish }?.problem ?? "no answer"
            throw ServiceError(.upstream, "the BMC at \(endpoint.address) shows no certificate: \(why)")
        }
        guard shown.sha256 == wanted else {
            throw ServiceError(
                .conflict,
                "the BMC at \(endpoint.address) shows \(shown.sha256) (\(shown.subject)), which is not the one you named",
                field: "sha256")
        }
        let now = now()
        return try await store.transaction { transaction in
            guard var machine = try await transaction.get(Machine.self, id), machine.desired.bmc == endpoint else {
                throw ServiceError(.conflict, "the BMC of \(id) was changed meanwhile; look at it again")
            }
            var status =
                machine.observed.bmc
                ?? Machine.BMCStatus(address: endpoint.address, port: endpoint.port, kind: .redfish)
            let former = status.certificate?.sha256
            (status.certificate, status.pinnedAt) = (shown, now)
            machine.observed.bmc = status
            machine.updatedAt = now
            try transaction.put(machine)
            try transaction.put(
                Event.now(
                    .machineChanged, machine: id, actor: actor,
                    "\(machine.name): the BMC's certificate \(shown.sha256) (\(shown.subject)) is believed from now on",
                    details: ["certificate": shown.sha256, "former": former ?? "none"], at: now))
            return machine
        }
    }

    /// Gives the machine's BMC user another password, and keeps it sealed. A daemon that dies in between finds out which of the two it is.
    /// - Parameter password: nil: a random one that every BMC takes.
    public func changePassword(_ password: String?, of id: String, by actor: String) async throws {
        do {
            try await settlePassword(of: id)
        } catch let error as BMCError {
            throw ServiceError(.upstream, "\(error)")
        }
        let access = try await access(to: id)
        guard access.kind == .redfish || access.kind == .ipmi else {
            throw ServiceError(.conflict, "\(access.kind.rawValue) has no password")
        }
        let maker = try await maker(of: id)
        let password = password ?? BMCPasswordPolicy.of(maker).password()
        if let fault = BMCPasswordPolicy.fault(password) { throw ServiceError(.invalid, fault, field: "password") }
        let secret = try Secret(id: Credential.identifier("bmc"), text: password, key: installation.secretKey)
        // Written first: the BMC never has a password that nobody knows.
        try await change(id) { machine, transaction in
            try transaction.put(secret)
            machine.desired.bmc?.nextPasswordSecret = secret.id
        }
        do {
            try await controller.changePassword(to: password, on: access)
        } catch let error as BMCError {
            // Many BMCs lock users out: the password that is likelier right has the first try.
            let isLikelyDone = [.silent, .outcomeUnknown, .nonsense].contains(error.reason)
            let settled = (try? await settlePassword(of: id, newFirst: isLikelyDone)) ?? false
            if !settled { throw ServiceError(.upstream, "change the BMC password: \(error)") }
            return try await record("the password of BMC user \(access.username) was changed", of: id, by: actor)
        }
        try await adopt(id)
        try await record("the password of BMC user \(access.username) was changed", of: id, by: actor)
    }

    /// Who made its BMC, as that says inside the machine; 0: nobody knows.
    private func maker(of id: String) async throws -> Manufacturer {
        Manufacturer(rawValue: try await machine(id).observed.hardware?.bmc?.manufacturer ?? 0)
    }

    /// Finds out whether a change of the password that was begun was done.
    /// - Parameter newFirst: which of the two passwords is tried first.
    /// - Returns: it was.
    /// - Throws: ``BMCError``, `credentials` when neither password is right; ``ServiceError``.
    @discardableResult func settlePassword(of id: String, newFirst: Bool = true) async throws -> Bool {
        let machine = try await machine(id)
        guard let endpoint = machine.desired.bmc, let next = endpoint.nextPasswordSecret else { return false }
        let tries = [(next, true), (endpoint.passwordSecret, false)]
        for (secret, isNew) in newFirst ? tries : tries.reversed() {
            guard let secret else { continue }
            let access = try await access(to: machine, endpoint, password: try await open(secret, of: machine))
            do {
                _ = try await controller.power(of: access)
            } catch let error as BMCError where error.reason == .credentials {
                continue
            }
            if isNew {
                try await adopt(id)
            } else {
                try await change(id) { machine, transaction in
                    transaction.delete(Secret.self, next)
                    machine.desired.bmc?.nextPasswordSecret = nil
                }
            }
            return isNew
        }
        throw BMCError(
            address: endpoint.address, doing: "log in after a change of its password", reason: .credentials,
            "it takes neither the former password of \(endpoint.username ?? "its user") nor the new one; say `slipway machine bmc set` with the right one"
        )
    }

    /// The new password is the password.
    private func adopt(_ id: String) async throws {
        try await change(id) { machine, transaction in
            guard var endpoint = machine.desired.bmc, let next = endpoint.nextPasswordSecret else { return }
            if let former = endpoint.passwordSecret { transaction.delete(Secret.self, former) }
            (endpoint.passwordSecret, endpoint.nextPasswordSecret) = (next, nil)
            machine.desired.bmc = endpoint
        }
    }

    func change(_ id: String, _ body: @Sendable (inout Machine, Transaction) async throws -> Void) async throws {
        try await store.transaction { transaction in
            guard var machine = try await transaction.get(Machine.self, id) else {
                throw ServiceError(.notFound, "no machine is called \(id)")
            }
            try await body(&machine, transaction)
            try transaction.put(machine)
        }
    }
}

extension Machine {
    /// Puts the setting and its password in place of the former ones.
    mutating func setBMC(_ setting: BMCSetting, key: SymmetricKey, in transaction: Transaction) throws {
        (desired.bmc, observed.bmc) = (try sealed(setting, key: key, in: transaction), nil)
        observed.conditions.removeAll { $0.type == .bmcReachable }
    }

    /// The endpoint with its password in the secret store, from where the former ones go.
    func sealed(_ setting: BMCSetting, key: SymmetricKey, in transaction: Transaction) throws -> BMCEndpoint {
        for former in [desired.bmc?.passwordSecret, desired.bmc?.nextPasswordSecret].compactMap({ $0 }) {
            transaction.delete(Secret.self, former)
        }
        var endpoint = setting.endpoint
        guard let password = setting.password else { return endpoint }
        let secret = try Secret(id: Credential.identifier("bmc"), text: password, key: key)
        try transaction.put(secret)
        endpoint.passwordSecret = secret.id
        return endpoint
    }
}
