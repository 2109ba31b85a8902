/// A selector by labels alone, as Kubernetes writes them: `env=prod,tier!=web,zone in (a,b),pool,!spare`. All of it must hold.
public struct LabelSelector: Equatable, Sendable {
    enum Test: Equatable, Sendable {
        case isOneOf([String])
        /// Also true where there is no such label.
        case isNoneOf([String])
        case exists
        case absent
    }

    struct Requirement: Equatable, Sendable {
        var label: String
        var test: Test
    }

    let requirements: [Requirement]

    /// - Throws: the first ``SelectionFault``.
    public init(_ text: String) throws(SelectionFault) {
        guard text.count <= MachineSelector.lengthLimit else {
            throw SelectionFault(column: 1, "a selector has at most \(MachineSelector.lengthLimit) characters")
        }
        var scanner = SelectionScanner(text)
        var requirements: [Requirement] = []
        repeat {
            scanner.skipBlanks()
            requirements.append(try Self.requirement(&scanner))
            scanner.skipBlanks()
        } while scanner.take(",")
        guard scanner.isAtEnd else {
            throw scanner.fault("expected '=', '!=', 'in (…)', 'notin (…)' or ',', \(scanner.found)")
        }
        self.requirements = requirements
    }

    public func matches(_ labels: [String: String]) -> Bool {
        requirements.allSatisfy { requirement in
            let value = labels[requirement.label]
            return switch requirement.test {
            case .isOneOf(let values): value.map(values.contains) ?? false
            case .isNoneOf(let values): !(value.map(values.contains) ?? false)
            case .exists: value != nil
            case .absent: value == nil
            }
        }
    }

    private static func requirement(_ scanner: inout SelectionScanner) throws(SelectionFault) -> Requirement {
        let isAbsent = scanner.take("!")
        let place = scanner.column
        let label = try plain(try scanner.word("the name of a label"))
        if let reason = Labels.fault([label: ""]) { throw SelectionFault(column: place, reason) }
        if isAbsent { return Requirement(label: label, test: .absent) }
        scanner.skipBlanks()
        if scanner.take("!=") { return Requirement(label: label, test: .isNoneOf([try value(&scanner)])) }
        if scanner.take("==") || scanner.take("=") {
            return Requirement(label: label, test: .isOneOf([try value(&scanner)]))
        }
        if scanner.takeList("in") { return Requirement(label: label, test: .isOneOf(try values(&scanner))) }
        if scanner.takeList("notin") { return Requirement(label: label, test: .isNoneOf(try values(&scanner))) }
        return Requirement(label: label, test: .exists)
    }

    /// Empty where a comma or the end follows, as Kubernetes has it.
    private static func value(_ scanner: inout SelectionScanner) throws(SelectionFault) -> String {
        scanner.skipBlanks()
        if scanner.isAtEnd || scanner.next == "," || scanner.next == ")" { return "" }
        return try plain(try scanner.word("a value"))
    }

    private static func values(_ scanner: inout SelectionScanner) throws(SelectionFault) -> [String] {
        var values: [String] = []
        repeat {
            values.append(try value(&scanner))
            scanner.skipBlanks()
        } while scanner.take(",")
        guard scanner.take(")") else { throw scanner.fault("expected ',' or ')', \(scanner.found)") }
        return values
    }

    private static func plain(_ word: SelectionWord) throws(SelectionFault) -> String {
        guard let text = word.plain, !word.isGlob else {
            throw SelectionFault(column: word.column, "'*', '?' and brackets are not for labels here: write values out")
        }
        return text
    }
}
