import IPMI
import Machines

/// What to do next on the way to a power state. Decides by what the chassis reports, and by nothing else.
struct PowerWatch {
    enum Step: Equatable {
        case done
        case look
        case send(ChassisControl)
        /// The time is over, and the chassis reports this.
        case stuck(PowerState)
    }

    let action: PowerAction
    let settle: Duration
    /// When each control was sent last, from the start.
    private var sent: [ChassisControl: Duration] = [:]
    private var onSince: Duration?
    private var offSince: Duration?
    /// A chassis that is asked to be on and reports it, unasked, is looked at for as long: it may be shutting down.
    private let confirm: Duration

    init(_ action: PowerAction, settle: Duration) {
        (self.action, self.settle) = (action, settle)
        confirm = min(.seconds(1), settle / 4)
    }

    /// - Parameter elapsed: since the start.
    mutating func next(_ state: PowerState, elapsed: Duration) -> Step {
        onSince = state == .on ? onSince ?? elapsed : nil
        offSince = state == .off ? offSince ?? elapsed : nil
        if let step = wanted(state, elapsed) { return step }
        return elapsed < settle ? .look : .stuck(state)
    }

    /// The command was sent; a refusal that clears by itself is told with `false`, and it goes out again.
    mutating func didSend(_ control: ChassisControl, at elapsed: Duration, taken: Bool) {
        sent[control] = taken ? elapsed : sent[control]
    }

    private func wanted(_ state: PowerState, _ elapsed: Duration) -> Step? {
        switch (action, state) {
        case (.off, .off): return .done
        case (.off, _): return again(.powerDown, elapsed)
        case (.on, .on):
            let isConfirmed = sent[.powerUp] != nil || elapsed - (onSince ?? elapsed) >= confirm
            return isConfirmed ? .done : nil
        case (.on, .off): return again(.powerUp, elapsed)
        case (.on, .unknown): return nil
        case (.cycle, .on), (.reset, .on):
            let control: ChassisControl = action == .cycle ? .powerCycle : .hardReset
            // One that is refused for now goes out again, in the time that there is.
            return sent.isEmpty ? again(control, elapsed) : .done
        case (.cycle, .off), (.reset, .off):
            // A cycle of a chassis that is off turns it on (§28.3: the command itself may be refused then), and one that stays off
            // after its cycle is turned on, too: power up harms nobody.
            if sent.isEmpty { return again(.powerUp, elapsed) }
            guard elapsed - (offSince ?? elapsed) >= settle / 2 else { return nil }
            return again(.powerUp, elapsed)
        case (.cycle, .unknown), (.reset, .unknown): return nil
        }
    }

    /// On and off may be repeated, a few times within the time there is.
    private func again(_ control: ChassisControl, _ elapsed: Duration) -> Step? {
        guard let last = sent[control] else { return elapsed < settle ? .send(control) : nil }
        return elapsed - last >= settle / 3 && elapsed < settle ? .send(control) : nil
    }
}
