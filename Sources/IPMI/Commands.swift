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

    /// §28.12, parameter 3: keeps BMCs from clearing the boot flags 60 seconds after they were set. Bit 3: on timeout.
    public static let keepBootFlags = Request("keep boot flags", .chassis, 0x08, data: [3, 0x08])

    /// §28.12, parameter 5: valid, once, with the EFI flag.
    public static func bootOnce(_ device: BootFlags) -> Request {
        Request("boot once from \(device.deviceName)", .chassis, 0x08, data: [5] + device.bytes)
    }

    /// §28.13, parameter 5.
    public static let readBootFlags = Request("read boot flags", .chassis, 0x09, data: [5, 0, 0])

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

/// Boot flags (table 28-14, parameter 5).
public struct BootFlags: Equatable, Sendable {
    public enum Device: UInt8, Sendable { case none = 0, network = 1, disk = 2 }

    public var isValid: Bool
    public var isUEFI: Bool
    public var device: Device?

    public init(device: Device, isUEFI: Bool) { (isValid, self.isUEFI, self.device) = (true, isUEFI, device) }

    /// Reads the answer to ``Request/readBootFlags``; nil when it is too short.
    public init?(answer: [UInt8]) {
        guard answer.count >= 4, answer[1] & 0x7f == 5 else { return nil }
        isValid = answer[2] & 0x80 != 0
        isUEFI = answer[2] & 0x20 != 0
        device = Device(rawValue: answer[3] >> 2 & 0x0f)
    }

    var bytes: [UInt8] { [(isValid ? 0x80 : 0) | (isUEFI ? 0x20 : 0), (device?.rawValue ?? 0) << 2, 0, 0, 0] }

    var deviceName: String {
        switch device {
        case .network: "network"
        case .disk: "disk"
        case .none?, nil: "no device"
        }
    }
}
