/// Chassis commands (IPMI v2.0 §28) and those that a session needs (§22).
extension Request {
    /// §22.18.
    public static let setAdministrator = Request("set privilege administrator", .application, 0x3b, data: [4])

    /// §28.2.
    public static let chassisStatus = Request("chassis status", .chassis, 0x01)

    /// §28.3. Cycle and reset are not repeated: a second one would hit a machine that is already starting.
    public static func chassisControl(_ control: ChassisControl) -> Request {
        Request(
            "chassis \(control.name)", .chassis, 0x02, data: [control.rawValue],
            isRepeatable: control == .powerUp || control == .powerDown)
    }

    /// §22.19.
    public static func closeSession(_ bmcID: UInt32) -> Request {
        Request(
            "close session", .application, 0x3c,
            data: (0..<4).map { UInt8(truncatingIfNeeded: bmcID >> UInt32(8 * $0)) })
    }
}

/// Chassis control (table 28-4).
public enum ChassisControl: UInt8, Sendable {
    case powerDown = 0
    case powerUp = 1
    case powerCycle = 2
    case hardReset = 3

    var name: String {
        switch self {
        case .powerDown: "power down"
        case .powerUp: "power up"
        case .powerCycle: "power cycle"
        case .hardReset: "hard reset"
        }
    }
}
