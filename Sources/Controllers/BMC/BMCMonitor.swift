import FoundationEssentials
import Logging
import Machines
import ServiceLifecycle
import Store

/// Looks at every machine's BMC now and then: whether it answers, and what it says of the power. Only changes are written.
public struct BMCMonitor: Service {
    let store: any RecordStore
    let bmcs: BMCService
    let logger: Logger
    let now: @Sendable () -> Date

    private enum Message: Sendable {
        case machine(id: String, Machine.BMCEndpoint?)
        case finished(id: String, PollBoard.Outcome)
        case tick
    }

    public func run() async throws {
        try await cancelWhenGracefulShutdown {
            try await withThrowingDiscardingTaskGroup { group in
                let (messages, inbox) = AsyncStream.makeStream(of: Message.self)
                group.addTask { try await watch(inbox) }
                group.addTask {
                    while !Task.isCancelled {
                        try await Task.sleep(for: .seconds(1))
                        inbox.yield(.tick)
                    }
                }
                var board = PollBoard()
                for await message in messages {
                    let (now, jitter) = (now(), Double.random(in: 0...1))
                    switch message {
                    case .machine(let id, let endpoint): board.note(endpoint, of: id, now: now, jitter: jitter)
                    case .finished(let id, let outcome): board.finish(id, outcome, now: now, jitter: jitter)
                    case .tick:
                        for id in board.start(now: now) {
                            group.addTask { inbox.yield(.finished(id: id, await look(id))) }
                        }
                    }
                }
            }
        }
    }

    private func watch(_ inbox: AsyncStream<Message>.Continuation) async throws {
        let changes = try await store.follow(Machine.self) { machines in
            for machine in machines { inbox.yield(.machine(id: machine.id, machine.desired.bmc)) }
        }
        for try await change in changes {
            inbox.yield(.machine(id: change.id, change.item?.desired.bmc))
        }
    }

    private func look(_ id: String) async -> PollBoard.Outcome {
        do {
            if try await bmcs.machine(id).desired.bmc?.nextPasswordSecret != nil {
                try await bmcs.settlePassword(of: id)
            }
            let access = try await bmcs.access(to: id)
            // A BMC that turned out to be none of both is not asked again until it is named anew.
            guard access.kind.isController else { return .refused }
            let power = try await bmcs.controller.power(of: access)
            try await note(id, power: power, isReachable: true, "answers by \(access.kind.rawValue)")
            return .answered
        } catch is CancellationError {
            return .failed
        } catch let error as BMCError where error.reason == .busy {
            // Others talk to it: it is there.
            return .answered
        } catch {
            let cause = (error as? BMCError)?.reason
            do {
                try await note(
                    id, power: .unknown, isReachable: false, isDisbelieved: cause == .certificate, "\(error)")
            } catch {
                logger.warning("a BMC's state was not kept", metadata: ["machine.id": "\(id)", "error": "\(error)"])
            }
            return cause == .credentials ? .refused : .failed
        }
    }

    private func note(
        _ id: String, power: PowerState, isReachable: Bool, isDisbelieved: Bool = false, _ reason: String
    ) async throws {
        let now = now()
        try await store.transaction { transaction in
            guard var machine = try await transaction.get(Machine.self, id) else { return }
            let before = machine.observed
            // A BMC that is not there says nothing of the power: what was seen last stays.
            if isReachable, power != .unknown { machine.observed.power = power }
            let former = machine.condition(.bmcReachable)
            // The words of a failure differ from time to time: the first ones stay.
            if former?.status != isReachable { machine.set(.bmcReachable, isReachable, reason, at: now) }
            if isReachable { machine.clear(.bmcTrusted) }
            if isDisbelieved, machine.condition(.bmcTrusted) == nil { machine.set(.bmcTrusted, false, reason, at: now) }
            guard machine.observed != before else { return }
            machine.updatedAt = now
            try transaction.put(machine)
            if former?.status ?? true, !isReachable {
                try transaction.put(
                    Event.now(
                        .problem, machine: id, actor: "slipwayd", "\(machine.name): \(reason)",
                        details: ["problem": "bmc-unreachable"], at: now))
            } else if former?.status == false, isReachable {
                try transaction.put(
                    Event.now(
                        .machineChanged, machine: id, actor: "slipwayd", "\(machine.name): its BMC \(reason) again",
                        at: now))
            }
        }
    }
}
