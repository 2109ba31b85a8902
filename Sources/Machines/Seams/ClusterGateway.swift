/// What the lifecycle asks of the cluster that a machine is a node of.
public protocol ClusterGateway: Sendable {
    /// How far the machine's node is on its way out; nil: it has none.
    func departure(of machine: Machine) async throws -> Departure?
    /// Asks the node to leave: it takes no new work, and ends what it has. Asking again changes nothing.
    func askToLeave(_ machine: Machine, by actor: String) async throws
    /// It may stay after all.
    func mayStay(_ machine: Machine) async throws
    /// The node is a member no more, and what it held of the cluster's is worth nothing.
    func remove(_ machine: Machine) async throws
}
