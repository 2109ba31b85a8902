/// The answer to ``Request/chassisStatus`` (table 28-3).
public struct ChassisStatus: Equatable, Sendable {
    public enum Identify: UInt8, Sendable { case off = 0, briefly = 1, on = 2 }

    /// The system has power.
    public var isOn: Bool
    /// A fault in the main power subsystem.
    public var hasPowerFault: Bool
    /// Nil when the BMC does not say.
    public var identify: Identify?

    public init?(answer: [UInt8]) {
        guard let power = answer.first else { return nil }
        isOn = power & 0x01 != 0
        hasPowerFault = power & 0x08 != 0
        let more = answer.count >= 3 ? answer[2] : 0
        identify = more & 0x40 != 0 ? Identify(rawValue: more >> 4 & 3) : nil
    }
}

extension Request {
    /// §28.5: the identify light for so many seconds; 0 switches it off.
    public static func identify(seconds: UInt8) -> Request {
        Request(seconds == 0 ? "identify off" : "identify for \(seconds) s", .chassis, 0x04, data: [seconds])
    }

    /// §28.5: until switched off. Optional in a BMC.
    public static let identifyOn = Request("identify on", .chassis, 0x04, data: [0, 1])

    /// §28.11.
    public static let restartCause = Request("restart cause", .chassis, 0x07)
}

/// Why the system started last, the answer to ``Request/restartCause`` (table 28-12).
public enum RestartCause {
    /// A chassis control command.
    public static func isCommand(answer: [UInt8]) -> Bool { answer.first.map { $0 & 0x0f == 1 } ?? false }
}
