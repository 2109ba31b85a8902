/// What a person or a controller asks of a chassis.
public enum PowerVerb: String, CaseIterable, Sendable { case on, off, cycle, reset }

/// How a system gets from the state that it reports to the one that is asked for.
public struct PowerPlan: Equatable, Sendable {
    /// A shutdown goes on: it is waited out, and then decided anew.
    public var waitsForShutdown = false
    /// Ways, the best first; each is reset types given one after the other, with a wait for the state that it leads to between them. The
    /// next way is for a service that refuses the one before, never for one that took it. Empty: only the goal is waited for.
    public var ways: [[ResetType]] = []
    public var goal: ChassisPower

    /// - Parameters:
    ///   - allowed: what the service says it takes; nil when it does not say, as HPE's Gen9 (stmcginnis/gofish pull request 279).
    /// - Returns: nil when the service says that it takes nothing that would do.
    public static func decide(_ verb: PowerVerb, from state: ChassisPower?, allowed: [ResetType]?) -> PowerPlan? {
        var plan = PowerPlan(goal: verb == .off ? .off : .on)
        switch (verb, state) {
        case (.on, .on), (.on, .paused), (.on, .poweringOn), (.off, .off): return plan
        case (.on, .poweringOff), (.cycle, .poweringOff), (.reset, .poweringOff):
            // "On" is lost or refused in the middle of a shutdown.
            plan.waitsForShutdown = true
            return plan
        default: break
        }
        plan.ways = ways(verb, isOff: state == .off).filter { way in
            allowed.map { allowed in way.allSatisfy(allowed.contains) } ?? true
        }
        return plan.ways.isEmpty ? nil : plan
    }

    private static func ways(_ verb: PowerVerb, isOff: Bool) -> [[ResetType]] {
        // A chassis that is off is turned on: cycle and reset are refused then (goldyfruit/ansible-ilo issue 1), or taken and not done
        // (tinkerbell/pbnj pull request 75).
        switch (verb, isOff) {
        case (.off, _): [[.forceOff]]
        case (.on, _), (.cycle, true), (.reset, true): [[.on], [.forceOn]]
        case (.cycle, false): [[.powerCycle], [.forceRestart], [.forceOff, .on]]
        // IBM's OpenBMC has no ForceRestart any more (ibm-openbmc/bmcweb pull request 522).
        case (.reset, false): [[.forceRestart], [.powerCycle], [.forceOff, .on]]
        }
    }

    /// The state after a reset of this type.
    public static func goal(of type: ResetType) -> ChassisPower { type == .forceOff ? .off : .on }

    /// Whether a second one does no harm: the state that it leads to is all that it does.
    public static func isRepeatable(_ type: ResetType) -> Bool { [.on, .forceOn, .forceOff].contains(type) }
}

/// What became of a reset whose answer was lost.
public enum LostReset: Equatable, Sendable {
    case done
    /// It is on its way, or may be: look again.
    case looking
    case unknown

    /// - Parameters:
    ///   - before: `LastResetTime` before it was sent.
    ///   - hasBeenDown: the chassis was seen in another state than on since.
    public static func judge(
        _ type: ResetType, now: ChassisPower?, hasBeenDown: Bool, before: String?, lastReset: String?, isLate: Bool
    ) -> LostReset {
        let goal = PowerPlan.goal(of: type)
        if PowerPlan.isRepeatable(type) { return now == goal ? .done : isLate ? .unknown : .looking }
        if now == goal, hasBeenDown || (before != nil && lastReset != nil && before != lastReset) { return .done }
        return isLate ? .unknown : .looking
    }
}
