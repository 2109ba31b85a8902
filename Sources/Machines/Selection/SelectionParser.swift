/// Reads an expression; see ``MachineSelector``.
struct SelectionParser {
    typealias Expression = MachineSelector.Expression
    typealias Clause = MachineSelector.Clause

    private var scanner: SelectionScanner
    private let length: Int
    private var depth = 0
    private var names = 0
    private var globs = 0

    init(_ text: String) {
        scanner = SelectionScanner(text)
        length = text.count
    }

    mutating func selection() throws(SelectionFault) -> Expression {
        guard length <= MachineSelector.lengthLimit else {
            throw SelectionFault(column: 1, "an expression has at most \(MachineSelector.lengthLimit) characters")
        }
        return try set(inParentheses: false)
    }

    private enum Operator { case either, both, without }

    private mutating func set(inParentheses: Bool) throws(SelectionFault) -> Expression {
        scanner.skipBlanks()
        var left = try operand()
        var last: Operator?
        while true {
            let isSpaced = scanner.skipBlanks()
            if scanner.isAtEnd { return left }
            if scanner.next == ")" {
                if inParentheses { return left }
                throw scanner.fault("this ')' closes nothing")
            }
            let place = scanner.column
            let (sign, isWritten) = try sign(isSpaced)
            if !isWritten, last == .without {
                throw scanner.fault("behind a '-' say '-' again to leave this out too, or '|' to add it")
            }
            if let last, (last == .both) != (sign == .both) {
                throw scanner.fault(
                    "put parentheses around what '&' joins: it is not clear which comes first", at: place)
            }
            last = sign
            scanner.skipBlanks()
            let right = try operand()
            switch sign {
            case .either: left = .either(left, right)
            case .both: left = .both(left, right)
            case .without: left = .without(left, right)
            }
        }
    }

    /// - Returns: the operator, and whether it is written or a mere blank.
    private mutating func sign(_ isSpaced: Bool) throws(SelectionFault) -> (Operator, Bool) {
        if scanner.take("|") { return (.either, true) }
        if scanner.take("&") { return (.both, true) }
        if scanner.take("-") { return (.without, true) }
        if scanner.next == ",", scanner.peekPastBlanks(1) == "-" {
            scanner.advance()
            scanner.skipBlanks()
            scanner.advance()
            return (.without, true)
        }
        if isSpaced, scanner.next != "," { return (.either, false) }
        throw scanner.fault("expected a blank, '|', '&' or '-' between two sets, \(scanner.found)")
    }

    private mutating func operand() throws(SelectionFault) -> Expression {
        guard scanner.next == "(" else { return try term() }
        let start = scanner.column
        depth += 1
        guard depth <= MachineSelector.depthLimit else { throw scanner.fault("too many parentheses in one another") }
        scanner.advance()
        let inner = try set(inParentheses: true)
        guard scanner.take(")") else { throw scanner.fault("this '(' is not closed", at: start) }
        depth -= 1
        return inner
    }

    private enum Item {
        case names([SelectionPattern])
        case fact(Clause)
    }

    /// Names or facts with commas between them.
    private mutating func term() throws(SelectionFault) -> Expression {
        var names: [SelectionPattern] = []
        var facts: [Clause] = []
        while true {
            let place = scanner.column
            switch try item() {
            case .names(let more): names += more
            case .fact(let clause): facts.append(clause)
            }
            guard names.isEmpty || facts.isEmpty else {
                throw scanner.fault(
                    "a name and a fact in one term: '|' between them for either, '&' for both", at: place)
            }
            guard scanner.next == ",", scanner.peekPastBlanks(1) != "-" else { break }
            scanner.advance()
            scanner.skipBlanks()
        }
        return facts.isEmpty ? .names(names) : .facts(facts)
    }

