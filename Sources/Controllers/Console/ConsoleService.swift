import FoundationEssentials
import Logging
import Machines
import ServiceLifecycle
import Store

/// Keeps the consoles open that ``ConsoleHub`` wants, and writes recordings down.
public struct ConsoleService: Service {
    let store: any RecordStore
    let bmcs: BMCService
    let hub: ConsoleHub
    let logger: Logger
    let now: @Sendable () -> Date

    /// Seconds between two tries to open a console that was lost.
    private static let rests = [2.0, 5, 15, 30]
    /// How long one waits that found all turns taken.
    private static let turnRest: Duration = .seconds(3)
    /// Seconds between two writes of a recording that goes on.
    private static let saving: Duration = .seconds(15)

    private struct Unwanted: Error {}

    public func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                for await machine in hub.demands { group.addTask { await serve(machine) } }
            }
        }
    }

    private func serve(_ machine: String) async {
        var failures = 0
        var end: String?
        while end == nil, !Task.isCancelled {
            await save(machine, ending: !hub.isWanted(machine, at: now()))
            guard hub.isWanted(machine, at: now()) else {
                if hub.end(machine, at: now(), because: nil) { return }
                continue
            }
            let began = ContinuousClock.now
            do {
                guard hub.takeTurn(machine) else {
                    try await Task.sleep(for: Self.turnRest)
                    continue
                }
                defer { hub.closed(machine) }
                // Only now: thousands may wait for a turn.
                guard try await mayOpen(machine) else {
                    end = ""
                    continue
                }
                try await open(machine)
            } catch is Unwanted {
                continue
            } catch let error as BMCError where [.unsupported, .credentials, .certificate].contains(error.reason) {
                end = "\(error)"
            } catch let error as ServiceError {
                end = "\(error)"
            } catch {
                hub.publish(.note("the console is lost: \(error); trying again"), of: machine, at: now())
                failures = ContinuousClock.now - began > .seconds(60) ? 0 : failures + 1
                let rest = Self.rests[min(failures, Self.rests.count - 1)] * Double.random(in: 0.8...1.2)
                try? await Task.sleep(for: .seconds(rest))
            }
        }
        if let end, !end.isEmpty {
            logger.notice("no console", metadata: ["machine.id": "\(machine)", "reason": "\(end)"])
        }
        await save(machine, ending: true)
        _ = hub.end(machine, at: now(), because: end ?? "slipwayd stops")
    }

    /// A recording alone does not open the console of a machine that has no BMC, or whose console is not to be recorded.
    private func mayOpen(_ machine: String) async throws -> Bool {
        if hub.hasViewers(machine) { return true }
        guard let bmc = try await store.get(Machine.self, machine)?.desired.bmc else { return false }
        return (bmc.kind?.isController ?? true) && bmc.recordsConsole ?? true
    }

    /// Opens the console and serves it. Throws when it is lost, or nobody wants it.
    private func open(_ machine: String) async throws {
        let access = try await bmcs.access(to: machine)
        let hub = hub
        let now = now
        try await bmcs.controller.withConsole(of: access, takingOver: hub.takesOver(machine)) { console in
            let input = hub.opened(machine)
            hub.publish(.note("console open"), of: machine, at: now())
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for try await bytes in console.output { hub.publish(.bytes(bytes), of: machine, at: now()) }
                    throw BMCError(
                        address: access.address, doing: "serial console", reason: .refused, "the BMC ended it")
                }
                group.addTask {
                    for await input in input {
                        switch input {
                        case .bytes(let bytes): try await console.send(bytes)
                        case .serialBreak: try await console.sendBreak()
                        }
                    }
                }
                group.addTask { try await tend(machine) }
                defer { group.cancelAll() }
                try await group.next()
            }
        }
    }

    /// Saves now and then, and ends when nobody wants the console any more.
    private func tend(_ machine: String) async throws {
        var saved = ContinuousClock.now
        while hub.isWanted(machine, at: now()) {
            try await Task.sleep(for: .seconds(1))
            guard ContinuousClock.now - saved >= Self.saving else { continue }
            saved = ContinuousClock.now
            await save(machine, ending: false)
            if let phase = try await store.get(Machine.self, machine)?.observed.phase,
                [.installing, .joining, .wiping].contains(phase)
            {
                hub.extend(machine, at: now())
            }
        }
        throw Unwanted()
    }

    /// Writes what was recorded, and forgets the machine's oldest recordings.
    private func save(_ machine: String, ending: Bool) async {
        let unsaved = hub.takeUnsaved(machine, ending: ending, at: now()).suffix(ConsoleRecording.kept)
        guard !unsaved.isEmpty else { return }
        do {
            let ids = Set(unsaved.map(\.id))
            let others = try await recordings(of: machine).filter { !ids.contains($0.id) }
            let surplus = others.dropLast(max(0, ConsoleRecording.kept - unsaved.count))
            try await store.transaction { transaction in
                for recording in unsaved {
                    // Read, so that the write replaces what was saved before.
                    _ = try await transaction.get(ConsoleRecording.self, recording.id)
                    try transaction.put(recording)
                }
                for old in surplus { transaction.delete(ConsoleRecording.self, old.id) }
            }
        } catch {
            logger.warning("a console was not written", metadata: ["machine.id": "\(machine)", "error": "\(error)"])
        }
    }

    /// What was kept of a machine's console, the newest last; of one that goes on what was written last.
    public func recordings(of machine: String) async throws -> [ConsoleRecording] {
        try await store.list(ConsoleRecording.self, prefix: ConsoleRecording.prefix(of: machine))
    }
}
