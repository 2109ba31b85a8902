/// A fault in a profile file, with its place, as a person would point at it.
public struct ProfileFileError: Error, Equatable, CustomStringConvertible {
    public var file: String
    /// Counted from 1; nil where the fault is of the whole file.
    public var line: Int?
    public var column: Int?
    public var message: String

    public var description: String {
        [file, line.map(String.init), column.map(String.init)].compactMap { $0 }.joined(separator: ":") + ": " + message
    }
}
