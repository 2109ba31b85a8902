import Crypto
import FoundationEssentials
import Logging
import Machines
import NetworkAddresses
import Store
import Synchronization

/// Installers that machines start from the network by themselves. Each is told of by one script, and given once, to the address that asked for the script:
/// a second request for a script of the same machine ends that, since one of the two was somebody else's or the machine was restarted.
public final class NetworkStarts: Sendable {
    private struct Told {
        var machine: String
        var order: String
        var address: IPv4Address?
    }

    private struct State {
        /// By machine: what is to be started, and has not been.
        var due: [String: (order: String, kernel: KernelOrder)] = [:]
        /// Orders whose script was given.
        var scripted: Set<String> = []
        var tokens: [String: Told] = [:]

        mutating func forget(_ machine: String) {
            if let former = due.removeValue(forKey: machine) { scripted.remove(former.order) }
            tokens = tokens.filter { $0.value.machine != machine }
        }
    }

    private let state = Mutex(State())
    private let store: any RecordStore
    private let key: SymmetricKey
    private let logger: Logger
    private let now: @Sendable () -> Date

    init(store: any RecordStore, key: SymmetricKey, logger: Logger, now: @escaping @Sendable () -> Date) {
        (self.store, self.key, self.logger, self.now) = (store, key, logger, now)
    }

    /// Takes over what the store says.
    func update(_ start: NetworkStart) {
        guard start.openedAt != nil else { return remove(start.id) }
        do {
            let kernel = try start.kernel(key: key)
            state.withLock { state in
                guard state.due[start.id]?.order != start.order else { return }
                state.forget(start.id)
                state.due[start.id] = (start.order, kernel)
            }
        } catch {
            logger.error(
                "what a machine is to start cannot be read",
                metadata: ["machine.id": "\(start.id)", "error": "\(error)"])
        }
    }

    func remove(_ machine: String) { state.withLock { $0.forget(machine) } }

    /// What the boot program of a machine is told; nil: it boots the agent.
    func script(of machine: String, for client: BootClient) -> InstallerStart? {
        guard client.stage == .ipxe else { return nil }
        return state.withLock { state in
            guard let due = state.due[machine] else { return nil }
            guard state.scripted.insert(due.order).inserted else {
                state.tokens = state.tokens.filter { $0.value.machine != machine }
                return nil
            }
            let token = Credential.random()
            state.tokens[token] = Told(machine: machine, order: due.order, address: client.address)
            return InstallerStart(kernel: due.kernel.kernel.sha256, commandLine: due.kernel.commandLine, token: token)
        }
    }

    /// The initramfs, once, and only as long as the machine waits for it: that it was given is written down before.
    func initrd(_ token: String, for address: IPv4Address?) async -> [InitrdPart]? {
        let found = state.withLock { state -> (Told, KernelOrder)? in
            guard let told = state.tokens[token], told.address == address, let due = state.due[told.machine],
                due.order == told.order
            else { return nil }
            state.tokens[token] = nil
            return (told, due.kernel)
        }
        guard let (told, kernel) = found else { return nil }
        do {
            let isGiven = try await give(told, at: now())
            return isGiven ? kernel.initrdParts : nil
        } catch {
            logger.error(
                "an installer cannot be given", metadata: ["machine.id": "\(told.machine)", "error": "\(error)"])
            return nil
        }
    }

    private func give(_ told: Told, at now: Date) async throws -> Bool {
        try await store.transaction { transaction in
            guard let start = try await transaction.get(NetworkStart.self, told.machine), start.order == told.order,
                let machine = try await transaction.get(Machine.self, told.machine),
                machine.observed.phase == .installing, machine.observed.operation == start.operation,
                var operation = try await transaction.get(Operation.self, start.operation), !operation.isFinished,
                let run = operation.installer, run.isFromNetwork ?? false, run.fetchedAt == nil
            else { return false }
            transaction.delete(NetworkStart.self, told.machine)
            operation.installer?.fetchedAt = now
            try transaction.put(operation)
            try transaction.put(
                Event.now(
                    .installerEntered, machine: told.machine, actor: "boot",
                    "its boot program fetched the installer of \(operation.assignment?.release ?? "the system"), by plain HTTP",
                    details: ["address": told.address.map { "\($0)" } ?? "", "order": told.order], at: now))
            return true
        }
    }
}
