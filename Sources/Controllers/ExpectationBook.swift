import Inventory
import Machines
import NetworkAddresses
import Synchronization

/// What was announced and what arrived, from memory, and what of it is to be looked at anew.
final class ExpectationBook: Sendable {
    /// What of a machine decides about its announcement.
    struct Face: Equatable {
        var arrival: ExpectationMatcher.Arrival?
        var name: String
        var profile: String?
        var bmcAddress: String?
        var switchPorts: [SwitchPort]
        var hostname: String?
        var location: Location?
        var bmc: Machine.BMCEndpoint?
        var isAccepted: Bool
        var mayBeRenamed: Bool
        var isTurnedAway: Bool
        var expected: Machine.Expected?
        /// Something is said of it that is to be taken back when no announcement is about it.
        var isConcerned: Bool

        init(_ machine: Machine) {
            arrival = .init(machine)
            (name, profile) = (machine.name, machine.observed.profile)
            isConcerned = machine.observed.expected != nil || machine.condition(.expected) != nil
            bmcAddress = machine.observed.hardware?.bmc?.address
            switchPorts = machine.observed.hardware?.switchPorts ?? []
            let (desired, phase) = (machine.desired, machine.observed.phase)
            (hostname, location, bmc) = (desired.hostname, desired.location, desired.bmc)
            (isAccepted, expected) = (desired.accepted, machine.observed.expected)
            (mayBeRenamed, isTurnedAway) = (phase.mayBeRenamed, phase.isTurnedAway)
        }
    }

    /// A machine or an announcement that is to be looked at.
    enum Subject: Hashable {
        case machine(String), announcement(String)

        var isMachine: Bool { if case .machine = self { true } else { false } }
    }

    fileprivate struct State {
        var matcher = ExpectationMatcher()
        var faces: [String: Face] = [:]
        var machinesByName: [String: Set<String>] = [:]
        var expected: [String: ExpectedMachine] = [:]
        var due: Set<Subject> = []
    }

    private let state = Mutex(State())
    private let wake: AsyncStream<Void>.Continuation
    /// One for any number of changes.
    let wakeups: AsyncStream<Void>

    init() { (wakeups, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1)) }

    /// - Parameter machine: nil when it was removed.
    func update(_ machine: Machine?, id: String) {
        let face = machine.map(Face.init)
        let isNews = state.withLock { state in
            let former = state.faces[id]
            guard former != face else { return false }
            state.due.insert(.machine(id))
            state.faces[id] = face
            if former?.arrival != face?.arrival || former?.expected?.name != face?.expected?.name {
                state.markAround(machine: id)
                state.matcher.update(face?.arrival, id: id)
                state.markAround(machine: id)
            }
            guard former?.name != face?.name else { return true }
            // Who waits for a name looks whether it is free.
            for name in [former?.name, face?.name].compactMap({ $0 }) {
                if let holder = state.expected[name]?.observed.machine { state.due.insert(.machine(holder)) }
            }
            if let former { state.machinesByName[former.name]?.remove(id) }
            if let face { state.machinesByName[face.name, default: []].insert(id) }
            return true
        }
        if isNews { wake.yield() }
    }

    /// - Parameter expected: nil when it was withdrawn.
    func update(_ expected: ExpectedMachine?, name: String) {
        let isNews = state.withLock { state in
            let former = state.expected[name]
            guard former != expected else { return false }
            state.due.insert(.announcement(name))
            state.markAround(announcement: name)
            state.expected[name] = expected
            state.matcher.update(expected.map { ExpectationMatcher.Claim($0) }, name: name)
            state.markAround(announcement: name)
            for holder in [former?.observed.machine, expected?.observed.machine].compactMap({ $0 }) {
                state.due.insert(.machine(holder))
            }
            return true
        }
        if isNews { wake.yield() }
    }

    /// What is to be looked at, machines first.
    func takeDue() -> [Subject] {
        state.withLock { state in
            defer { state.due = [] }
            return state.due.sorted { $0.order < $1.order }
        }
    }

    /// What was put back is taken up again.
    func lookAgain() { wake.yield() }

    /// To be looked at again.
    func put(back subject: Subject) { state.withLock { _ = $0.due.insert(subject) } }

    func verdict(on machine: String) -> ExpectationMatcher.Verdict {
        state.withLock { $0.matcher.verdict(on: machine) }
    }

    func isConcerned(machine id: String) -> Bool { state.withLock { $0.faces[id]?.isConcerned ?? false } }

    func machines(fitting name: String) -> [String] { state.withLock { $0.matcher.machines(fitting: name) } }

    /// No machine but this one has the name.
    func isFree(_ name: String, for machine: String) -> Bool {
        state.withLock { $0.machinesByName[name, default: []].subtracting([machine]).isEmpty }
    }

    /// A machine's name for people.
    func name(of machine: String) -> String { state.withLock { $0.faces[machine]?.name ?? machine } }
}

extension ExpectationBook.State {
    /// What another look at a machine may change.
    fileprivate mutating func markAround(machine id: String) {
        for name in matcher.names(fitting: id) {
            due.insert(.announcement(name))
            markAround(announcement: name)
        }
    }

    fileprivate mutating func markAround(announcement name: String) {
        for id in matcher.machines(fitting: name) { due.insert(.machine(id)) }
    }
}

extension ExpectationBook.Subject {
    fileprivate var order: String {
        switch self {
        case .machine(let id): "0 " + id
        case .announcement(let name): "1 " + name
        }
    }
}
