import Synchronization

/// Counts open connections against two limits: of one address, so that a neighbour leaves some to others, and of all.
public final class ConnectionCount: Sendable {
    private struct Open {
        var all = 0
        var byAddress: [String: Int] = [:]
    }

    private let open = Mutex(Open())
    private let maximum: Int
    private let perAddress: Int

    /// - Parameter perAddress: behind one address there may be a NAT full of machines.
    public init(maximum: Int = .max, perAddress: Int) { (self.maximum, self.perAddress) = (maximum, perAddress) }

    /// False when there are too many; otherwise the connection counts until ``release(_:)``.
    public func admit(_ address: String) -> Bool {
        open.withLock { open in
            guard open.all < maximum, open.byAddress[address, default: 0] < perAddress else { return false }
            open.all += 1
            open.byAddress[address, default: 0] += 1
            return true
        }
    }

    public func release(_ address: String) {
        open.withLock { open in
            open.all -= 1
            open.byAddress[address, default: 1] -= 1
            if open.byAddress[address] == 0 { open.byAddress[address] = nil }
        }
    }
}