    private mutating func item() throws(SelectionFault) -> Item {
        let place = scanner.column
        if scanner.take("@") {
            let patterns = try count(try scanner.word("the name of a hardware profile"))
            return .fact(Clause(key: .fact(.profile), test: .isOneOf(patterns), column: place))
        }
        if scanner.take("!") {
            let word = try scanner.word("the name of a fact or a label")
            return .fact(Clause(key: try key(word), test: .absent, column: place))
        }
        let word = try scanner.word("a machine's name, KEY=VALUE, '@profile', '!label' or '('")
        let before = scanner
        scanner.skipBlanks()
        if scanner.take("!=") { return .fact(try clause(word, isNot: true)) }
        if scanner.take("==") || scanner.take("=") { return .fact(try clause(word, isNot: false)) }
        if scanner.takeList("in") { return .fact(try list(word, isNot: false)) }
        if scanner.takeList("notin") { return .fact(try list(word, isNot: true)) }
        scanner = before
        return .names(try count(word))
    }

    private mutating func clause(_ word: SelectionWord, isNot: Bool) throws(SelectionFault) -> Clause {
        let key = try key(word)
        scanner.skipBlanks()
        return try clause(key, [try scanner.word("a value")], isNot, word.column)
    }

    private mutating func list(_ word: SelectionWord, isNot: Bool) throws(SelectionFault) -> Clause {
        let key = try key(word)
        var values: [SelectionWord] = []
        repeat {
            scanner.skipBlanks()
            values.append(try scanner.word("a value"))
            scanner.skipBlanks()
        } while scanner.take(",")
        guard scanner.take(")") else { throw scanner.fault("expected ',' or ')', \(scanner.found)") }
        return try clause(key, values, isNot, word.column)
    }

    private mutating func clause(
        _ key: MachineSelector.Key, _ values: [SelectionWord], _ isNot: Bool, _ column: Int
    ) throws(SelectionFault) -> Clause {
        if key == .fact(.unit), !values.allSatisfy({ $0.plain == "*" }) {
            var units: [RackUnits] = []
            for value in values { units += try Self.units(value) }
            return Clause(key: key, test: .units(units, isNot: isNot), column: column)
        }
        var patterns: [SelectionPattern] = []
        for value in values { patterns += try count(value) }
        if case .fact(let fact) = key, let words = fact.words {
            for pattern in patterns where !words.contains(where: pattern.matches) {
                throw SelectionFault(
                    column: pattern.column,
                    "\(pattern.text) is no \(fact.rawValue); there are \(words.joined(separator: ", "))")
            }
        }
        return Clause(key: key, test: isNot ? .isNoneOf(patterns) : .isOneOf(patterns), column: column)
    }

    private static func units(_ word: SelectionWord) throws(SelectionFault) -> [RackUnits] {
        let texts = word.parts.count == 1 ? word.patterns.map(\.text) : [word.plain ?? ""]
        var units: [RackUnits] = []
        for text in texts {
            guard let found = RackUnits(text) else {
                throw SelectionFault(
                    column: word.column,
                    "\(text.isEmpty ? "this" : text) is no rack unit such as 4, U4, 1-20 or [1-4,7], at most U\(RackUnits.limit)"
                )
            }
            units.append(found)
        }
        return units
    }

    private func key(_ word: SelectionWord) throws(SelectionFault) -> MachineSelector.Key {
        guard let name = word.plain, !word.isGlob, !word.isQuoted else {
            throw SelectionFault(column: word.column, "expected the name of a fact or a label before the sign")
        }
        if let fact = SelectionFact(rawValue: name) { return .fact(fact) }
        let label = name.hasPrefix("label:") ? String(name.dropFirst(6)) : name
        if let reason = Labels.fault([label: ""]) { throw SelectionFault(column: word.column, reason) }
        return .label(label)
    }

    /// The patterns of a word, within the bounds of the whole expression.
    private mutating func count(_ word: SelectionWord) throws(SelectionFault) -> [SelectionPattern] {
        names += word.count
        guard names <= MachineSelector.limit else {
            throw SelectionFault(
                column: word.column, "the expression stands for more than \(MachineSelector.limit) names")
        }
        if word.isGlob { globs += word.count }
        guard globs <= MachineSelector.globLimit else {
            throw SelectionFault(
                column: word.column, "more than \(MachineSelector.globLimit) words with '*' or '?' in one expression")
        }
        return word.patterns
    }
}
