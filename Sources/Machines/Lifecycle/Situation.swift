import FoundationEssentials
import Inventory

/// All that the lifecycle looks at to decide the next step for one machine.
public struct Situation: Sendable {
    public var machine: Machine
    /// The machine's newest operation.
    public var operation: Operation?
    /// The newest session of the agent, nil when none was ever opened.
    public var session: Session?
    /// The node registered for this machine.
    public var node: Node?
    /// The daemon sees the nodes of the machine's cluster itself; else the system's own word that it joined has to do.
    public var isClusterSeen = true
    /// How far the node is on its way out of its cluster; nil: there is none, or it left.
    public var departure: Departure?
    /// Why the operation cannot be carried out with this hardware, this release and this cluster; nil: it can.
    public var obstacle: String?
    /// Its hardware profile's.
    public var deadlines: PhaseDeadlines
    /// Whether power can be controlled.
    public var hasBMC: Bool { machine.desired.bmc != nil }
    public var now: Date

    public init(
        machine: Machine, operation: Operation? = nil, session: Session? = nil, node: Node? = nil,
        departure: Departure? = nil, obstacle: String? = nil,
        deadlines: PhaseDeadlines = PhaseDeadlines(), now: Date
    ) {
        (self.machine, self.operation, self.session, self.node) = (machine, operation, session, node)
        (self.departure, self.obstacle) = (departure, obstacle)
        (self.deadlines, self.now) = (deadlines, now)
    }

    /// An agent session as the daemon sees it at this moment.
    public struct Session: Equatable, Sendable {
        public var id: String
        public var openedAt: Date
        /// Its last call.
        public var calledAt: Date
        /// It called within ``AgentSession/patience``.
        public var live: Bool
        /// It may carry secrets.
        public var trusted: Bool
        /// It waits for an order and has none.
        public var idle: Bool
        /// It showed that it is this machine, called since this daemon began, and was given no order since.
        public var mayStart: Bool

        /// - Parameter calledAt: nil: when it was opened.
        public init(
            id: String, openedAt: Date, calledAt: Date? = nil, live: Bool, trusted: Bool, idle: Bool,
            mayStart: Bool = false
        ) {
            self.calledAt = calledAt ?? openedAt
            (self.id, self.openedAt, self.live, self.trusted, self.idle) = (id, openedAt, live, trusted, idle)
            self.mayStart = mayStart
        }
    }
}

/// How far a node is on its way out of its cluster.
public enum Departure: Equatable, Sendable {
    /// Nobody asked it to leave.
    case member
    /// It was asked; what it waits for, in words.
    case leaving(String)
    /// It said that it is done.
    case left
}

/// The next thing to do for one machine.
public enum LifecycleStep: Equatable, Sendable {
    /// Enter a phase.
    case advance(to: Phase, reason: String)
    /// Enter the phase of the operation's first step.
    case begin(reason: String)
    /// The operation's present step is done: enter the phase of the next one, or, after the last, of what it was for.
    case completeStep(reason: String)
    /// The operation is taken back, with nothing half done.
    case abort(to: Phase, reason: String)
    /// The operation fails and nothing was done: the machine is where it was.
    case giveUp(to: Phase, reason: String)
    /// Enter `failed`; the running operation fails with it.
    case fail(reason: String)
    /// The operation reached its goal: the machine is `ready` as this node.
    case complete(node: String)
    /// Ask the node to leave its cluster.
    case askToLeave
    /// Give the agent the order of the operation's present step, anew if an earlier one was lost.
    case issue(Operation.Step)
    /// Have the agent start the system that is installed.
    case issueStart
    /// Ask the BMC. `afterKexec`: the installed system gave no sign of life, so kexec is not tried on this machine again.
    case power(PowerAction, reason: String, afterKexec: Bool)
    /// The order of the present step came to nothing: it is given again, unless it was the last time.
    case fallBack(reason: String)
    /// Nothing now; look again at this time at the latest, or when something changes.
    case wait(until: Date?)
}
