import NIOCore

/// Who of many may send a piece of an image next. Every address has the same share, however many connections it has, and all of
/// them together no more than a rate. Pure.
struct FairTurns<Ticket> {
    /// Those of one address.
    private struct Line {
        enum Place { case none, round, held }

        var waiting = CircularBuffer<(ticket: Ticket, bytes: Int)>()
        /// When its pieces that are on their way began, the oldest first.
        var underWay: [Double] = []
        /// Whether it is counted in ``round`` or ``held``.
        var place = Place.none
    }

    private let limits: ImageLimits
    private var lines: [String: Line] = [:]
    /// Addresses that have somebody waiting and may send; the first is next.
    private var round = CircularBuffer<String>()
    /// Those that have as much on its way as they may.
    private var held: Set<String> = []
    private var heldLookedAt: Double
    /// Bytes that may leave at `countedAt`; below zero, what left too early.
    private var credit: Double = 0
    private var countedAt: Double

    /// Seconds of the rate that may leave at once, after a pause.
    private static var burst: Double { 0.02 }
    /// Seconds after which a piece that is not gone keeps nobody waiting: its reader may be dead, and others be behind the same NAT.
    static var patience: Double { 2 }

    init(_ limits: ImageLimits, now: Double) { (self.limits, countedAt, heldLookedAt) = (limits, now, now) }

    mutating func ask(_ ticket: Ticket, of address: String, bytes: Int, now: Double) {
        lines[address, default: Line()].waiting.append((ticket, bytes))
        place(address, now)
    }

    /// A piece of an address is gone, or will not go.
    mutating func ended(_ address: String, now: Double) {
        guard var line = lines[address] else { return }
        if !line.underWay.isEmpty { line.underWay.removeFirst() }
        lines[address] = line.underWay.isEmpty && line.waiting.isEmpty ? nil : line
        place(address, now)
    }

    /// Those whose turn it is.
    /// - Returns: seconds after which there may be more of them; nil: after somebody asked or ended.
    mutating func next(now: Double) -> (tickets: [Ticket], again: Double?) {
        if let rate = limits.bytesPerSecond {
            credit = min(rate * Self.burst, credit + rate * max(0, now - countedAt))
        }
        countedAt = now
        if now - heldLookedAt >= 1 {
            heldLookedAt = now
            for address in held { place(address, now) }
        }
        var tickets: [Ticket] = []
        while !round.isEmpty, limits.bytesPerSecond == nil || credit > 0 {
            let address = round.removeFirst()
            guard var line = lines[address], let first = line.waiting.popFirst() else { continue }
            line.place = .none
            line.underWay.append(now)
            lines[address] = line
            credit -= Double(first.bytes)
            tickets.append(first.ticket)
            place(address, now)
        }
        if let rate = limits.bytesPerSecond, !round.isEmpty { return (tickets, max(0.001, -credit / rate)) }
        return (tickets, held.isEmpty ? nil : 1)
    }

    /// Puts an address where it belongs: those that have nobody waiting, nowhere.
    private mutating func place(_ address: String, _ now: Double) {
        guard var line = lines[address], line.place != .round, !line.waiting.isEmpty else { return }
        if line.underWay.count(where: { now - $0 < Self.patience }) < limits.perAddress {
            line.place = .round
            held.remove(address)
            round.append(address)
        } else {
            line.place = .held
            held.insert(address)
        }
        lines[address] = line
    }
}

/// How images leave.
public struct ImageLimits: Equatable, Sendable {
    /// Of all images together; nil: as fast as they go.
    public var bytesPerSecond: Double?
    /// Pieces of one address that are on their way at once: its share of the line, counted in connections.
    public var perAddress: Int

    public init(bytesPerSecond: Double? = nil, perAddress: Int = 1) {
        (self.bytesPerSecond, self.perAddress) = (bytesPerSecond, perAddress)
    }
}
