/// Why a condition holds or does not, part by part.
public struct ConditionExplanation: Codable, Equatable, Sendable {
    public var holds: Bool
    /// What is demanded: `memory >= 512GiB`.
    public var demand: String
    /// What the machine has; nil where the parts tell.
    public var found: String?
    public var parts: [ConditionExplanation]

    public init(holds: Bool, demand: String, found: String? = nil, parts: [ConditionExplanation] = []) {
        (self.holds, self.demand, self.found, self.parts) = (holds, demand, found, parts)
    }

    /// How many of its leaves do not hold: the smaller, the nearer a miss.
    public var misses: Int {
        if holds { return 0 }
        return parts.isEmpty ? 1 : parts.reduce(0) { $0 + $1.misses }
    }

    /// What did not hold, in words: `needs disks (transport nvme, size >= 800GB) >= 2; found 1`.
    public var faults: [String] {
        guard !holds else { return [] }
        guard parts.isEmpty else { return parts.flatMap(\.faults) }
        return ["needs \(demand); found \(found ?? "nothing")"]
    }
}

extension HardwareCondition {
    public func explain(_ report: HardwareReport) -> ConditionExplanation { explain(.machine(report)) }

    private func explain(_ subject: HardwareSubject) -> ConditionExplanation {
        let holds = holds(for: subject)
        switch self {
        case .all(let parts):
            return .init(holds: holds, demand: words, parts: parts.map { $0.explain(subject) })
        case .any(let parts):
            // Of several that would do, all are told when none does.
            return .init(holds: holds, demand: words, parts: parts.map { $0.explain(subject) })
        case .not: return .init(holds: holds, demand: words, found: "it")
        case .field(let field, _):
            return .init(holds: holds, demand: words, found: field.read(subject).map { field.words($0) } ?? "unknown")
        case .count(let list, let condition, _):
            return .init(holds: holds, demand: words, found: "\(Self.count(list, condition, subject))")
        }
    }

    /// The demand, as a profile would say it.
    public var words: String {
        switch self {
        case .all(let parts): parts.isEmpty ? "anything" : parts.map(\.words).joined(separator: ", ")
        case .any(let parts): "any of (" + parts.map(\.words).joined(separator: " | ") + ")"
        case .not(let part): "not (" + part.words + ")"
        case .field(let field, let test): field.name + " " + test.words(field)
        case .count(let list, let condition, let bounds):
            list.rawValue + (condition.map { " (" + $0.words + ")" } ?? "") + " "
                + bounds.map { "\($0.relation.rawValue) \($0.bound)" }.joined(separator: ", ")
        }
    }
}

extension FieldTest {
    fileprivate func words(_ field: HardwareField) -> String {
        switch self {
        case .isOneOf(let texts): texts.joined(separator: " or ")
        case .matches(let pattern): "/\(pattern.source)/"
        case .compares(let bounds):
            bounds.map { $0.relation.rawValue + " " + (field.unit?.words($0.bound) ?? "\($0.bound)") }.joined(
                separator: ", ")
        case .isSet(let wanted): wanted ? "true" : "false"
        }
    }
}

extension HardwareField {
    var unit: NumberUnit? { if case .number(let unit) = kind { unit } else { nil } }

    func words(_ value: Value) -> String {
        switch value {
        case .text(let text): text
        case .list(let texts): texts.isEmpty ? "none" : texts.joined(separator: ", ")
        case .number(let number): unit?.words(number) ?? "\(number)"
        case .flag(let flag): flag ? "true" : "false"
        }
    }
}
