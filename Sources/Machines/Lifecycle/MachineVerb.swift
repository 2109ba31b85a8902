/// What a person may ask for a machine.
public enum MachineVerb: String, Codable, Sendable, CaseIterable {
    case accept, reject, provision, reprovision, wipe, release, rescue
    case endRescue = "end-rescue"
    case maintain, resume, protect, unprotect, retire, forget, retry, abort
}

/// What of a machine decides whether a verb is for it.
public struct VerbFacts: Equatable, Sendable {
    public var name: String
    public var phase: Phase
    public var isAccepted: Bool
    public var isProtected: Bool
    /// It may be another machine that is known.
    public var hasQuestion: Bool
    /// The newest operation; nil: there was none.
    public var operation: Operation?

    public init(_ machine: Machine, operation: Operation?) {
        (name, phase) = (machine.name, machine.observed.phase)
        (isAccepted, isProtected) = (machine.desired.accepted, machine.desired.protected)
        (hasQuestion, self.operation) = (machine.observed.question != nil, operation)
    }

    /// Of a machine that nobody works on.
    public init(name: String, phase: Phase, isAccepted: Bool, isProtected: Bool, hasQuestion: Bool) {
        (self.name, self.phase, self.isAccepted) = (name, phase, isAccepted)
        (self.isProtected, self.hasQuestion) = (isProtected, hasQuestion)
    }

    public var isBusy: Bool { operation.map { !$0.isFinished } ?? false }
}

extension MachineVerb {
    /// Phases of a machine that nobody works on for which it is.
    var phases: Set<Phase> {
        switch self {
        case .accept: Set(Phase.allCases).subtracting([.retired])
        case .reject: [.discovered]
        case .provision: [.discovered, .inspecting, .available, .installing, .failed]
        case .reprovision: [.available, .ready, .failed]
        case .wipe: [.available, .ready, .failed]
        case .release: [.ready, .failed]
        case .rescue: [.available, .ready, .failed]
        case .endRescue: [.rescue]
        case .maintain: [.discovered, .inspecting, .available, .ready, .failed]
        case .resume: [.maintenance]
        case .protect, .unprotect: Set(Phase.allCases).subtracting([.retired])
        case .retire: [.discovered, .inspecting, .available, .failed, .maintenance, .rejected]
        case .forget: [.discovered, .inspecting, .available, .failed, .maintenance, .rejected, .retired]
        case .retry: [.failed]
        case .abort: Set(Phase.allCases)
        }
    }

    /// It changes the machine, or what is known of it for good: an accepted machine that is not protected.
    public var isGuarded: Bool {
        switch self {
        case .provision, .reprovision, .wipe, .release, .rescue, .retry: true
        case .accept, .reject, .endRescue, .maintain, .resume, .protect, .unprotect, .retire, .forget, .abort: false
        }
    }

    /// Why the verb is not for the machine now, and what to do; nil: it is. Pure.
    public func refusal(_ facts: VerbFacts) -> String? {
        let (name, phase) = (facts.name, facts.phase)
        if [.protect, .unprotect].contains(self), phase != .retired { return nil }
        if facts.isProtected, isGuarded || [.retire, .forget].contains(self) {
            return "\(name) is protected: `slipway machine unprotect \(name)` first, if it is the right one"
        }
        if facts.hasQuestion, isGuarded || self == .accept {
            return
                "\(name) looks like a machine that is known: `slipway machine merge` or `slipway machine split` first"
        }
        if isGuarded, !facts.isAccepted {
            return "\(name) is not accepted; look at it, then `slipway machine accept \(name)`"
        }
        switch self {
        case .abort:
            guard let operation = facts.operation, !operation.isFinished else {
                return "nothing is under way on \(name)"
            }
            guard operation.step != .join else {
                return
                    "\(name) has its system and is starting it: wait until it is ready, or `slipway machine wipe \(name)` once it failed"
            }
            return nil
        case .endRescue where phase == .rescue: return nil
        case .retry where phase == .failed:
            guard let operation = facts.operation, operation.state == .failed else {
                return "no operation of \(name) failed; ask for one, such as `slipway machine provision \(name)`"
            }
            return nil
        // Asking again for what runs confirms the agent's session.
        case .provision, .reprovision, .wipe, .rescue:
            if let operation = facts.operation, facts.isBusy {
                return operation.verb.rawValue == rawValue ? nil : busy(operation, name)
            }
        case .accept, .protect, .unprotect: break
        default:
            if facts.isBusy, let operation = facts.operation { return busy(operation, name) }
        }
        guard phases.contains(phase) else { return "\(name) is \(phase.rawValue): \(advice(phase, name))" }
        return nil
    }

    private func busy(_ operation: Operation, _ name: String) -> String {
        "\(name) is busy with \(operation.verb.rawValue) \(operation.id) for \(operation.requestedBy); "
            + "wait until it ends, or `slipway machine abort \(name)`"
    }

    private func advice(_ phase: Phase, _ name: String) -> String {
        switch (self, phase) {
        case (_, .maintenance): "`slipway machine resume \(name)` first"
        case (_, .retired): "only `slipway machine forget \(name)` is left"
        case (_, .rejected): "`slipway machine accept \(name)` first"
        case (_, .rescue): "`slipway machine rescue --end \(name)` first"
        case (.provision, .ready): "`slipway machine reprovision \(name)` installs it anew"
        case (.retire, .ready), (.forget, .ready): "`slipway machine wipe \(name)` or `release` it first"
        case (.reject, _):
            "only a machine that nobody accepted is rejected; `slipway machine retire \(name)` takes it out of service"
        default:
            "\(rawValue) is for machines that are \(phases.map(\.rawValue).sorted().joined(separator: ", "))"
        }
    }
}
