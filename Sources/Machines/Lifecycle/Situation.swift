import FoundationEssentials

/// All that the lifecycle looks at to decide the next step for one machine.
public struct Situation: Sendable {
    public var machine: Machine
    /// The machine's newest operation.
    public var operation: Operation?
    /// The newest session of the agent, nil when none was ever opened.
    public var session: Session?
    /// The node registered for this machine.
    public var node: Node?
    /// Why the operation cannot be carried out with this hardware, this release and this cluster; nil: it can.
    public var obstacle: String?
    /// Whether power can be controlled.
    public var hasBMC: Bool { machine.desired.bmc != nil }
    public var now: Date

    public init(
        machine: Machine, operation: Operation? = nil, session: Session? = nil, node: Node? = nil,
        obstacle: String? = nil, now: Date
    ) {
        (self.machine, self.operation, self.session, self.node) = (machine, operation, session, node)
        (self.obstacle, self.now) = (obstacle, now)
    }

    /// An agent session as the daemon sees it at this moment.
    public struct Session: Equatable, Sendable {
        public var id: String
        public var openedAt: Date
        /// It called within ``AgentSession/patience``.
        public var live: Bool
        /// It may carry secrets.
        public var trusted: Bool
        /// It waits for an order and has none.
        public var idle: Bool
        /// It showed that it is this machine, called since this daemon began, and was given no order since.
        public var mayStart: Bool

        public init(id: String, openedAt: Date, live: Bool, trusted: Bool, idle: Bool, mayStart: Bool = false) {
            (self.id, self.openedAt, self.live, self.trusted, self.idle) = (id, openedAt, live, trusted, idle)
            self.mayStart = mayStart
        }
    }
}

/// The next thing to do for one machine.
public enum LifecycleStep: Equatable, Sendable {
    /// Enter a phase.
    case advance(to: Phase, reason: String)
    /// Enter `failed`; the running operation fails with it.
    case fail(reason: String)
    /// The operation reached its goal: the machine is `ready` as this node.
    case complete(node: String)
    /// Give the agent the operation's install order, anew if an earlier one was lost.
    case issueInstall
    /// Have the agent start the system that is installed.
    case issueStart
    /// Ask the BMC. `afterKexec`: the installed system gave no sign of life, so kexec is not tried on this machine again.
    case power(PowerAction, reason: String, afterKexec: Bool)
    /// Nothing now; look again at this time at the latest, or when something changes.
    case wait(until: Date?)
}
