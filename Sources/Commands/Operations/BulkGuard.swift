import APIModel
import Machines

/// What stands between an expression and the disks of many machines. Pure.
enum BulkGuard {
    struct Refusal: Error, Equatable, CustomStringConvertible {
        var description: String
    }

    /// - Parameters:
    ///   - chosen: what the expression selects.
    ///   - named: ids of those that stand in it by themselves.
    ///   - limit: of `--max`.
    /// - Throws: ``Refusal``; then nothing is done to any of them.
    static func check(_ chosen: [MachineView], named: Set<String>, limit: Int, verb: MachineVerb) throws(Refusal) {
        guard !chosen.isEmpty else { throw Refusal(description: "no machine is selected: nothing is done") }
        let swept = chosen.filter { !named.contains($0.id) }
        let precious = swept.filter { $0.protected || $0.role == .controlPlane }
        guard precious.isEmpty else {
            let words = precious.map { "\($0.name) (\($0.protected ? "protected" : "control plane"))" }
            throw Refusal(
                description:
                    "the expression brings in \(list(words)): name each of them, or take them out by ' - \(precious[0].name)'; nothing is done"
            )
        }
        guard chosen.count <= limit else {
            throw Refusal(
                description:
                    "\(chosen.count) machines are selected, and --max is \(limit): nothing is done; look at `slipway machine list` "
                    + "with the same expression, then say --max \(chosen.count)")
        }
        let others = chosen.compactMap { machine -> String? in
            // Asked for again, what runs is confirmed; whether it is the same the daemon knows.
            if let operation = machine.operation, !operation.state.isFinal, operation.verb.rawValue == verb.rawValue {
                return nil
            }
            let facts = VerbFacts(
                name: machine.name, phase: machine.phase, isAccepted: machine.accepted,
                isProtected: machine.protected, hasQuestion: machine.question != nil)
            return verb.refusal(facts)
        }
        guard others.isEmpty else {
            throw Refusal(description: "nothing is done: " + list(others, separator: "; "))
        }
    }

    /// What is to be typed.
    static func question(_ verb: MachineVerb, _ machines: [MachineView]) -> String {
        "\(verb.rawValue) \(machines.count == 1 ? machines[0].name : "\(machines.count) machines"): "
            + "type \(answer(machines)) to go on"
    }

    /// One machine by its name, many by their number.
    static func answer(_ machines: [MachineView]) -> String {
        machines.count == 1 ? machines[0].name : "\(machines.count)"
    }

    private static func list(_ words: [String], separator: String = ", ") -> String {
        words.prefix(10).joined(separator: separator) + (words.count > 10 ? " and \(words.count - 10) more" : "")
    }
}
