import NIOCore
import Synchronization

/// Counts open connections against two limits: of one address, so that a neighbour leaves some to others, and of all.
final class ConnectionCount: Sendable {
    private struct Open {
        var all = 0
        var byAddress: [String: Int] = [:]
    }

    private let open = Mutex(Open())
    private let maximum: Int
    private let perAddress: Int

    /// - Parameter perAddress: behind one address there may be a NAT full of machines.
    init(maximum: Int, perAddress: Int) { (self.maximum, self.perAddress) = (maximum, perAddress) }

    /// False when there are too many; otherwise the channel counts until it closes.
    func open(_ channel: any Channel) -> Bool {
        let address = channel.remoteAddress?.ipAddress ?? ""
        guard admit(address) else { return false }
        channel.closeFuture.whenComplete { _ in self.release(address) }
        return true
    }

    func admit(_ address: String) -> Bool {
        open.withLock { open in
            guard open.all < maximum, open.byAddress[address, default: 0] < perAddress else { return false }
            open.all += 1
            open.byAddress[address, default: 0] += 1
            return true
        }
    }

    func release(_ address: String) {
        open.withLock { open in
            open.all -= 1
            open.byAddress[address, default: 1] -= 1
            if open.byAddress[address] == 0 { open.byAddress[address] = nil }
        }
    }
}
