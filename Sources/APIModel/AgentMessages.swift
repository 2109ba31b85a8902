import FoundationEssentials
import Inventory
import Machines
import NetworkAddresses

/// Paths of the agent API, below the daemon's HTTPS address.
public enum AgentPath {
    /// `POST` ``SessionRequest`` → 201 ``SessionReply``; 401: the ticket is unknown, expired or used.
    public static let sessions = "/agent/v1/sessions"
    /// `PUT` `HardwareReport` → 204.
    public static let hardware = "/agent/v1/hardware"
    /// `GET` → 200 `SignedOrder` once there is one, 204 after ``SessionReply/pollSeconds`` without. 204 with `Retry-After`: too many wait; ask again after
    /// about that many seconds.
    public static let orders = "/agent/v1/orders"
    /// `POST` ``OrderProgress`` → 204.
    public static func progress(_ order: String) -> String { "/agent/v1/orders/\(order)/progress" }
    /// `POST` ``OrderResult`` → 204. The agent repeats it until it is answered, and only then enters the installed system.
    public static func result(_ order: String) -> String { "/agent/v1/orders/\(order)/result" }
    /// `POST` ``ShellOutput`` → 200 ``ShellReply``. The agent repeats it until it is answered.
    public static func shellOutput(_ order: String) -> String { "/agent/v1/orders/\(order)/shell/output" }
    /// `GET` `?epoch=E&after=N` → 200 ``ShellInput`` once there is news, or without any after ``SessionReply/pollSeconds``.
    public static func shellInput(_ order: String) -> String { "/agent/v1/orders/\(order)/shell/input" }
}

/// How agents keep out of each other's way.
public enum AgentPace {
    /// Factor of the seconds in `Retry-After`: thousands that were sent away at once shall not come again at once.
    public static let jitter = 0.8...1.2
    /// Seconds: no `Retry-After` is longer, and none is kept for longer.
    public static let longest = 300
}

/// Opens a session: the ticket from the kernel command line, and what the agent reads of the machine.
public struct SessionRequest: Codable, Sendable {
    public var ticket: String
    /// The NIC the firmware booted from.
    public var mac: MACAddress
    public var machine: MachineIdentity
    public var bootID: String
    public var agentVersion: String
    /// Seconds from kernel start to this call.
    public var uptimeSeconds: Double

    public init(
        ticket: String, mac: MACAddress, machine: MachineIdentity, bootID: String, agentVersion: String,
        uptimeSeconds: Double
    ) {
        (self.ticket, self.mac, self.machine, self.bootID) = (ticket, mac, machine, bootID)
        (self.agentVersion, self.uptimeSeconds) = (agentVersion, uptimeSeconds)
    }
}

public struct SessionReply: Codable, Sendable {
    public var session: String
    /// Bearer token of every further call.
    public var token: String
    /// Id of the machine.
    public var machine: String
    public var name: String
    /// The daemon's time: the agent sets its clock by it.
    public var time: Date
    /// Ed25519 public key (32 bytes) that orders are signed with.
    public var orderKey: Data
    /// Longest time an orders call is held open, in seconds.
    public var pollSeconds: Int
    /// Seconds without an order after which the agent powers the machine off; 0: never.
    public var idleSeconds: Int

    public init(
        session: String, token: String, machine: String, name: String, time: Date, orderKey: Data, pollSeconds: Int,
        idleSeconds: Int
    ) {
        (self.session, self.token, self.machine, self.name, self.time) = (session, token, machine, name, time)
        (self.orderKey, self.pollSeconds, self.idleSeconds) = (orderKey, pollSeconds, idleSeconds)
    }
}

public struct OrderProgress: Codable, Equatable, Sendable {
    public enum Step: String, Codable, Sendable, CaseIterable {
        case accepted, fetching, writing, flushing, readingBack, finishing, configuring, entering, erasing

        /// What the agent does, in words.
        public var words: String {
            switch self {
            case .accepted: "order accepted"
            case .fetching: "fetches the installer"
            case .writing: "writes the image"
            case .flushing: "flushes the disk"
            case .readingBack: "reads the disk back"
            case .finishing: "writes the partition table"
            case .configuring: "writes the machine's configuration"
            case .entering: "enters the installed system"
            case .erasing: "erases the disks"
            }
        }
    }

    public var step: Step
    /// Raw bytes done of ``totalBytes`` in this step; 0 of 0 where it has no length.
    public var bytes: Int64
    public var totalBytes: Int64
    /// Of a wipe: how far each disk is.
    public var disks: [DiskProgress]?

    public init(step: Step, bytes: Int64 = 0, totalBytes: Int64 = 0, disks: [DiskProgress]? = nil) {
        (self.step, self.bytes, self.totalBytes, self.disks) = (step, bytes, totalBytes, disks)
    }
}

/// How far the erasure of one disk is.
public struct DiskProgress: Codable, Equatable, Sendable {
    public enum Step: String, Codable, Sendable { case waiting, marking, erasing, verifying, erased, failed }

    /// Serial, WWN or path: how people call it.
    public var disk: String
    public var step: Step
    public var method: EraseMethod?
    /// Of this step, 0 to 1; nil: the drive does not tell.
    public var fraction: Double?
    /// Bytes of a second in this step; nil: it does not go by bytes.
    public var rate: Double?

    public init(disk: String, step: Step, method: EraseMethod? = nil, fraction: Double? = nil, rate: Double? = nil) {
        (self.disk, self.step, self.method, self.fraction, self.rate) = (disk, step, method, fraction, rate)
    }
}

public struct OrderResult: Codable, Sendable {
    public enum Outcome: Codable, Sendable {
        /// Done; `entry` says how the agent goes on: `kexec` or `reboot`.
        case succeeded(entry: String)
        /// Not carried out, and nothing was changed.
        case refused(OrderRefusal)
        /// Tried and failed; the words name what and where.
        case failed(String)
    }

    public var outcome: Outcome
    /// Small facts for the record, such as `writeSeconds`, `readBackSeconds`, `disk`.
    public var facts: [String: String]
    /// Of a wipe: each disk of the order, in its order, whatever the outcome; nil: no disk was touched.
    public var disks: [DiskEvidence]?

    public init(outcome: Outcome, facts: [String: String] = [:], disks: [DiskEvidence]? = nil) {
        (self.outcome, self.facts, self.disks) = (outcome, facts, disks)
    }
}
