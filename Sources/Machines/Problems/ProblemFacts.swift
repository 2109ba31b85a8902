import FoundationEssentials

/// All that the problem rules look at.
public struct ProblemFacts: Sendable {
    public var now: Date
    public var machines: [Machine]
    /// The newest operation of machines, by the machine's id.
    public var operations: [String: Operation] = [:]
    /// The newest session of machines' agents, by the machine's id.
    public var sessions: [String: Situation.Session] = [:]
    /// Machines were announced.
    public var hasAnnouncements = false
    public var releases: [OSRelease] = []
    /// SHA-256 of the releases' files that the library holds.
    public var images: Set<String> = []
    /// Those of the installation.
    public var certificates: [Certificate] = []
    /// Operations that wait for a second person.
    public var approvals: [Approval] = []
    /// Of a machine, by its id.
    public var name: @Sendable (String) -> String?
    /// Seconds that a machine may stay in its phase.
    public var deadline: @Sendable (Machine) -> Double? = { $0.observed.phase.deadline() }

    public struct Certificate: Equatable, Sendable {
        /// For people: `the installation's CA`.
        public var name: String
        public var notAfter: Date
        /// How it is renewed.
        public var renewal: String

        public init(name: String, notAfter: Date, renewal: String) {
            (self.name, self.notAfter, self.renewal) = (name, notAfter, renewal)
        }
    }

    public struct Approval: Equatable, Sendable {
        /// Id of the operation.
        public var operation: String
        /// Id of the machine.
        public var machine: String
        /// What would be done, for people: `wipe 3 disks`.
        public var what: String
        public var requestedBy: String
        public var since: Date

        public init(operation: String, machine: String, what: String, requestedBy: String, since: Date) {
            (self.operation, self.machine, self.what) = (operation, machine, what)
            (self.requestedBy, self.since) = (requestedBy, since)
        }
    }

    public init(machines: [Machine], now: Date) {
        (self.machines, self.now) = (machines, now)
        name = { id in machines.first { $0.id == id }?.name }
    }
}
