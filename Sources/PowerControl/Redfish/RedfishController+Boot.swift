import Machines
import Redfish

extension RedfishController {
    public func bootOnce(from device: BootDevice, uefi: Bool, on bmc: BMCAccess) async throws -> BootOverride {
        try await run(bmc, "boot once from \(device.rawValue)") { session in
            let system = try await session.system()
            guard let offered = system.boot, let target = BootTarget(rawValue: device.rawValue) else {
                throw await session.error(.unsupported, "its system \(system.path) has no boot override")
            }
            guard let plan = BootPlan.decide(target, uefi: uefi, offered: offered) else {
                let list = (offered.targets ?? []).joined(separator: ", ")
                throw await session.error(.unsupported, "it boots once from \(list) only")
            }
            return try await set(plan, system, session)
        }
    }

    private func set(_ plan: BootPlan, _ system: ComputerSystem, _ session: RedfishSession) async throws -> BootOverride
    {
        let deadline = ContinuousClock.now.advanced(by: session.bmc.settle)
        var (path, withMode, tries) = (system.path, true, 0)
        while true {
            let note = "\(plan.target) Once\(withMode ? plan.mode.map { " \($0)" } ?? "" : "")"
            let answer = try await session.patch(path, plan.body(withMode: withMode), note: note)
            guard answer.isGood else {
                switch BootRefusal.judge(status: answer.status, answer.messages) {
                case .useSettings where path == system.path:
                    path = system.settings ?? ResourcePath(system.path.rawValue + "/SD") ?? path
                case .leaveOutMode where withMode && plan.mode != nil: withMode = false
                case .waitAndRepeat where ContinuousClock.now < deadline:
                    try await Task.sleep(for: min(answer.retryAfter ?? limits.poll, limits.retryAfter))
                default: throw await session.refusal(answer, "the boot override")
                }
                continue
            }
            _ = try await session.settled(answer, "the boot override")
            switch try await readBack(plan, [path, system.path], session) {
            case .asAsked: return .confirmed
            case .silent: return .unverifiable
            case .lasting:
                // The next boot is as asked; that the one after it is so too is not what was asked.
                return .unverifiable
            case .differs(let faults):
                tries += 1
                await session.record("GET \(path) → \(faults)")
                guard tries < limits.bootTries else {
                    throw await session.error(
                        .notDone,
                        "it accepted the boot override \(tries) times, and when read back \(faults): the BMC's fault")
                }
                try await Task.sleep(for: limits.poll)
            }
        }
    }

    /// Twice, a while apart: some show what they were sent before they drop it. A setting that is found in the settings resource is as good
    /// as one of the system itself.
    private func readBack(_ plan: BootPlan, _ paths: [ResourcePath], _ session: RedfishSession) async throws
        -> BootPlan.Result
    {
        var result = BootPlan.Result.silent
        for look in 0..<2 {
            if look > 0 { try await Task.sleep(for: limits.poll) }
            var results: [BootPlan.Result] = []
            for path in Set(paths) { results.append(plan.compare(BootSettings(try await session.get(path).json))) }
            result = results.contains(.asAsked) ? .asAsked : results.first { $0 != .silent } ?? .silent
            if case .differs = result { return result }
        }
        return result
    }
}
