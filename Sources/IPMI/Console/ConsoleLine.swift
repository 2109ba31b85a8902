/// Both directions of a serial console over an unreliable network (§15): one packet under way at a time, sent again with its number until
/// it is acknowledged. No I/O and no clock: say when a wait is over.
///
/// Each character is delivered once at most, in both directions, whatever is lost, repeated or late.
public struct ConsoleLine: Sendable {
    public enum Action: Equatable, Sendable {
        case send(ConsolePacket)
        /// Characters of the machine.
        case deliver([UInt8])
        /// So many bytes that were typed, and breaks, are with the BMC.
        case taken(Int)
        /// Characters of the machine were lost in the BMC.
        case overrun
        /// The BMC has ended it.
        case ended
        /// The BMC does not acknowledge what is typed.
        case lost
    }

    private enum Item: Equatable { case bytes([UInt8]), lineBreak }

    /// Bytes of one packet.
    private let most: Int
    private let tries: Int
    private var queue: [Item] = []
    private var pending: (packet: ConsolePacket, item: Item, left: Int)?
    private var sequence: UInt8 = 0
    private var lastReceived: (sequence: UInt8, count: Int) = (0, 0)
    /// The BMC takes nothing for now: what is refused waits for the next wait's end.
    private var isPaused = false

    /// - Parameters:
    ///   - most: bytes of one packet to the BMC, as it said on activation, without the four of the header.
    ///   - tries: sendings of one packet.
    public init(most: Int, tries: Int = 10) { (self.most, self.tries) = (min(max(most, 1), 200), tries) }

    /// Something waits for an acknowledgement.
    public var isWaiting: Bool { pending != nil || isPaused }

    public mutating func type(_ bytes: [UInt8]) -> [Action] {
        for start in stride(from: 0, to: bytes.count, by: most) {
            queue.append(.bytes(Array(bytes[start..<min(bytes.count, start + most)])))
        }
        return transmit()
    }

    public mutating func typeBreak() -> [Action] {
        queue.append(.lineBreak)
        return transmit()
    }

    /// The wait for an acknowledgement is over.
    public mutating func waited() -> [Action] {
        if isPaused {
            isPaused = false
            return transmit()
        }
        guard let (packet, item, left) = pending else { return [] }
        guard left > 0 else { return [.lost] }
        pending = (packet, item, left - 1)
        return [.send(packet)]
    }

    /// - Parameter room: false when there is no room for what the machine says: it is not acknowledged, and comes again.
    public mutating func receive(_ packet: ConsolePacket, room: Bool = true) -> [Action] {
        var actions: [Action] = []
        let isRepeat = packet.sequence != 0 && packet.sequence == lastReceived.sequence
        if packet.sequence != 0, room { actions += take(packet) }
        if packet.acknowledged != 0 { actions += acknowledge(packet) }
        // Told once; without room the packet comes again.
        if packet.flags.contains(.overrun), room, !isRepeat { actions.append(.overrun) }
        if packet.flags.contains(.deactivated) { actions.append(.ended) }
        return actions
    }

    /// A packet with the last one's number is that one again; there may be more behind it than last time (§15.11).
    private mutating func take(_ packet: ConsolePacket) -> [Action] {
        let isRepeat = packet.sequence == lastReceived.sequence
        let fresh = isRepeat ? Array(packet.characters.dropFirst(lastReceived.count)) : packet.characters
        lastReceived = (
            packet.sequence, isRepeat ? max(lastReceived.count, packet.characters.count) : packet.characters.count
        )
        let answer = ConsolePacket(acknowledged: packet.sequence, accepted: UInt8(clamping: packet.characters.count))
        return (fresh.isEmpty ? [] : [.deliver(fresh)]) + [.send(answer)]
    }

    private mutating func acknowledge(_ packet: ConsolePacket) -> [Action] {
        guard let (sent, item, _) = pending, packet.acknowledged == sent.sequence else { return [] }
        pending = nil
        let isRefused = packet.flags.contains(.nack)
        switch item {
        case .lineBreak:
            // A break that was not taken goes out again when it is due.
            guard isRefused else { return [.taken(1)] + transmit() }
            queue.insert(item, at: 0)
        case .bytes(let bytes):
            let accepted = min(Int(packet.accepted), bytes.count)
            let rest = Array(bytes.dropFirst(accepted))
            // Without a refusal a short count is one, too: what was not taken goes out under a new number.
            if !rest.isEmpty { queue.insert(.bytes(rest), at: 0) }
            isPaused = !rest.isEmpty
            return (accepted > 0 ? [.taken(accepted)] : []) + (isPaused ? [] : transmit())
        }
        isPaused = true
        return []
    }

    private mutating func transmit() -> [Action] {
        guard pending == nil, !isPaused, !queue.isEmpty else { return [] }
        let item = queue.removeFirst()
        sequence = sequence % 15 + 1
        let packet =
            switch item {
            case .bytes(let bytes): ConsolePacket(sequence: sequence, characters: bytes)
            case .lineBreak: ConsolePacket(sequence: sequence, flags: .sendBreak)
            }
        pending = (packet, item, tries - 1)
        return [.send(packet)]
    }
}
