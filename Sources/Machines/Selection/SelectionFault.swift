/// What is wrong with an expression that selects machines, and where.
public struct SelectionFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// The character, counted from 1.
    public var column: Int
    public var message: String

    public init(column: Int, _ message: String) { (self.column, self.message) = (column, message) }

    public var description: String { "column \(column): \(message)" }

    /// The expression with a mark below the place, for a terminal. Long ones are cut around it.
    public func shown(in text: String) -> String {
        let characters = Array(text)
        let start = max(0, column - 1 - 60)
        let window = characters[min(start, characters.count)..<min(characters.count, start + 100)]
        return "  " + String(window) + "\n  " + String(repeating: " ", count: column - 1 - start) + "^ " + message
    }
}

/// Everything that is wrong with a selection, so that one run shows all there is to mend.
public struct SelectionFaults: Error, Equatable, Sendable, CustomStringConvertible {
    public var faults: [SelectionFault]

    public init(_ faults: [SelectionFault]) { self.faults = faults }

    public var description: String { faults.map(\.description).joined(separator: "\n") }
}
