import Inventory
import Machines
import NetworkAddresses
import Synchronization

/// Who is who, from memory: the identities of all machines, as the store has them.
public final class IdentityBook: Sendable {
    private struct State {
        var known: [String: IdentityResolver.Known] = [:]
        var resolver = IdentityResolver()
        /// What people call each machine, and whom they mean by it.
        var words: [String: Set<String>] = [:]
        var machines: [String: Set<String>] = [:]
        var names: [String: String] = [:]

        mutating func note(_ words: Set<String>, of machine: String) {
            let former = self.words[machine] ?? []
            guard former != words else { return }
            for word in former.subtracting(words) {
                machines[word]?.remove(machine)
                if machines[word]?.isEmpty ?? false { machines[word] = nil }
            }
            for word in words { machines[word, default: []].insert(machine) }
            self.words[machine] = words.isEmpty ? nil : words
        }
    }

    private let state = Mutex(State())

    public init() {}

    func update(_ machine: Machine) {
        let known = IdentityResolver.Known(
            id: machine.id, identity: machine.identity, isQuestioned: machine.observed.question != nil)
        let words = machine.words
        state.withLock { state in
            state.note(words, of: machine.id)
            state.names[machine.id] = machine.name
            // Most changes of a machine are none of its identity.
            guard
                state.known[machine.id]?.identity != known.identity
                    || state.known[machine.id]?.isQuestioned != known.isQuestioned
            else { return }
            state.known[machine.id] = known
            state.resolver.update(known)
        }
    }

    func remove(_ machine: String) {
        state.withLock { state in
            if state.known.removeValue(forKey: machine) != nil { state.resolver.remove(machine) }
            state.note([], of: machine)
            state.names[machine] = nil
        }
    }

    /// Machines made for this NIC that nobody has told apart yet.
    func questions(raisedBy mac: MACAddress) -> Int {
        let id = SessionOpening.id(of: mac)
        return state.withLock { state in
            state.known.values.count { $0.isQuestioned && $0.id.hasPrefix(id) }
        }
    }

    /// The name of a machine, as far as the book has heard.
    func name(of machine: String) -> String? { state.withLock { $0.names[machine] } }

    /// Ids of the machines with this name, MAC, serial number or static address. The book follows the store: it may not have heard of the newest yet.
    func machines(called word: String) -> Set<String> { state.withLock { $0.machines[word] ?? [] } }

    /// See ``IdentityResolver/resolve(_:)``. Asked here, and not given away: a copy would be one of everything with the next change.
    func resolve(_ identity: MachineIdentity) -> IdentityResolver.Verdict {
        state.withLock { $0.resolver.resolve(identity) }
    }

    func compare(_ one: MachineIdentity, _ other: MachineIdentity) -> IdentityComparison {
        state.withLock { $0.resolver.compare(one, other) }
    }
}

extension Machine {
    /// What people may call it, beside its id.
    fileprivate var words: Set<String> {
        Set(
            [name, observed.hardware?.facts.serial].compactMap { $0 } + observed.macs.map(\.description)
                + (desired.network?.addresses.map(\.description) ?? []))
    }
}
