/// One difference between two reports of a machine.
public struct HardwareChange: Codable, Equatable, Sendable, CustomStringConvertible {
    public enum Kind: String, Codable, Sendable { case appeared, gone, changed }

    public var kind: Kind
    /// What it is: `memory module A3`, `disk S4YPNE0N800123`, `firmware version`.
    public var subject: String
    /// What it was; nil when it appeared.
    public var from: String?
    /// What it is now; nil when it is gone.
    public var to: String?

    public init(_ kind: Kind, _ subject: String, from: String? = nil, to: String? = nil) {
        (self.kind, self.subject, self.from, self.to) = (kind, subject, from, to)
    }

    public var description: String {
        switch kind {
        case .appeared: "\(subject) appeared" + (to.map { " (\($0))" } ?? "")
        case .gone: "\(subject) gone" + (from.map { " (\($0))" } ?? "")
        case .changed: "\(subject): \(from ?? "none") → \(to ?? "none")"
        }
    }
}
