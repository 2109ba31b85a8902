/// How long machines of a kind may stay in a phase, in seconds; nil: what is usual.
public struct PhaseDeadlines: Codable, Equatable, Sendable {
    public var inspecting: Double?
    public var draining: Double?
    public var wiping: Double?
    public var installing: Double?
    public var joining: Double?

    public init(
        inspecting: Double? = nil, draining: Double? = nil, wiping: Double? = nil, installing: Double? = nil,
        joining: Double? = nil
    ) {
        (self.inspecting, self.draining, self.wiping) = (inspecting, draining, wiping)
        (self.installing, self.joining) = (installing, joining)
    }
}
