import Crypto
import FoundationEssentials
import Inventory
import Machines
import NetworkAddresses
import Store

/// What staff announce before it arrives.
public struct ExpectationService: Sendable {
    let store: any RecordStore
    let installation: Installation
    let profiles: ProfileBook
    let now: @Sendable () -> Date

    /// Machines that may be announced at once, and in all.
    public static let limit = 10_000

    /// An announcement, and the password of its BMC, which goes into the secret store; nil keeps the one that is there.
    public struct Announced: Sendable {
        public var machine: MachineAnnouncement
        public var bmcPassword: String?

        public init(_ machine: MachineAnnouncement, bmcPassword: String? = nil) {
            (self.machine, self.bmcPassword) = (machine, bmcPassword)
        }
    }

    /// Names, in the order in which they were announced.
    public struct Outcome: Sendable, Equatable {
        public var created: [String] = []
        public var changed: [String] = []
        public var unchanged: [String] = []
    }

    /// Announces machines, all or none. The same again changes nothing.
    /// - Parameter isTrial: only says what would become of it.
    /// - Throws: ``ServiceError`` `invalid` or `conflict`, with the entry in its field.
    public func announce(_ list: [Announced], isTrial: Bool, by actor: String) async throws -> Outcome {
        guard !list.isEmpty, list.count <= Self.limit else {
            throw ServiceError(
                .invalid, "1 to \(Self.limit) machines are announced at once, not \(list.count)", field: "items")
        }
        for (index, item) in list.enumerated() { try check(item, index) }
        try await checkTogether(list.map(\.machine))
        let now = now()
        return try await store.transaction { transaction in
            var outcome = Outcome()
            for (index, item) in list.enumerated() {
                let name = item.machine.name
                let known = try await transaction.get(ExpectedMachine.self, name)
                let secret = try await secret(of: item, index, known, in: transaction)
                guard var expected = known else {
                    outcome.created.append(name)
                    try transaction.put(
                        ExpectedMachine(item.machine, passwordSecret: secret.id, by: actor, at: now))
                    continue
                }
                guard expected.announced != item.machine || secret.isNew || secret.id != expected.passwordSecret else {
                    outcome.unchanged.append(name)
                    continue
                }
                outcome.changed.append(name)
                if secret.isNew || expected.announced.bmc != item.machine.bmc { expected.bmcChangedAt = now }
                (expected.announced, expected.passwordSecret) = (item.machine, secret.id)
                (expected.announcedBy, expected.updatedAt) = (actor, now)
                try transaction.put(expected)
            }
            let told = outcome.created + outcome.changed
            if !told.isEmpty {
                try transaction.put(
                    Event.now(
                        .resourceChanged, machine: nil, actor: actor,
                        "expected machines announced: \(Self.list(told))",
                        details: [
                            "created": "\(outcome.created.count)", "changed": "\(outcome.changed.count)",
                            "unchanged": "\(outcome.unchanged.count)",
                        ], at: now))
            }
            if isTrial { transaction.abandon() }
            return outcome
        }
    }

    /// Takes announcements back, all or none. A machine that one was matched with keeps what it was given.
    public func withdraw(_ names: [String], by actor: String) async throws {
        let now = now()
        let names = Set(names).sorted()
        try await store.transaction { transaction in
            for name in names {
                guard let expected = try await transaction.get(ExpectedMachine.self, name) else {
                    throw ServiceError(
                        .notFound,
                        "no machine \(name.debugDescription) is expected; see `slipway machine expect status`")
                }
                if let secret = expected.passwordSecret { transaction.delete(Secret.self, secret) }
                transaction.delete(ExpectedMachine.self, name)
            }
            try transaction.put(
                Event.now(
                    .resourceChanged, machine: nil, actor: actor,
                    "expected machines withdrawn: \(Self.list(names))", at: now))
        }
    }

    private static func list(_ names: [String]) -> String {
        names.prefix(20).joined(separator: ", ") + (names.count > 20 ? " and \(names.count - 20) more" : "")
    }

    private func check(_ item: Announced, _ index: Int) throws {
        let machine = item.machine
        if let fault = machine.faults.first {
            throw ServiceError(
                .invalid, "\(machine.name): \(fault.field.rawValue): \(fault.reason)",
                field: "items.\(index).\(fault.field.rawValue)")
        }
        if let profile = machine.profile, profiles.profile(named: profile) == nil {
            throw ServiceError(
                .invalid, "\(machine.name): no hardware profile is called \(profile); see `slipway profile list`",
                field: "items.\(index).profile")
        }
        guard let password = item.bmcPassword else { return }
        guard machine.bmc?.username != nil else {
            throw ServiceError(
                .invalid, "\(machine.name): a BMC's password goes with its address and user",
                field: "items.\(index).bmc")
        }
        // IPMI has 20 bytes, Redfish services up to 255.
        guard (1...255).contains(password.utf8.count) else {
            throw ServiceError(
                .invalid, "\(machine.name): a BMC's password is 1 to 255 bytes", field: "items.\(index).bmcPassword")
        }
    }

    /// Nothing that tells a machine is in two announcements, those that are known included.
    private func checkTogether(_ machines: [MachineAnnouncement]) async throws {
        let names = Set(machines.map(\.name))
        let known = try await store.list(ExpectedMachine.self).items.filter { !names.contains($0.id) }
        guard known.count + machines.count <= Self.limit else {
            throw ServiceError(
                .conflict,
                "\(known.count) machines are expected already; at most \(Self.limit) are in all: withdraw some")
        }
        let all = known.map(\.announced) + machines
        guard let clash = AnnouncementClash.all(in: all).first(where: { $0.second >= known.count }) else { return }
        let field = "items.\(clash.second - known.count).\(clash.field.rawValue)"
        let (first, second) = (all[clash.first].name, all[clash.second].name)
        guard clash.first < known.count else {
            throw ServiceError(.invalid, "\(clash.words) is announced twice, for \(first) and \(second)", field: field)
        }
        throw ServiceError(
            .conflict,
            "\(second): \(clash.words) is announced for \(first) already; if that is over: `slipway machine expect withdraw \(first)`",
            field: field)
    }

    /// Seals the password, unless it is the one that is there.
    private func secret(
        of item: Announced, _ index: Int, _ known: ExpectedMachine?, in transaction: Transaction
    ) async throws -> (id: String?, isNew: Bool) {
        let id = ExpectedMachine.secretID(item.machine.name)
        let kept = try await transaction.get(Secret.self, id)
        guard item.machine.bmc?.username != nil else {
            if kept != nil { transaction.delete(Secret.self, id) }
            return (nil, false)
        }
        guard let password = item.bmcPassword else {
            guard kept != nil, known != nil else {
                throw ServiceError(
                    .invalid,
                    "\(item.machine.name): the BMC's user has no password, and none is kept of an earlier announcement",
                    field: "items.\(index).bmcPassword")
            }
            return (id, false)
        }
        // One that was sealed with another installation's key is replaced.
        if let kept, let former = try? kept.open(with: installation.secretKey), former == password {
            return (id, false)
        }
        try transaction.put(try Secret(id: id, text: password, key: installation.secretKey))
        return (id, true)
    }
}
