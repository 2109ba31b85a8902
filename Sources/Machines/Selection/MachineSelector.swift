/// An expression that selects machines, in the manner of noderanges (docs/selecting-machines.md):
///
///     set     = operand { operator operand }            from left to right; `&` mixes with the others in parentheses only
///     operator= " " | "|" | "&" | "-" | ",-"            either, either, both, without, without
///     operand = "(" set ")" | names | facts
///     names   = word { "," word }                       any of them
///     facts   = fact { "," fact }                       all of them
///     fact    = key "=" word | key "!=" word | key "in" "(" words ")" | key "notin" "(" words ")" | "!" key | "@" word
///     word    = text with `*`, `?` and number brackets such as `[01-04,07]` | a quoted text
///
/// A key is one of ``SelectionFact``, or a label's name; `label:NAME` is always a label's.
public struct MachineSelector: Equatable, Sendable {
    /// How many names one expression may stand for.
    public static let limit = 10_000
    /// Characters of an expression.
    static let lengthLimit = 65_536
    /// Words with `*` or `?`: each is compared with every machine.
    static let globLimit = 100
    static let depthLimit = 32

    public let text: String
    let expression: Expression

    indirect enum Expression: Equatable, Sendable {
        /// Names, MAC addresses, serial numbers or ids: any of them.
        case names([SelectionPattern])
        /// All of them hold.
        case facts([Clause])
        case either(Expression, Expression)
        case both(Expression, Expression)
        case without(Expression, Expression)
    }

    struct Clause: Equatable, Sendable {
        var key: Key
        var test: Test
        var column: Int
    }

    enum Key: Equatable, Sendable {
        case fact(SelectionFact)
        case label(String)
    }

    enum Test: Equatable, Sendable {
        case isOneOf([SelectionPattern])
        case isNoneOf([SelectionPattern])
        case units([RackUnits], isNot: Bool)
        case absent
    }

    /// - Throws: the first ``SelectionFault``.
    public init(_ text: String) throws(SelectionFault) {
        self.text = text
        var parser = SelectionParser(text)
        expression = try parser.selection()
    }

    /// What an expression selects.
    public struct Selection: Equatable, Sendable {
        /// As they were given.
        public var machines: [SelectableMachine]
        /// Ids of those of them that stand in the expression by themselves: no bracket, `*` or fact brought them in.
        public var named: Set<String>
    }

    /// - Throws: ``SelectionFaults`` when a name, or a value of a fact that is no passing state, is no machine's: a slip of the pen makes no
    ///   set smaller or larger.
    public func select(from machines: [SelectableMachine]) throws(SelectionFaults) -> Selection {
        var evaluation = SelectionEvaluation(machines)
        let chosen = evaluation.evaluate(expression)
        guard evaluation.faults.isEmpty else { throw SelectionFaults(evaluation.faults) }
        return Selection(
            machines: chosen.sorted().map { machines[$0] },
            named: Set(evaluation.named.intersection(chosen).map { machines[$0].id }))
    }

    /// Whether it selects this machine; what names others says nothing of it.
    public func contains(_ machine: SelectableMachine) -> Bool {
        var evaluation = SelectionEvaluation([machine])
        return !evaluation.evaluate(expression).isEmpty
    }

    /// It is a list of names, and nothing else.
    public var isNamesOnly: Bool {
        func only(_ expression: Expression) -> Bool {
            switch expression {
            case .names: true
            case .either(let left, let right): only(left) && only(right)
            case .facts, .both, .without: false
            }
        }
        return only(expression)
    }
}
