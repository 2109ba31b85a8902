import FoundationEssentials
import Inventory
import Logging
import Machines
import ServiceLifecycle
import Store

/// Brings together what was announced and what arrived: follows both, decides purely, writes what changed, and looks again. What it leaves out when it
/// is killed it finds at the next start.
public struct ExpectationKeeper: Service {
    let store: any RecordStore
    let installation: Installation
    let wakeups: Wakeups
    let logger: Logger
    let now: @Sendable () -> Date
    let book = ExpectationBook()

    public func run() async throws {
        try await cancelWhenGracefulShutdown {
            let machineChanges = try await store.follow(Machine.self) { machines in
                for machine in machines { book.update(machine, id: machine.id) }
            }
            let expectedChanges = try await store.follow(ExpectedMachine.self) { expected in
                for item in expected { book.update(item, name: item.id) }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { for try await change in machineChanges { book.update(change.item, id: change.id) } }
                group.addTask { for try await change in expectedChanges { book.update(change.item, name: change.id) } }
                group.addTask { for await _ in book.wakeups { try await settle() } }
                // Any of them ends only with the daemon, or with an error.
                defer { group.cancelAll() }
                try await group.next()
            }
        }
    }

    /// How many machines are matched at a time: each waits for the store most of the time.
    private static let width = 16

    private func settle() async throws {
        let due = book.takeDue()
        // What is known of announcements follows from the machines.
        var isStuck = false
        for isMachine in [true, false] {
            let subjects = due.filter { $0.isMachine == isMachine }
            isStuck = try await settle(subjects) || isStuck
        }
        guard isStuck else { return }
        try await Task.sleep(for: .seconds(1))
        book.lookAgain()
    }

