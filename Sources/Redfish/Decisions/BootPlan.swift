/// The device of the next boot, in our words.
public enum BootTarget: String, Sendable { case network, disk }

/// The boot override that is asked for (ComputerSystem schema, Boot).
public struct BootPlan: Equatable, Sendable {
    /// `Pxe`, `UefiHttp`, `Hdd`.
    public var target: String
    /// `UEFI`, `Legacy`; nil where the system reports no mode.
    public var mode: String?

    /// - Returns: nil when the service says which devices it takes, and none is the one.
    public static func decide(_ device: BootTarget, uefi: Bool, offered: BootSettings) -> BootPlan? {
        let wanted =
            switch (device, uefi) {
            case (.network, true): ["Pxe", "UefiHttp"]
            case (.network, false): ["Pxe"]
            case (.disk, _): ["Hdd"]
            }
        guard let target = offered.targets.map({ targets in wanted.first(where: targets.contains) }) ?? wanted.first
        else { return nil }
        let mode = uefi ? "UEFI" : "Legacy"
        guard offered.mode != nil, offered.modes?.contains(mode) ?? true else {
            return BootPlan(target: target, mode: nil)
        }
        return BootPlan(target: target, mode: mode)
    }

    /// All in one PATCH: Supermicro sets a mode that is not named back to its default (DMTF/Redfishtool pull request 106).
    public func body(withMode: Bool = true) -> JSON {
        var boot: [String: JSON] = [
            "BootSourceOverrideEnabled": "Once", "BootSourceOverrideTarget": .string(target),
        ]
        if withMode, let mode { boot["BootSourceOverrideMode"] = .string(mode) }
        return ["Boot": .object(boot)]
    }

    public enum Result: Equatable, Sendable {
        case asAsked
        /// The device is the one, and stays so until told otherwise: kubevirtbmc (issue 165) and sushy-tools make every override lasting.
        case lasting
        case differs(String)
        /// It shows no override.
        case silent
    }

    /// Compares what is read back.
    public func compare(_ found: BootSettings?) -> Result {
        guard let found, found.target != nil || found.enabled != nil else { return .silent }
        var faults: [String] = []
        if found.target != target { faults.append("BootSourceOverrideTarget is \(found.target ?? "not there")") }
        if found.enabled == "Disabled" { faults.append("BootSourceOverrideEnabled is Disabled") }
        if let mode, let other = found.mode, other != mode { faults.append("BootSourceOverrideMode is \(other)") }
        guard faults.isEmpty else { return .differs(faults.joined(separator: ", ")) }
        return found.enabled == "Once" ? .asAsked : .lasting
    }
}

/// What a refusal of a boot override asks for.
public enum BootRefusal: Equatable, Sendable {
    /// The settings resource takes it: AMI's MegaRAC (DMTF/Redfish-Tacklebox issues 111 and 144).
    case useSettings
    /// It does not take a mode: HPE iLO 5 (ansible-collections/community.general issue 3509).
    case leaveOutMode
    /// Not now: HPE's iLO 5 and 6 during POST (ironcore-dev/metal-operator issue 997), and services that say so.
    case waitAndRepeat
    case final

    public static func judge(status: Int, _ messages: [ServiceMessage]) -> BootRefusal {
        if messages.contains(where: { $0.key.hasPrefix("OperationSupportedInFutureState") }) { return .useSettings }
        if messages.contain("UnableToModifyDuringSystemPOST", "ResourceInUse", "ServiceTemporarilyUnavailable") {
            return .waitAndRepeat
        }
        let aboutMode = messages.contains { message in
            message.arguments.contains { $0.hasSuffix("BootSourceOverrideMode") }
                || message.text?.contains("BootSourceOverrideMode") ?? false
        }
        return aboutMode && [400, 403, 405].contains(status) ? .leaveOutMode : .final
    }
}
