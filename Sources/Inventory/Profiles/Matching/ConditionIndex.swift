/// The conditions of many profiles. What several of them demand is looked at once for a machine, and what is cheap before what is not: of
/// 200 profiles for servers most begin with one of a few makers.
struct ConditionIndex: Sendable {
    indirect enum Node: Sendable {
        case leaf(Int)
        case all([Node])
        case any([Node])
        case not(Node)
    }

    private var leaves: [HardwareCondition] = []
    private var numbers: [String: Int] = [:]

    mutating func add(_ condition: HardwareCondition) -> Node {
        switch condition {
        case .all(let parts): return .all(parts.sorted { $0.cost < $1.cost }.map { add($0) })
        case .any(let parts): return .any(parts.sorted { $0.cost < $1.cost }.map { add($0) })
        case .not(let part): return .not(add(part))
        case .field, .count:
            let key = condition.key
            if let number = numbers[key] { return .leaf(number) }
            numbers[key] = leaves.count
            leaves.append(condition)
            return .leaf(leaves.count - 1)
        }
    }

    func look(at report: HardwareReport) -> Look { Look(subject: .machine(report), report: report, leaves: leaves) }

    /// One machine, with what was found out of it.
    struct Look {
        private enum Answer { case unknown, holds, fails }

        private let subject: HardwareSubject
        private let report: HardwareReport
        private let leaves: [HardwareCondition]
        private var answers: [Answer]
        private var parts: [HardwareParts: [HardwareSubject]] = [:]

        fileprivate init(subject: HardwareSubject, report: HardwareReport, leaves: [HardwareCondition]) {
            (self.subject, self.report, self.leaves) = (subject, report, leaves)
            answers = Array(repeating: .unknown, count: leaves.count)
        }

        mutating func holds(_ node: Node) -> Bool {
            switch node {
            case .leaf(let number):
                if answers[number] == .unknown { answers[number] = look(leaves[number]) ? .holds : .fails }
                return answers[number] == .holds
            case .all(let nodes):
                for node in nodes where !holds(node) { return false }
                return true
            case .any(let nodes):
                for node in nodes where holds(node) { return true }
                return false
            case .not(let node): return !holds(node)
            }
        }

        private mutating func look(_ leaf: HardwareCondition) -> Bool {
            guard case .count(let list, let condition, let bounds) = leaf else { return leaf.holds(for: subject) }
            let listed = parts[list] ?? list.parts(of: report)
            parts[list] = listed
            let count = Int64(listed.count { condition?.holds(for: $0) ?? true })
            return bounds.allSatisfy { $0.holds(for: count) }
        }
    }
}

extension HardwareCondition {
    /// How long it takes to look, roughly: an order and no measure.
    fileprivate var cost: Int {
        switch self {
        case .all(let parts), .any(let parts): parts.reduce(0) { $0 + $1.cost }
        case .not(let part): part.cost
        case .field(_, .matches): 4
        case .field: 1
        case .count(_, where: nil, _): 2
        case .count(_, .some(let condition), _): 4 + 8 * condition.cost
        }
    }

    /// Two conditions with one key demand the same.
    fileprivate var key: String {
        func keys(_ parts: [HardwareCondition]) -> String { parts.map(\.key).joined(separator: ",") }
        switch self {
        case .all(let parts): return "all(\(keys(parts)))"
        case .any(let parts): return "any(\(keys(parts)))"
        case .not(let part): return "not(\(part.key))"
        case .field(let field, let test): return "\(field.name):\(test.key)"
        case .count(let list, let condition, let bounds):
            return "\(list.rawValue)(\(condition?.key ?? ""))\(Self.key(bounds))"
        }
    }

    fileprivate static func key(_ bounds: [Comparison]) -> String {
        bounds.map { $0.relation.rawValue + "\($0.bound)" }.joined(separator: ",")
    }
}

extension FieldTest {
    fileprivate var key: String {
        switch self {
        case .isOneOf(let texts): "one of " + texts.map(\.debugDescription).joined(separator: ",")
        case .matches(let pattern): "matches " + pattern.source.debugDescription
        case .compares(let bounds): "compares " + HardwareCondition.key(bounds)
        case .isSet(let flag): "is \(flag)"
        }
    }
}
