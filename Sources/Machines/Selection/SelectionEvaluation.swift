import NetworkAddresses

/// One run of an expression over machines. Sets are of their indexes.
struct SelectionEvaluation {
    private let machines: [SelectableMachine]
    private let byName: [String: [Int]]
    private(set) var faults: [SelectionFault] = []
    /// Those that stand in the expression by themselves.
    private(set) var named: Set<Int> = []

    init(_ machines: [SelectableMachine]) {
        self.machines = machines
        var byName: [String: [Int]] = [:]
        for (index, machine) in machines.enumerated() {
            for word in Set([machine.name, machine.serial].compactMap { $0 } + machine.macs.map(\.description)) {
                byName[word, default: []].append(index)
            }
        }
        // An id is nobody else's name.
        for (index, machine) in machines.enumerated() { byName[machine.id] = [index] }
        self.byName = byName
    }

    mutating func evaluate(_ expression: MachineSelector.Expression) -> Set<Int> {
        switch expression {
        case .names(let patterns): names(patterns)
        case .facts(let clauses): facts(clauses)
        case .either(let left, let right): evaluate(left).union(evaluate(right))
        case .both(let left, let right): evaluate(left).intersection(evaluate(right))
        case .without(let left, let right): evaluate(left).subtracting(evaluate(right))
        }
    }

    private mutating func names(_ patterns: [SelectionPattern]) -> Set<Int> {
        var chosen: Set<Int> = []
        var missing: [Int: [SelectionPattern]] = [:]
        for pattern in patterns {
            if pattern.isGlob {
                let found = machines.indices.filter { pattern.matches(machines[$0].name) }
                // `*` is everything, even when that is nothing.
                if found.isEmpty, pattern.text != "*" { missing[pattern.column, default: []].append(pattern) }
                chosen.formUnion(found)
                continue
            }
            let found = byName[pattern.text] ?? MACAddress(pattern.text).flatMap { byName[$0.description] } ?? []
            switch found.count {
            case 0: missing[pattern.column, default: []].append(pattern)
            case 1:
                chosen.insert(found[0])
                if pattern.isSpelledOut { named.insert(found[0]) }
            default:
                let names = found.map { machines[$0].name }.sorted().joined(separator: " and ")
                faults.append(.init(column: pattern.column, "\(pattern.text) is \(names): name one by its id"))
            }
        }
        for (column, patterns) in missing.sorted(by: { $0.key < $1.key }) {
            faults.append(
                .init(column: column, SelectionFact.name.missing(Self.words(patterns.map(\.text), joint: " or "))))
        }
        return chosen
    }

    private mutating func facts(_ clauses: [MachineSelector.Clause]) -> Set<Int> {
        for clause in clauses { check(clause) }
        return Set(machines.indices.filter { index in clauses.allSatisfy { holds($0, of: machines[index]) } })
    }

    /// Values that no machine has are slips of the pen, but for states that come and go.
    private mutating func check(_ clause: MachineSelector.Clause) {
        if case .label(let label) = clause.key, !machines.isEmpty,
            !machines.contains(where: { $0.labels[label] != nil })
        {
            let facts = SelectionFact.allCases.map(\.rawValue).joined(separator: ", ")
            faults.append(
                .init(column: clause.column, "no machine has the label \(label); facts of every machine are \(facts)"))
            return
        }
        if case .fact(let fact) = clause.key, fact.words != nil { return }
        guard let patterns = clause.test.patterns else { return }
        var missing: [Int: [String]] = [:]
        for pattern in patterns where pattern.text != "*" || !pattern.isGlob {
            guard !machines.contains(where: { Self.has(clause.key, pattern, $0) }) else { continue }
            missing[pattern.column, default: []].append(pattern.text)
        }
        for (column, values) in missing.sorted(by: { $0.key < $1.key }) {
            faults.append(.init(column: column, words(clause.key, values)))
        }
    }

    private func words(_ key: MachineSelector.Key, _ values: [String]) -> String {
        let known = Set(machines.compactMap { Self.value(key, of: $0) }).sorted()
        let hint = known.isEmpty || known.count > 20 ? "" : "; there are \(Self.words(known, joint: ", "))"
        let value = Self.words(values, joint: " or ")
        return switch key {
        case .fact(let fact): fact.missing(value) + hint
        case .label(let label): "no machine has the label \(label) with the value \(value)\(hint)"
        }
    }

    /// The first of them, and how many more.
    private static func words(_ values: [String], joint: String) -> String {
        let shown = values.prefix(10).joined(separator: joint)
        return values.count > 10 ? "\(shown) and \(values.count - 10) more" : shown
    }

    private func holds(_ clause: MachineSelector.Clause, of machine: SelectableMachine) -> Bool {
        switch clause.test {
        case .isOneOf(let patterns): patterns.contains { Self.has(clause.key, $0, machine) }
        case .isNoneOf(let patterns): !patterns.contains { Self.has(clause.key, $0, machine) }
        case .units(let units, let isNot):
            (machine.location?.units.map { own in units.contains(where: own.overlaps) } ?? false) != isNot
        case .absent: Self.value(clause.key, of: machine) == nil
        }
    }

    private static func has(
        _ key: MachineSelector.Key, _ pattern: SelectionPattern, _ machine: SelectableMachine
    ) -> Bool {
        if key == .fact(.mac) {
            guard !pattern.isGlob, let mac = MACAddress(pattern.text) else {
                return machine.macs.contains { pattern.matches($0.description) }
            }
            return machine.macs.contains(mac)
        }
        return value(key, of: machine).map(pattern.matches) ?? false
    }

    private static func value(_ key: MachineSelector.Key, of machine: SelectableMachine) -> String? {
        switch key {
        case .fact(let fact): fact.value(of: machine)
        case .label(let label): machine.labels[label]
        }
    }
}

extension MachineSelector.Test {
    var patterns: [SelectionPattern]? {
        switch self {
        case .isOneOf(let patterns), .isNoneOf(let patterns): patterns
        case .units, .absent: nil
        }
    }
}
