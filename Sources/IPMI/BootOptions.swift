/// System boot options (§28.12, §28.13).
extension Request {
    /// Parameter 0: who changes boot options says so, that nobody else does meanwhile.
    public static func bootOptions(inProgress: Bool) -> Request {
        bootOption(0, inProgress ? "begin to set boot options" : "end of setting boot options", [inProgress ? 1 : 0])
    }

    /// Parameter 3: keeps BMCs from clearing the boot flags 60 seconds after they were set. Bit 3: on timeout.
    public static let keepBootFlags = bootOption(3, "keep boot flags", [0x08])

    /// Parameter 4: the note that the firmware (bit 0) has seen the boot flags is taken back, or it passes over new ones.
    public static let renewBootInfo = bootOption(4, "renew boot info", [0x01, 0x01])

    /// Parameter 5.
    public static func setBootFlags(_ flags: BootFlags) -> Request {
        bootOption(5, "boot \(flags.isPersistent ? "always" : "once") from \(flags.deviceName)", flags.bytes)
    }

    /// Parameter 5.
    public static let readBootFlags = Request("read boot flags", .chassis, 0x09, data: [5, 0, 0])

    private static func bootOption(_ parameter: UInt8, _ name: String, _ value: [UInt8]) -> Request {
        Request(name, .chassis, 0x08, data: [parameter] + value)
    }
}

extension CompletionCode {
    /// Somebody else sets boot options, LAN or console parameters (§28.12, §23.1, §26.2).
    public static let setInProgress = Self(rawValue: 0x81)
}

/// Boot flags (table 28-14, parameter 5).
public struct BootFlags: Equatable, Sendable {
    public enum Device: UInt8, Sendable { case none = 0, network = 1, disk = 2 }

    /// The firmware is to look at them: the other bits count only then.
    public var isValid: Bool
    /// For every boot from now on; else for the next one.
    public var isPersistent: Bool
    /// The boot is by UEFI; else as a BIOS does it.
    public var isUEFI: Bool
    /// Nil for one that is not ours: a CD, the set-up, a vendor's.
    public var device: Device?

    public init(device: Device, isUEFI: Bool, isPersistent: Bool = false) {
        (isValid, self.isUEFI, self.device, self.isPersistent) = (true, isUEFI, device, isPersistent)
    }

    /// Reads the answer to ``Request/readBootFlags``; nil when it is too short.
    public init?(answer: [UInt8]) {
        guard answer.count >= 4, answer[1] & 0x7f == 5 else { return nil }
        isValid = answer[2] & 0x80 != 0
        isPersistent = answer[2] & 0x40 != 0
        isUEFI = answer[2] & 0x20 != 0
        device = Device(rawValue: answer[3] >> 2 & 0x0f)
    }

    var bytes: [UInt8] {
        let bits: UInt8 = (isValid ? 0x80 : 0) | (isPersistent ? 0x40 : 0) | (isUEFI ? 0x20 : 0)
        return [bits, (device?.rawValue ?? 0) << 2, 0, 0, 0]
    }

    /// For people.
    public var deviceName: String {
        switch device {
        case .network: "network"
        case .disk: "disk"
        case .none?, nil: "no device"
        }
    }
}
