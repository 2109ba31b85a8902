/// Serial over LAN (§15): a machine at the other end that prints a greeting and echoes what is typed.
public struct SimulatedConsole: Sendable {
    /// What the machine prints when somebody looks.
    public var greeting = "login: "
    /// UDP, of the BMC itself: ipmitool goes to no other one.
    public var port: UInt16 = 623
    /// What was typed, in order; a break is shown as FFh.
    public private(set) var typed: [UInt8] = []
    /// Packets of what was typed, those that were not taken with them.
    public private(set) var packets = 0
    /// The session that has it.
    var session: UInt32?
    private var output: [UInt8] = []
    private var sent: (packet: [UInt8], at: Double, tries: Int)?
    private var sequence: UInt8 = 0
    private var lastReceived: (sequence: UInt8, taken: Int) = (0, 0)
    private static let size = 64

    public mutating func print(_ text: String) { output += Array(text.utf8) }

    mutating func activate(_ session: UInt32) -> (UInt8, [UInt8]) {
        guard self.session == nil || self.session == session else { return (0x80, []) }
        self.session = session
        (output, sent, lastReceived) = (Array(greeting.utf8), nil, (0, 0))
        let size = UInt8(Self.size + 4)
        return (0, [0, 0, 0, 0, size, 0, size, 0, UInt8(port & 0xff), UInt8(port >> 8), 0xff, 0xff])
    }

    /// - Returns: the packet by which the one that had it is told (bit 4), and its session.
    mutating func deactivate(by session: UInt32) -> (code: UInt8, farewell: (UInt32, [UInt8])?) {
        guard let old = self.session else { return (0x80, nil) }
        self.session = nil
        return (0, old == session ? nil : (old, [0, 0, 0, 0x10]))
    }

    /// A packet of the console, and what follows at once.
    mutating func receive(_ packet: [UInt8], _ quirks: BMCQuirks, now: Double) -> [[UInt8]] {
        guard packet.count >= 4 else { return [] }
        var answers: [[UInt8]] = []
        let (number, acknowledged, operation) = (packet[0] & 15, packet[1] & 15, packet[3])
        if acknowledged != 0, let sent, sent.packet[0] == acknowledged { self.sent = nil }
        if number != 0 {
            packets += 1
            var taken = lastReceived.taken
            if number != lastReceived.sequence {
                let characters = Array(packet[4...].prefix(quirks.consoleTakes))
                taken = characters.count
                typed += characters
                output += characters
                if operation & 0x10 != 0 {
                    typed.append(0xff)
                    print("[break]")
                }
                lastReceived = (number, taken)
            }
            let isShort = taken < packet.count - 4
            answers.append([0, number, UInt8(taken), isShort ? 0x40 : 0])
        }
        return answers + due(now: now)
    }

    /// What is to be sent: something new, or the last packet again when it was not acknowledged.
    mutating func due(now: Double) -> [[UInt8]] {
        guard session != nil else { return [] }
        if let sent {
            guard now - sent.at > 0.2 else { return [] }
            // Seven times (table 26-5, parameter 4), then it is dropped.
            self.sent = sent.tries < 7 ? (sent.packet, now, sent.tries + 1) : nil
            return self.sent == nil ? [] : [sent.packet]
        }
        guard !output.isEmpty else { return [] }
        sequence = sequence % 15 + 1
        let packet = [sequence, 0, 0, 0] + output.prefix(Self.size)
        output.removeFirst(min(Self.size, output.count))
        sent = (packet, now, 0)
        return [packet]
    }
}
