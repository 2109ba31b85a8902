/// How many operations that destroy data run at once.
public struct OperationLimits: Equatable, Sendable {
    public var total: Int
    /// In one rack: its power and its switch are shared.
    public var perRack: Int

    public init(total: Int = 100, perRack: Int = 20) { (self.total, self.perRack) = (total, perRack) }
}

/// Whose turn it is. Pure; the caller holds it for all machines.
public struct OperationTurns: Sendable {
    private var limits: OperationLimits
    /// Racks of the operations that run, by operation; nil: nobody knows its rack.
    private var running: [String: String?] = [:]
    /// In the order in which they asked.
    private var waiting: [(operation: String, machine: String, rack: String?)] = []

    public init(limits: OperationLimits) { self.limits = limits }

    /// Takes a turn for an operation, unless as many run as may.
    /// - Returns: why it waits; nil: it is its turn, and it runs from here on.
    public mutating func take(_ operation: String, machine: String, rack: String?) -> String? {
        if running[operation] != nil { return nil }
        guard let why = obstacle(rack) else {
            waiting.removeAll { $0.operation == operation }
            running[operation] = .some(rack)
            return nil
        }
        if !waiting.contains(where: { $0.operation == operation }) { waiting.append((operation, machine, rack)) }
        return why
    }

    /// One that runs already, found in the store.
    public mutating func note(running operation: String, rack: String?) { running[operation] = .some(rack) }

    /// An operation ended or was taken back.
    /// - Returns: the machine whose turn has come; it looks again.
    public mutating func leave(_ operation: String) -> String? {
        waiting.removeAll { $0.operation == operation }
        guard running.removeValue(forKey: operation) != nil else { return nil }
        return waiting.first { obstacle($0.rack) == nil }?.machine
    }

    public var count: Int { running.count }

    private func obstacle(_ rack: String?) -> String? {
        if running.count >= limits.total {
            return "\(running.count) operations run; at most \(limits.total) do at once"
        }
        if let rack {
            let others = running.values.count { $0 == rack }
            if others >= limits.perRack {
                return "\(others) operations run in rack \(rack); at most \(limits.perRack) do at once"
            }
        }
        return nil
    }
}
