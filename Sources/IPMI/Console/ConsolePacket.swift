/// A packet of Serial over LAN (table 15-2).
public struct ConsolePacket: Equatable, Sendable {
    /// 1 to 15; 0 for one that only acknowledges.
    public var sequence: UInt8
    /// Which packet of the other side it acknowledges; 0 for none.
    public var acknowledged: UInt8
    /// How many characters of that were taken.
    public var accepted: UInt8
    /// Operation of the console's packets, status of the BMC's.
    public var flags: Flags
    public var characters: [UInt8]

    public struct Flags: OptionSet, Sendable {
        public var rawValue: UInt8

        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Not all characters were taken, or none (both sides).
        public static let nack = Self(rawValue: 0x40)
        // From the BMC:
        /// The console was ended by the BMC or another user.
        public static let deactivated = Self(rawValue: 0x10)
        /// Characters of the machine were lost.
        public static let overrun = Self(rawValue: 0x08)
        // From the console:
        public static let sendBreak = Self(rawValue: 0x10)
    }

    public init(
        sequence: UInt8 = 0, acknowledged: UInt8 = 0, accepted: UInt8 = 0, flags: Flags = [], characters: [UInt8] = []
    ) {
        (self.sequence, self.acknowledged, self.accepted) = (sequence & 15, acknowledged & 15, accepted)
        (self.flags, self.characters) = (flags, characters)
    }

    /// Nil when it is too short.
    public init?(_ payload: [UInt8]) {
        guard payload.count >= 4 else { return nil }
        self.init(
            sequence: payload[0], acknowledged: payload[1], accepted: payload[2], flags: Flags(rawValue: payload[3]),
            characters: Array(payload[4...]))
    }

    var bytes: [UInt8] { [sequence, acknowledged, accepted, flags.rawValue] + characters }
}
