/// A fault in a profile file, with its place, as a person would point at it.
public struct ProfileFileError: Error, Equatable, CustomStringConvertible {
    public var file: String
    /// Counted from 1; nil where the fault is of the whole file.
    public var line: Int?
    public var column: Int?
    public var message: String

    public init(file: String, line: Int? = nil, column: Int? = nil, message: String) {
        (self.file, self.line, self.column, self.message) = (file, line, column, message)
    }

    public var description: String {
        [file, line.map(String.init), column.map(String.init)].compactMap { $0 }.joined(separator: ":") + ": " + message
    }
}

/// What is wrong with a value, for a reader that knows where it stands.
public struct ValueFault: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
