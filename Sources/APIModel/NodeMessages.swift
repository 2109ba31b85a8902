/// Paths and messages by which an installed system joins a standalone cluster.
public enum NodePath {
    /// `POST` ``NodeRegistration`` → 201 (200 on a repeat) ``NodeAdmission``.
    public static let register = "/api/v1/nodes/register"
    /// `POST` ``NodeHeartbeat`` with the node's credential as bearer token → 204, or 200 ``NodeInstruction``.
    public static func heartbeat(_ name: String) -> String { "/api/v1/nodes/\(name)/heartbeat" }
    /// `POST` with the node's credential as bearer token, once it took no work any more and has none → 200 ``NodeInstruction``.
    public static func left(_ name: String) -> String { "/api/v1/nodes/\(name)/left" }
}

public struct NodeRegistration: Codable, Sendable {
    /// The one-time join token from the machine's configuration.
    public var token: String
    public var name: String
    /// Id of the machine.
    public var machine: String
    public var osRelease: String
    /// A secret that the node made itself and stored before the first try, so that a repeat is recognised: 64 hex digits.
    public var credential: String
    public var bootID: String
    public var kernel: String
    public var systemUUID: String?
    public var addresses: [String]
}

public struct NodeAdmission: Codable, Sendable {
    public var node: String
    public var heartbeatSeconds: Int

    public init(node: String, heartbeatSeconds: Int) { (self.node, self.heartbeatSeconds) = (node, heartbeatSeconds) }
}

public struct NodeHeartbeat: Codable, Sendable {
    public var bootID: String
    public var osRelease: String
    /// Root slot in use, such as `A`.
    public var slot: String?
    /// Of a node that was asked to leave its cluster: what keeps it, in words.
    public var leaving: String?
}

/// What a node is to do.
public struct NodeInstruction: Codable, Sendable {
    /// Take no new work, end what there is, then `POST` ``NodePath/left(_:)``.
    public var leave: Bool
    /// Restart: the machine has no BMC that could do it.
    public var restart: Bool

    public init(leave: Bool = false, restart: Bool = false) { (self.leave, self.restart) = (leave, restart) }
}
