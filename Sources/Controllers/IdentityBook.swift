import Inventory
import Machines
import NetworkAddresses
import Synchronization

/// Who is who, from memory: the identities of all machines, as the store has them.
public final class IdentityBook: Sendable {
    private struct State {
        var known: [String: IdentityResolver.Known] = [:]
        var resolver = IdentityResolver()
    }

    private let state = Mutex(State())

    public init() {}

    func update(_ machine: Machine) {
        let known = IdentityResolver.Known(
            id: machine.id, identity: machine.identity, isQuestioned: machine.observed.question != nil)
        state.withLock { state in
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
        }
    }

    /// Machines made for this NIC that nobody has told apart yet.
    func questions(raisedBy mac: MACAddress) -> Int {
        let id = SessionOpening.id(of: mac)
        return state.withLock { state in
            state.known.values.count { $0.isQuestioned && $0.id.hasPrefix(id) }
        }
    }

    var resolver: IdentityResolver { state.withLock { $0.resolver } }
}
