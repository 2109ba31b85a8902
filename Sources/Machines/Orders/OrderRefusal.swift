import FoundationEssentials

/// Why an agent does not carry out an order. It says which fact differed.
public enum OrderRefusal: Error, Equatable, Codable, Sendable, CustomStringConvertible {
    case badSignature
    case unreadable(String)
    case expired(at: Date, now: Date)
    case notYetValid(issuedAt: Date, now: Date)
    /// `fact` names what differed: `uuid`, `serial` or `mac`.
    case otherMachine(fact: String, ordered: String, found: String)
    case noSuchDisk(ordered: String, found: [String])
    case ambiguousDisk(ordered: String, found: [String])
    /// The disk is there and may not be written to.
    case untargetableDisk(String, reason: String)

    public var description: String {
        switch self {
        case .badSignature: "the order is not signed by this installation's order key"
        case .unreadable(let why): "the order cannot be read: \(why)"
        case .expired(let at, let now): "the order expired at \(at), and it is \(now)"
        case .notYetValid(let issuedAt, let now): "the order was issued at \(issuedAt), and it is only \(now)"
        case .otherMachine(let fact, let ordered, let found):
            "the order is for another machine: \(fact) is \(found) here, \(ordered) in the order"
        case .noSuchDisk(let ordered, let found):
            "no disk is \(ordered); this machine has \(found.isEmpty ? "none" : found.joined(separator: ", "))"
        case .ambiguousDisk(let ordered, let found):
            "more than one disk is \(ordered): \(found.joined(separator: ", "))"
        case .untargetableDisk(let disk, let reason): "\(disk) is never written to: \(reason)"
        }
    }
}
