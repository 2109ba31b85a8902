import IPMI
import Logging
import Machines

extension IPMIController {
    public func power(of bmc: BMCAccess) async throws -> PowerState {
        try await session(bmc) { session in try await Self.read(&session) }
    }

    public func perform(_ action: PowerAction, on bmc: BMCAccess) async throws -> PowerState {
        try await session(bmc) { session in
            let doing = "power \(action.rawValue)"
            let clock = ContinuousClock()
            let start = clock.now
            var watch = PowerWatch(action, settle: bmc.settle)
            var refusal: BMCError?
            var looks = 0
            while true {
                let state = try await Self.read(&session)
                switch watch.next(state, elapsed: clock.now - start) {
                case .done: return state
                case .look: break
                case .stuck(let state):
                    if let refusal { throw refusal }
                    throw session.fault(
                        doing, .notDone,
                        "accepted, but the chassis still reports \(state.rawValue) after \(bmc.settle)")
                case .send(let control):
                    logger.info("chassis control", metadata: ["bmc.endpoint": "\(bmc)", "action": "\(action)"])
                    refusal = try await give(control, doing, &session)
                    watch.didSend(control, at: clock.now - start, taken: refusal == nil)
                    looks = 0
                }
                try await Task.sleep(for: times.look(looks))
                looks += 1
            }
        }
    }

    /// Sends a chassis control.
    /// - Returns: a refusal that clears by itself, as of a chassis that is shutting down.
    private func give(_ control: ChassisControl, _ doing: String, _ session: inout OpenSession) async throws
        -> BMCError?
    {
        let request = Request.chassisControl(control)
        var before: [UInt8]?
        if !request.isRepeatable, case (.success, let data) = try await session.ask(.restartCause) { before = data }
        let code: CompletionCode
        do {
            code = try await session.ask(request).0
        } catch let error as BMCError where error.reason == .outcomeUnknown {
            try await look(for: control, before: before, doing, &session)
            return nil
        }
        switch code {
        case .success: return nil
        // It says that it gave up waiting inside, not that nothing was done: as good as no answer.
        case .timeout where !request.isRepeatable:
            try await look(for: control, before: before, doing, &session)
            return nil
        case .notSupportedInState, .nodeBusy, .timeout: return session.refusal(request, code)
        default: throw session.refusal(request, code)
        }
    }

    /// The answer to a cycle or reset is lost: what the chassis reports may still tell.
    private func look(
        for control: ChassisControl, before: [UInt8]?, _ doing: String, _ session: inout OpenSession
    ) async throws {
        for number in 0..<4 {
            if try await Self.read(&session) == .off { return }
            // Another cause of the last start before than now.
            let after = try await session.ask(.restartCause)
            if let before, after.0 == .success, !RestartCause.isCommand(answer: before),
                RestartCause.isCommand(answer: after.1)
            {
                return
            }
            try await Task.sleep(for: times.look(number))
        }
        throw session.fault(
            doing, .outcomeUnknown,
            "sent once, nobody said that it was done, and the chassis does not tell whether it was done; look at the machine before sending it again"
        )
    }

    /// Bit 0 of the current power state (table 28-3).
    static func read(_ session: inout OpenSession) async throws -> PowerState {
        let answer = try await session.send(.chassisStatus)
        return ChassisStatus(answer: answer).map { $0.isOn ? .on : .off } ?? .unknown
    }

    public func setIdentifyLight(_ light: IdentifyLight, on bmc: BMCAccess) async throws {
        try await session(bmc) { session in
            let (request, wanted): (Request, ChassisStatus.Identify) =
                switch light {
                case .off: (.identify(seconds: 0), .off)
                case .briefly: (.identify(seconds: 15), .briefly)
                case .on: (.identifyOn, .on)
                }
            let (code, _) = try await session.ask(request)
            if light == .on, code.isUnsupported {
                throw BMCError(
                    address: bmc.address, doing: request.name, reason: .unsupported,
                    "this BMC has no light that stays on until told otherwise (\(code)); it may have one for a while")
            }
            guard code == .success else { throw session.refusal(request, code) }
            // Whether the state is told at all is the BMC's choice.
            guard let found = ChassisStatus(answer: try await session.send(.chassisStatus))?.identify else { return }
            guard (found == .off) == (wanted == .off) else {
                throw session.fault(
                    request.name, .notDone,
                    "accepted, and the chassis reports the light \(found == .off ? "off" : "on")")
            }
        }
    }
}
