/// A time in nanoseconds, or a moment as the time since any fixed one. Not `Duration`: it is reckoned with for every block, and
/// 128 bits cost a tenth of all that a block costs.
public typealias Nanoseconds = Int64

/// How long to wait for an answer: as TCP finds it out (RFC 6298), from the answers themselves. Pure.
struct RetransmissionTiming: Sendable {
    /// Smoothed round trip and its variation; nil before the first answer.
    private(set) var smoothed: Nanoseconds?
    private var variation: Nanoseconds = 0
    /// The first wait.
    private let initial: Nanoseconds
    /// The longest before any back-off.
    private let longest: Nanoseconds
    /// Doubled with every answer that did not come.
    private var backOffs = 0
    /// When what is waited for was sent; nil where it was sent twice and an answer would not tell to which (Karn).
    private var sentAt: Nanoseconds?

    /// Below it every hiccup of a busy client would count as a loss.
    static let minimum: Nanoseconds = 100_000_000
    static let maximum: Nanoseconds = 8_000_000_000

    init(initial: Nanoseconds, longest: Nanoseconds) { (self.initial, self.longest) = (initial, longest) }

    /// - Parameter again: it was sent before.
    /// - Returns: until when to wait for the answer.
    mutating func sent(at now: Nanoseconds, again: Bool = false) -> Nanoseconds {
        sentAt = again || backOffs > 0 ? nil : now
        return now + wait
    }

    mutating func answered(at now: Nanoseconds) {
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

    private var wait: Nanoseconds {
        var known = initial
        if let smoothed { known = min(max(Self.minimum, smoothed + variation * 4), longest) }
        return backOffs == 0 ? known : max(known, min(known * (1 << backOffs), Self.maximum))
    }
}
