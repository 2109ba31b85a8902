/// How long and how much a BMC is listened to.
public struct RedfishLimits: Sendable {
    /// Until TCP and TLS stand, each.
    public var connect: Duration = .seconds(5)
    /// For a whole answer: slow drops do not lengthen it.
    public var answer: Duration = .seconds(30)
    /// Between two looks at something that is on its way.
    public var poll: Duration = .seconds(1)
    /// Between two logins with a new password that is refused: BMCs lock users out who try on.
    public var relogin: Duration = .seconds(5)
    /// The longest that is waited on a service's word (`Retry-After`), and between two looks at a task.
    public var retryAfter: Duration = .seconds(10)
    /// Bytes of one answer.
    public var body = 8 << 20
    /// Requests of one command.
    public var requests = 2000
    /// For a whole command, beside the time that its chassis may take: others wait for their turn meanwhile.
    public var command: Duration = .seconds(300)
    /// Entries of a log that are fetched one by one, where the service gives no more than links to them.
    public var linkedEntries = 256
    /// How often a boot override is set that does not stay.
    public var bootTries = 3
    /// Without a byte of a stream of events; then it counts as ended. Dead connections say nothing, and most BMCs send no signs of life.
    public var idle: Duration = .seconds(300)

    public init() {}
}
