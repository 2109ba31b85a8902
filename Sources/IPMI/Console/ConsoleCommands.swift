/// Payloads of a session (§24) and the configuration of Serial over LAN (§26).
extension Request {
    /// §24.1: payload 1, instance 1, encrypted and authenticated; no test mode, no alerts of the serial port.
    public static let activateConsole = Request(
        "activate the console", .application, 0x48, data: [1, 1, 0xc0, 0, 0, 0], isRepeatable: false)

    /// §24.2.
    public static let deactivateConsole = Request(
        "deactivate the console", .application, 0x49, data: [1, 1, 0, 0, 0, 0])

    /// §26.3.
    public static func consoleParameter(_ parameter: ConsoleParameter, channel: UInt8 = 14) -> Request {
        Request(
            "console parameter \(parameter.rawValue)", .transport, 0x22, data: [channel & 15, parameter.rawValue, 0, 0])
    }
}

/// A parameter of Serial over LAN (table 26-5). Open.
public struct ConsoleParameter: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let enabled = Self(rawValue: 1)
}

/// The answer to ``Request/activateConsole`` (table 24-2).
public struct ConsoleActivation: Equatable, Sendable {
    /// Bytes of a payload to the BMC, its header of four included.
    public var inboundSize: Int
    /// UDP, where the BMC wants the console's packets. They go with the session all the same: some name a port that does not work (Asus P5M2),
    /// or its bytes in the wrong order (Supermicro X8DTH-iF; freeipmi-bugs-issues-and-workarounds.txt, Serial-Over-LAN issues 3 and 12).
    public var port: Int

    public init?(answer: [UInt8]) {
        guard answer.count >= 10 else { return nil }
        inboundSize = Int(answer[4]) | Int(answer[5]) << 8
        port = Int(answer[8]) | Int(answer[9]) << 8
    }

    /// Why it was refused, in words (table 24-2); nil for a code that is not its own.
    public static func refusal(_ code: CompletionCode) -> String? {
        switch code.rawValue {
        case 0x80: "somebody else has the console open"
        case 0x81: "the serial console is switched off in the BMC"
        case 0x82: "the BMC has no room for another console"
        case 0x83: "the BMC does not encrypt the console"
        case 0x84: "the BMC wants an unencrypted console"
        default: nil
        }
    }

    /// Somebody else has it.
    public static let isTaken = CompletionCode(rawValue: 0x80)
}
