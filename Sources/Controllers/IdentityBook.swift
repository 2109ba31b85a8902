import Inventory
import Machines
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

    var resolver: IdentityResolver { state.withLock { $0.resolver } }
}
