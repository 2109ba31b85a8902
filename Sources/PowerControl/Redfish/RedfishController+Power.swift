import Logging
import Machines
import NIOHTTP1
import Redfish

extension RedfishController {
    public func perform(_ action: PowerAction, on bmc: BMCAccess) async throws -> PowerState {
        try await run(bmc, "power \(action.rawValue)") { session in
            guard let verb = PowerVerb(rawValue: action.rawValue) else {
                throw BMCError.unsupported(bmc, session.doing)
            }
            var system = try await session.system()
            guard let reset = system.reset else {
                throw await session.error(.unsupported, "its system \(system.path) has no action ComputerSystem.Reset")
            }
            let allowed = try await allowedResets(reset, session)
            var plan = try await decide(verb, system, allowed, session)
            if plan.waitsForShutdown {
                try await wait(for: .off, of: system, session, "it is still shutting down")
                system = try await session.again(system)
                plan = try await decide(verb, system, allowed, session)
            }
            logger.info(
                "chassis control",
                metadata: [
                    "bmc.endpoint": "\(bmc)", "action": "\(action)",
                    "resets": "\(plan.ways.first?.map(\.rawValue) ?? [])",
                ])
            if !plan.ways.isEmpty { try await perform(plan, system, reset, session) }
            let complaint = plan.ways.isEmpty ? "on its way there, nothing was sent" : "accepted, but not done"
            try await wait(for: plan.goal, of: system, session, complaint)
            return plan.goal == .on ? .on : .off
        }
    }

    private func allowedResets(_ reset: ServiceAction, _ session: RedfishSession) async throws -> [ResetType]? {
        var values = reset.allowable["ResetType"]
        if values == nil, let info = reset.info {
            // Values beside the action are optional where ActionInfo has them (DMTF/Redfishtool issue 23).
            let answer = try await session.send(.GET, info)
            if answer.isGood { values = ServiceAction.allowable("ResetType", in: answer.json) }
        }
        return values.flatMap { $0.isEmpty ? nil : $0.map(ResetType.init) }
    }

    private func decide(
        _ verb: PowerVerb, _ system: ComputerSystem, _ allowed: [ResetType]?, _ session: RedfishSession
    ) async throws -> PowerPlan {
        if let plan = PowerPlan.decide(verb, from: system.power, allowed: allowed) { return plan }
        let list = (allowed ?? []).map(\.rawValue).joined(separator: ", ")
        throw await session.error(.unsupported, "it takes no reset that would do it, only \(list)")
    }

    private func perform(
        _ plan: PowerPlan, _ system: ComputerSystem, _ reset: ServiceAction, _ session: RedfishSession
    ) async throws {
        var refusal: BMCError?
        ways: for way in plan.ways {
            for (index, type) in way.enumerated() {
                let answer: RedfishSession.Answer
                do {
                    answer = try await session.settled(
                        try await session.act(
                            reset, ["ResetType": .string(type.rawValue)], note: type.rawValue,
                            isRepeatable: PowerPlan.isRepeatable(type)),
                        "the reset \(type.rawValue)")
                } catch let error as BMCError where error.reason == .outcomeUnknown {
                    try await lookAfter(lost: type, system, session)
                    continue
                }
                if !answer.isGood {
                    refusal = await session.refusal(answer, "the reset \(type.rawValue)")
                    // Lists of allowable values lie. What was refused was not done: the next way is open, but not after half of this one. A
                    // service that failed (500) may have done a restart before it did.
                    let wasNotDone =
                        [400, 404, 405, 409, 422, 501].contains(answer.status)
                        || (answer.status == 500 && PowerPlan.isRepeatable(type))
                    guard index == 0, wasNotDone else { break ways }
                    continue ways
                }
                if !PowerPlan.isRepeatable(type) { try await look(for: type, system, session) }
                if index < way.count - 1 {
                    try await wait(
                        for: PowerPlan.goal(of: type), of: system, session, "\(type.rawValue) accepted, but not done")
                }
            }
            return
        }
        if let refusal { throw refusal }
    }

    /// A restart begins a while after its answer, and until then the chassis is on as before: signs of it are looked for, five times. Many
    /// show none.
    private func look(for type: ResetType, _ system: ComputerSystem, _ session: RedfishSession) async throws {
        for _ in 0..<5 {
            guard let now = try? await session.again(system) else { return try Task.checkCancellation() }
            let isSeen = now.power != .on || now.lastReset != system.lastReset
            if isSeen { return }
            try await Task.sleep(for: limits.poll)
        }
    }

    /// What became of a reset whose answer was lost; it is not sent again.
    private func lookAfter(lost type: ResetType, _ system: ComputerSystem, _ session: RedfishSession) async throws {
        let deadline = ContinuousClock.now.advanced(by: session.bmc.settle)
        var hasBeenDown = false
        while true {
            let now = try? await session.again(system)
            try Task.checkCancellation()
            if let now, now.power != .on { hasBeenDown = true }
            let judgement = LostReset.judge(
                type, now: now?.power, hasBeenDown: hasBeenDown, before: system.lastReset, lastReset: now?.lastReset,
                isLate: ContinuousClock.now >= deadline)
            switch judgement {
            case .done: return
            case .looking: try await Task.sleep(for: limits.poll)
            case .unknown:
                throw await session.error(
                    .outcomeUnknown,
                    """
                    the reset \(type.rawValue) was sent once and its answer was lost; the chassis reports \
                    \(now?.power?.rawValue ?? "nothing"), which does not tell whether it was done: look at the machine before a second one
                    """)
            }
        }
    }

    /// Until the system is in a state, in the time that a chassis may take. Its answers are missed meanwhile: some BMCs are busy then.
    private func wait(
        for goal: ChassisPower, of system: ComputerSystem, _ session: RedfishSession, _ complaint: String
    ) async throws {
        let deadline = ContinuousClock.now.advanced(by: session.bmc.settle)
        var last: ChassisPower?
        while true {
            do {
                last = try await session.again(system).power
                if last.state == (goal == .on ? .on : .off) { return }
            } catch let error as BMCError {
                guard error.reason == .silent || error.reason == .refused || error.reason == .nonsense,
                    ContinuousClock.now < deadline
                else { throw error }
            }
            guard ContinuousClock.now < deadline else {
                let found = last?.rawValue ?? "nothing"
                await session.record("GET \(system.path) → PowerState \(found)")
                throw await session.error(
                    .notDone, "\(complaint): the chassis still reports \(found) after \(session.bmc.settle)")
            }
            try await Task.sleep(for: limits.poll)
        }
    }
}