    /// True when one is to be tried again.
    private func settle(_ subjects: [ExpectationBook.Subject]) async throws -> Bool {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            var isStuck = false
            for (index, subject) in subjects.enumerated() {
                if index >= Self.width { isStuck = try await group.next() ?? false || isStuck }
                group.addTask { try await settle(subject) }
            }
            for try await isOneStuck in group { isStuck = isStuck || isOneStuck }
            return isStuck
        }
    }

    private func settle(_ subject: ExpectationBook.Subject) async throws -> Bool {
        do {
            switch subject {
            case .machine(let id): try await settle(machine: id)
            case .announcement(let name): try await settle(announcement: name)
            }
            return false
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            logger.warning(
                "an expected machine was not matched, will retry",
                metadata: ["subject": "\(subject)", "error": "\(error)"])
            book.put(back: subject)
            return true
        }
    }

    /// Puts down which announcement a machine is, and takes over what was announced.
    private func settle(machine id: String) async throws {
        let verdict = book.verdict(on: id)
        guard verdict != .unexpected || book.isConcerned(machine: id) else { return }
        let isChanged = try await store.transaction { transaction -> Bool in
            guard var machine = try await transaction.get(Machine.self, id) else { return false }
            let before = machine
            if let former = machine.observed.expected, !verdict.is(former.name) {
                try await release(former.name, from: &machine, in: transaction)
            }
            switch verdict {
            case .unexpected: machine.clear(.expected)
            case .matched(let name, let others):
                try await match(&machine, with: name, others: others, in: transaction)
            case .severalAnnouncements(let names):
                try tell(
                    [.severalAnnouncements(names, of: machine.name)], of: &machine, actor: "slipwayd", in: transaction)
            case .severalMachines(let name, let ids):
                try tell(
                    [.severalMachines(ids.map(book.name), fit: name)], of: &machine, actor: "slipwayd", in: transaction)
            case .taken(let name, let holder):
                try tell(
                    [.taken(name, by: book.name(of: holder))], of: &machine, actor: "slipwayd", in: transaction)
            }
            guard machine != before else { return false }
            machine.updatedAt = now()
            try transaction.put(machine)
            return true
        }
        if isChanged { wakeups.wake(id) }
    }

    private func release(_ name: String, from machine: inout Machine, in transaction: Transaction) async throws {
        machine.observed.expected = nil
        guard var expected = try await transaction.get(ExpectedMachine.self, name),
            expected.observed.machine == machine.id
        else { return }
        expected.observed = .init()
        try transaction.put(expected)
    }

    private func match(
        _ machine: inout Machine, with name: String, others: [String], in transaction: Transaction
    ) async throws {
        guard var expected = try await transaction.get(ExpectedMachine.self, name) else { return }
        // The index follows the store: what another machine was matched with meanwhile is not taken from it.
        if let holder = expected.observed.machine, holder != machine.id,
            try await transaction.get(Machine.self, holder)?.observed.expected?.name == name
        {
            return
        }
        let (before, now, formerName) = (expected, now(), machine.name)
        let isNew = machine.observed.expected == nil
        var link = machine.observed.expected ?? .init(name: name, since: now)
        link.name = name
        machine.observed.expected = link
        var mismatches = expected.mismatches(with: machine, isNameFree: book.isFree(name, for: machine.id))
        if !others.isEmpty { mismatches.append(.severalAnnouncements(([name] + others).sorted(), of: machine.name)) }
        let bmc = try await bmc(of: expected, for: machine, mismatches, in: transaction)
        let taken = expected.apply(to: &machine, mismatches: mismatches, bmc: bmc, at: now)
        expected.observed.machine = machine.id
        if expected.observed.matchedAt == nil || expected.observed.machine != before.observed.machine {
            expected.observed.matchedAt = now
        }
        expected.observed.mismatches = mismatches
        if expected != before { try transaction.put(expected) }
        if isNew || !taken.isEmpty {
            let words = taken.isEmpty ? "" : ": " + taken.joined(separator: ", ")
            let verb = mismatches.isEmpty ? "is" : "fits"
            try transaction.put(
                Event.now(
                    .machineChanged, machine: machine.id, actor: expected.actor,
                    "\(formerName): \(verb) the expected machine \(name)\(words)", details: ["expected": name], at: now)
            )
        }
        guard mismatches.isEmpty else {
            // A switch that changes its name makes no event each time.
            let isNews = isNew || before.observed.mismatches.map(\.kind) != mismatches.map(\.kind)
            return try tell(mismatches, of: &machine, actor: expected.actor, isNews: isNews, in: transaction)
        }
        machine.set(.expected, true, "as \(expected.announcedBy) announced \(name)", at: now)
        guard expected.announced.accept, !machine.desired.accepted,
            !machine.observed.phase.isTurnedAway
        else { return }
        // Nobody has looked at this session: leave to change the machine makes it no place for secrets.
        machine.desired.accepted = true
        machine.generation += 1
        try transaction.put(
            Event.now(
                .machineChanged, machine: machine.id, actor: expected.actor, "\(machine.name): accepted",
                details: ["expected": name], at: now))
    }

    /// The machine's BMC from now on, with its password sealed for the machine; nil: none is to be taken over.
    private func bmc(
        of expected: ExpectedMachine, for machine: Machine, _ mismatches: [ExpectationMismatch],
        in transaction: Transaction
    ) async throws -> Machine.BMCEndpoint? {
        guard let bmc = expected.announced.bmc, let username = bmc.username, expected.mayReplaceBMC(of: machine),
            expected.isToBeApplied(to: machine, mismatches), let id = expected.passwordSecret,
            let kept = try await transaction.get(Secret.self, id)
        else { return nil }
        guard let password = try? kept.open(with: installation.secretKey) else {
            logger.warning(
                "the BMC password of an expected machine was sealed with another key; announce it again",
                metadata: ["expected": "\(expected.id)"])
            return nil
        }
        let setting = BMCSetting(
            .init(
                address: "\(bmc.address)", port: bmc.port, kind: bmc.kind.flatMap { BMCKind(rawValue: $0.rawValue) },
                username: username), password: password)
        return try machine.sealed(setting, key: installation.secretKey, in: transaction)
    }

    /// The machine is not as announced, or nobody can tell: a person looks.
    private func tell(
        _ mismatches: [ExpectationMismatch], of machine: inout Machine, actor: String, isNews: Bool? = nil,
        in transaction: Transaction
    ) throws {
        let words = mismatches.map(\.description).joined(separator: "; ")
        let former = machine.condition(.expected)
        machine.set(.expected, false, words, at: now())
        guard isNews ?? (former?.status != false || former?.reason != words) else { return }
        try transaction.put(
            Event.now(
                .problem, machine: machine.id, actor: actor, "\(machine.name): not as announced: \(words)",
                details: ["problem": Event.Problem.expectationMismatch.rawValue], at: now()))
    }

    /// Puts down why no machine is the announced one, where some might be.
    private func settle(announcement name: String) async throws {
        let fitting = book.machines(fitting: name)
        try await store.transaction { transaction in
            guard var expected = try await transaction.get(ExpectedMachine.self, name) else { return }
            let before = expected
            if let holder = expected.observed.machine {
                let machine = try await transaction.get(Machine.self, holder)
                guard machine?.observed.expected?.name != name else { return }
            }
            expected.observed = .init()
            if fitting.count > 1 {
                expected.observed.mismatches = [.severalMachines(fitting.map(book.name), fit: name)]
            } else if let id = fitting.first, case .severalAnnouncements(let names) = book.verdict(on: id) {
                expected.observed.mismatches = [.severalAnnouncements(names, of: book.name(of: id))]
            }
            if expected != before { try transaction.put(expected) }
        }
    }
}

extension ExpectationMatcher.Verdict {
    /// It is matched with this announcement.
    fileprivate func `is`(_ expected: String) -> Bool {
        if case .matched(expected, _) = self { true } else { false }
    }
}

extension ExpectationMismatch {
    fileprivate static func severalAnnouncements(_ names: [String], of machine: String) -> Self {
        ambiguous("\(machine) fits \(list(names)): withdraw or mend the wrong announcement")
    }

    fileprivate static func severalMachines(_ machines: [String], fit name: String) -> Self {
        ambiguous("\(list(machines)) fit \(name): announce its MACs as well as its serial, or look which one it is")
    }

    fileprivate static func taken(_ name: String, by machine: String) -> Self {
        ambiguous("it looks like the expected machine \(name), which is \(machine) already")
    }

    private static func ambiguous(_ words: String) -> Self { .init(.ambiguous, announced: "one machine", found: words) }

    private static func list(_ names: [String]) -> String {
        let shown = names.prefix(4)
        guard names.count <= 4 else { return shown.joined(separator: ", ") + " and \(names.count - 4) more" }
        return
            (names.count > 2
            ? shown.dropLast().joined(separator: ", ") + " and " + (names.last ?? "")
            : shown.joined(separator: " and "))
    }
}
