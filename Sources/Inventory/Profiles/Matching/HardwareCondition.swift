import Synchronization

/// What a profile demands of a machine, or of one part of it.
public indirect enum HardwareCondition: Sendable {
    /// None demanded: every machine fits.
    case all([HardwareCondition])
    case any([HardwareCondition])
    case not(HardwareCondition)
    case field(HardwareField, FieldTest)
    /// As many parts that fit; `where` nil: of all of them.
    case count(HardwareParts, where: HardwareCondition?, [Comparison])

    public static let everything = HardwareCondition.all([])

    /// A field of the machine that has this text; nothing fits when there is no such field.
    public static func machine(_ field: String, _ text: String) -> HardwareCondition {
        guard let field = HardwareField.ofMachine.first(where: { $0.name == field }) else { return .any([]) }
        return .field(field, .isOneOf([text]))
    }

    /// How much it demands: of two profiles that fit, the one that demands more is the one that was meant.
    public var specificity: Int {
        switch self {
        case .all(let parts): parts.reduce(0) { $0 + $1.specificity }
        case .any(let parts): parts.map(\.specificity).min() ?? 0
        case .not, .field: 1
        case .count(_, let condition, _): 1 + (condition?.specificity ?? 0)
        }
    }

    public func holds(for report: HardwareReport) -> Bool { holds(for: .machine(report)) }

    func holds(for subject: HardwareSubject) -> Bool {
        switch self {
        case .all(let parts): parts.allSatisfy { $0.holds(for: subject) }
        case .any(let parts): parts.contains { $0.holds(for: subject) }
        case .not(let part): !part.holds(for: subject)
        case .field(let field, let test): field.read(subject).map { test.holds(for: $0) } ?? false
        case .count(let list, let condition, let bounds):
            bounds.allSatisfy { $0.holds(for: Self.count(list, condition, subject)) }
        }
    }

    static func count(_ list: HardwareParts, _ condition: HardwareCondition?, _ subject: HardwareSubject) -> Int64 {
        guard case .machine(let report) = subject else { return 0 }
        return Int64(list.parts(of: report).count { part in condition?.holds(for: part) ?? true })
    }
}

/// What is demanded of one fact. A fact that is not known fits nothing.
public enum FieldTest: Sendable {
    /// One of these texts, without regard to case; of a list: it has one of them.
    case isOneOf([String])
    case matches(TextPattern)
    case compares([Comparison])
    case isSet(Bool)

    func holds(for value: HardwareField.Value) -> Bool {
        switch (self, value) {
        case (.isOneOf(let texts), .text(let text)):
            let lowered = text.lowercased()
            return texts.contains { $0.lowercased() == lowered }
        case (.isOneOf(let texts), .list(let found)): return texts.contains { found.contains($0) }
        case (.matches(let pattern), .text(let text)): return pattern.matches(text)
        case (.matches(let pattern), .list(let found)): return found.contains { pattern.matches($0) }
        case (.compares(let bounds), .number(let number)): return bounds.allSatisfy { $0.holds(for: number) }
        case (.isSet(let wanted), .flag(let flag)): return wanted == flag
        case (.isOneOf, _), (.matches, _), (.compares, _), (.isSet, _): return false
        }
    }
}

/// A regular expression, found anywhere in a text, without regard to case.
public final class TextPattern: Sendable {
    private struct State {
        /// Compiled at its first use, for which it must be alone.
        var expression: Regex<AnyRegexOutput>
        /// Machines of a kind show the same texts.
        var known: [String: Bool] = [:]
    }

    public let source: String
    private let state: Mutex<State>
    private static let capacity = 1024
    /// Characters of a text that are looked at: they are an agent's word, and an expression may take long over many.
    private static let longest = 256

    /// - Throws: the fault of the expression, in words.
    public init(_ source: String) throws {
        self.source = source
        state = Mutex(State(expression: try Regex(source).ignoresCase()))
    }

    func matches(_ text: String) -> Bool {
        let text = String(text.prefix(Self.longest))
        return state.withLock { state in
            if let known = state.known[text] { return known }
            let found = text.firstMatch(of: state.expression) != nil
            if state.known.count >= Self.capacity { state.known = [:] }
            state.known[text] = found
            return found
        }
    }
}
