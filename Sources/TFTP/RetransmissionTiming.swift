/// How long to wait for an answer: as TCP finds it out (RFC 6298), from the answers themselves. Pure.
struct RetransmissionTiming: Sendable {
    /// Smoothed round trip and its variation; nil before the first answer.
    private var smoothed: Duration?
    private var variation: Duration = .zero
    /// The first wait.
    private let initial: Duration
    /// The longest before any back-off.
    private let longest: Duration
    /// Doubled with every answer that did not come.
    private var backOffs = 0
    /// When what is waited for was sent; nil where it was sent twice and an answer would not tell to which (Karn).
    private var sentAt: Duration?

    /// Below it every hiccup of a busy client would count as a loss.
    static let minimum: Duration = .milliseconds(100)
    static let maximum: Duration = .seconds(8)

    init(initial: Duration, longest: Duration) { (self.initial, self.longest) = (initial, longest) }

    /// - Returns: until when to wait for the answer.
    mutating func sent(at now: Duration) -> Duration {
        sentAt = backOffs == 0 ? now : nil
        return now + wait
    }

    mutating func answered(at now: Duration) {
        backOffs = 0
        guard let sentAt else { return }
        self.sentAt = nil
        let trip = now - sentAt
        if let former = smoothed {
            let difference = former > trip ? former - trip : trip - former
            variation = (variation * 3 + difference) / 4
            smoothed = (former * 7 + trip) / 8
        } else {
            (smoothed, variation) = (trip, trip / 2)
        }
    }

    mutating func backOff() { backOffs = min(backOffs + 1, 6) }

    mutating func forgetSample() { sentAt = nil }

    private var wait: Duration {
        var known = initial
        if let smoothed { known = min(max(Self.minimum, smoothed + variation * 4), longest) }
        return backOffs == 0 ? known : max(known, min(known * (1 << backOffs), Self.maximum))
    }
}
