import FoundationEssentials
import Logging
import Machines
import ServiceLifecycle
import Store

/// Takes every machine along its lifecycle: looks, decides purely, does one thing, looks again.
public struct Reconciler: Service {
    let store: any RecordStore
    let stepper: Stepper
    let board: SessionBoard
    let wakeups: Wakeups
    let logger: Logger
    let now: @Sendable () -> Date
    /// A settling takes 80 KiB while it is under way: ten thousand at once, as when all machines are asked for at once, would take most of a gigabyte
    /// and end no sooner. Enough for a rack row of BMCs that answer nothing.
    private let places = Places(1000)

    init(
        store: any RecordStore, stepper: Stepper, board: SessionBoard, wakeups: Wakeups, logger: Logger,
        now: @escaping @Sendable () -> Date
    ) {
        (self.store, self.stepper, self.board, self.wakeups) = (store, stepper, board, wakeups)
        (self.logger, self.now) = (logger, now)
    }

    public func run() async throws {
        try await cancelWhenGracefulShutdown {
            try await withThrowingDiscardingTaskGroup { group in
                group.addTask { try await tickEverySecond() }
                try await stepper.desk.load(store)
                var tended: Set<String> = []
                let changes = try await store.follow(Machine.self) { machines in
                    for machine in machines where tended.insert(machine.id).inserted {
                        group.addTask { await tend(machine.id) }
                    }
                }
                for try await change in changes {
                    if change.isDeletion {
                        tended.remove(change.id)
                        wakeups.end(change.id)
                    } else if tended.insert(change.id).inserted {
                        group.addTask { await tend(change.id) }
                    } else {
                        wakeups.wake(change.id)
                    }
                }
            }
        }
    }

    private func tickEverySecond() async throws {
        while !Task.isCancelled {
            try await Task.sleep(for: .seconds(1))
            wakeups.tick(now())
        }
    }

    /// One child task per machine, so a slow BMC delays only itself.
    private func tend(_ id: String) async {
        var failures = 0
        for await _ in wakeups.stream(for: id) {
            do {
                // A task of its own: one keeps all the memory that it ever had on its stack, here 80 KiB for each machine.
                let (due, silence) = try await places.withPlace {
                    async let rest = settle(id)
                    return try await rest
                }
                wakeups.wake(id, at: due, whenSilent: silence)
                failures = 0
            } catch is CancellationError {
                return
            } catch {
                failures += 1
                let delay = min(300, Double(1 << min(failures, 8))) * Double.random(in: 0.8...1.2)
                logger.warning(
                    "step failed, will retry",
                    metadata: ["machine.id": "\(id)", "error": "\(error)", "retry.seconds": "\(Int(delay))"])
                wakeups.wake(id, at: now().addingTimeInterval(delay))
            }
        }
    }

    /// - Returns: when to look again at the latest, and when its agent is silent.
    private func settle(_ id: String) async throws -> (due: Date?, silence: Wakeups.Silence?) {
        let due = try await stepper.settle(id)
        guard let session = try await store.get(Machine.self, id)?.observed.session,
            let session = try await store.get(AgentSession.self, session), board.isLive(session, at: now())
        else { return (due, nil) }
        return (due, { [board] in board.expiry(of: session) })
    }
}
