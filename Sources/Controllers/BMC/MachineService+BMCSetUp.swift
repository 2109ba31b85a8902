import APIModel
import FoundationEssentials
import IPMI
import Inventory
import Machines
import Store

extension MachineService {
    /// Orders of this kind belong to no operation.
    static let setUpPrefix = "bmc"

    /// Has the machine's agent make a user of ours in its BMC, by way of the machine itself (KCS): nobody needs the factory's password.
    /// The password is random and kept sealed.
    /// - Throws: ``ServiceError`` `conflict` when the machine is not accepted, or has no BMC within, or no trusted agent waits.
    public func setUpBMC(of id: String, username: String, by actor: String) async throws {
        guard (1...16).contains(username.utf8.count), username.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw ServiceError(
                .invalid, "a BMC's user name has 1 to 16 letters, digits and signs of ASCII", field: "username")
        }
        let now = now()
        let (signed, order, holder) = try await store.transaction { transaction in
            guard var machine = try await transaction.get(Machine.self, id) else {
                throw ServiceError(.notFound, "no machine is called \(id)")
            }
            let session = try await trustedAgent(of: machine, in: transaction, at: now)
            guard let hardware = machine.observed.hardware, hardware.bmc?.address != nil else {
                throw ServiceError(
                    .conflict,
                    "the agent of \(machine.name) sees no BMC with an address within; name it with `slipway machine bmc set`"
                )
            }
            let maker = Manufacturer(rawValue: hardware.bmc?.manufacturer ?? 0)
            let password = BMCPasswordPolicy.of(maker).password()
            // A user that is being made already is made anew, with another password.
            if let former = machine.observed.bmcSetUp, former.failure == nil { machine.doubt(former, in: transaction) }
            let secret = try Secret(id: Credential.identifier("bmc"), text: password, key: installation.secretKey)
            let order = Order(
                id: Credential.identifier(Self.setUpPrefix), machine: hardware.facts,
                task: .setUpBMC(BMCUserOrder(username: username, password: password)), issuedAt: now,
                expiresAt: now.addingTimeInterval(600))
            machine.observed.bmcSetUp = .init(
                order: order.id, username: username, passwordSecret: secret.id, requestedBy: actor)
            machine.updatedAt = now
            try transaction.put(secret)
            try transaction.put(machine)
            try transaction.put(
                Event.now(
                    .orderIssued, machine: id, actor: actor,
                    "order \(order.id): make the user \(username) in the BMC of \(machine.name)",
                    details: ["order": order.id], at: now))
            return (try SignedOrder(order, with: installation.orderKey), order.id, session.id)
        }
        board.deliver(signed, order: order, to: holder)
    }

    /// The session that may be given a secret.
    private func trustedAgent(
        of machine: Machine, in transaction: Transaction, at now: Date
    ) async throws -> AgentSession {
        guard machine.desired.accepted else {
            throw ServiceError(
                .conflict, "\(machine.name) is not accepted; look at it, then `slipway machine accept \(machine.name)`")
        }
        guard let id = machine.observed.session, let session = try await transaction.get(AgentSession.self, id),
            board.isLive(session, at: now), board.progress(of: session.id) == nil
        else {
            throw ServiceError(.conflict, "no agent of \(machine.name) waits for an order; boot it from the network")
        }
        guard session.trust != nil else {
            throw ServiceError(
                .conflict,
                "the agent of \(machine.name) is not trusted with secrets: accept the machine while it runs, or power-cycle it"
            )
        }
        return session
    }
}

extension AgentService {
    /// A user was made, or not: the endpoint is the machine's from now on, or the password goes.
    func finishSetUp(_ result: OrderResult, _ order: String, _ session: AgentSession) async throws {
        guard board.endOrder(order, of: session.id) else { return }
        let now = now()
        try await store.transaction { transaction in
            guard var machine = try await transaction.get(Machine.self, session.machine),
                let setUp = machine.observed.bmcSetUp, setUp.order == order, setUp.failure == nil
            else { return }
            machine.observed.bmcSetUp = nil
            machine.updatedAt = now
            let words: String
            switch result.outcome {
            case .succeeded:
                // The address is what the machine's own report said, too: an agent names no other.
                let address = machine.observed.hardware?.bmc?.address ?? ""
                for former in [machine.desired.bmc?.passwordSecret, machine.desired.bmc?.nextPasswordSecret] {
                    if let former { transaction.delete(Secret.self, former) }
                }
                machine.desired.bmc = .init(
                    address: address, verification: machine.desired.bmc?.verification, username: setUp.username,
                    passwordSecret: setUp.passwordSecret)
                machine.observed.bmc = nil
                machine.generation += 1
                words = "its BMC at \(address) has the user \(setUp.username) for \(setUp.requestedBy)"
            case .refused(let refusal):
                transaction.delete(Secret.self, setUp.passwordSecret)
                words = "its agent refused to make a BMC user: \(refusal)"
                machine.observed.bmcSetUp = setUp.failed(words)
            case .failed(let reason):
                machine.doubt(setUp, in: transaction)
                words = "the user \(setUp.username) was not made in its BMC: \(reason)"
                machine.observed.bmcSetUp = setUp.failed(words)
            }
            try transaction.put(machine)
            try transaction.put(
                Event.now(
                    .machineChanged, machine: machine.id, actor: "agent", "\(machine.name): \(words)",
                    details: ["order": order], at: now))
        }
    }
}

extension Machine {
    /// A set-up ended, and nobody knows how far it came. A user of this name that there was before may have the new password by now: it is
    /// kept beside the former one, and ``BMCService/settlePassword(of:newFirst:)`` finds out. Else it is nobody's.
    fileprivate mutating func doubt(_ setUp: BMCSetUp, in transaction: Transaction) {
        guard let endpoint = desired.bmc, endpoint.username == setUp.username else {
            return transaction.delete(Secret.self, setUp.passwordSecret)
        }
        if let former = endpoint.nextPasswordSecret { transaction.delete(Secret.self, former) }
        desired.bmc?.nextPasswordSecret = setUp.passwordSecret
    }
}

extension Machine.BMCSetUp {
    fileprivate func failed(_ reason: String) -> Self {
        var result = self
        result.failure = reason
        return result
    }
}
