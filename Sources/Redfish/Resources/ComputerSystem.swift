/// What a system reports of its power (Resource schema, PowerState). Open: a value without a name is carried.
public struct ChassisPower: RawRepresentable, Hashable, Sendable {
    public var rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public static let on = Self(rawValue: "On")
    public static let off = Self(rawValue: "Off")
    /// Temporary: the action goes on (ibm-openbmc/dev issue 2619).
    public static let poweringOn = Self(rawValue: "PoweringOn")
    public static let poweringOff = Self(rawValue: "PoweringOff")
    /// It has power, and its processors are halted.
    public static let paused = Self(rawValue: "Paused")
}

/// A kind of reset (Resource schema, ResetType).
public struct ResetType: RawRepresentable, Hashable, Sendable {
    public var rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public static let on = Self(rawValue: "On")
    public static let forceOn = Self(rawValue: "ForceOn")
    public static let forceOff = Self(rawValue: "ForceOff")
    public static let forceRestart = Self(rawValue: "ForceRestart")
    public static let powerCycle = Self(rawValue: "PowerCycle")
}

/// An action of a resource (DSP0266 §9.5.7, §12.1).
public struct ServiceAction: Equatable, Sendable {
    public var target: ResourcePath
    /// Where the values are that it takes, when they are not beside it.
    public var info: ResourcePath?
    /// Values by parameter.
    public var allowable: [String: [String]]

    /// - Parameter name: `ComputerSystem.Reset`.
    public init?(_ resource: JSON, _ name: String) {
        guard let action = resource["Actions"]?["#" + name], let target = action["target"]?.string,
            let path = ResourcePath(target)
        else { return nil }
        self.target = path
        info = action["@Redfish.ActionInfo"]?.string.flatMap { ResourcePath($0) }
        allowable = [:]
        for (property, value) in action.object ?? [:] where property.hasSuffix("@Redfish.AllowableValues") {
            allowable[String(property.prefix { $0 != "@" })] = value.strings
        }
    }

    /// Values of a parameter in an ActionInfo resource.
    public static func allowable(_ parameter: String, in info: JSON) -> [String]? {
        (info["Parameters"]?.array ?? []).first { $0["Name"]?.string == parameter }?["AllowableValues"]?.strings
    }
}

/// The boot override of a system (ComputerSystem schema, Boot).
public struct BootSettings: Equatable, Sendable {
    public var enabled: String?
    public var target: String?
    /// Nil when the system does not report one: it knows one kind of firmware only.
    public var mode: String?
    public var targets: [String]?
    public var modes: [String]?

    public init?(_ resource: JSON) {
        guard let boot = resource["Boot"], boot.object != nil else { return nil }
        enabled = boot["BootSourceOverrideEnabled"]?.text
        target = boot["BootSourceOverrideTarget"]?.text
        mode = boot["BootSourceOverrideMode"]?.text
        // `BootSourceOverrideSupported` was its name before 1.0 (HPE's iLO 4 has it still).
        targets =
            boot["BootSourceOverrideTarget@Redfish.AllowableValues"]?.strings
            ?? boot["BootSourceOverrideSupported"]?.strings
        modes = boot["BootSourceOverrideMode@Redfish.AllowableValues"]?.strings
    }
}

/// One computer of the service (ComputerSystem schema).
public struct ComputerSystem: Equatable, Sendable {
    public var path: ResourcePath
    public var name: String
    public var manufacturer: String?
    public var model: String?
    public var serial: String?
    public var sku: String?
    public var uuid: String?
    public var power: ChassisPower?
    /// By the BMC's clock, as it says it: compared, never read.
    public var lastReset: String?
    public var boot: BootSettings?
    public var reset: ServiceAction?
    /// Where changes for the next boot go (`@Redfish.Settings`, DSP0266 §9.10).
    public var settings: ResourcePath?
    public var locationIndicator: Bool?
    public var indicator: Indicator?
    public var bios: ResourcePath?
    public var secureBoot: ResourcePath?
    public var virtualMedia: ResourcePath?
    public var logServices: ResourcePath?
    public var chassis: [ResourcePath]
    public var managers: [ResourcePath]

    public init(_ json: JSON, at path: ResourcePath) {
        self.path = path
        name = json["Name"]?.text ?? path.name
        (manufacturer, model) = (json["Manufacturer"]?.text, json["Model"]?.text)
        (serial, sku, uuid) = (json["SerialNumber"]?.text, json["SKU"]?.text, json["UUID"]?.text)
        power = json["PowerState"]?.text.map(ChassisPower.init)
        lastReset = json["LastResetTime"]?.text
        boot = BootSettings(json)
        reset = ServiceAction(json, "ComputerSystem.Reset")
        settings = json["@Redfish.Settings"]?.link("SettingsObject")
        locationIndicator = json["LocationIndicatorActive"]?.bool
        indicator = Indicator(json)
        (bios, secureBoot) = (json.link("Bios"), json.link("SecureBoot"))
        (virtualMedia, logServices) = (json.link("VirtualMedia"), json.link("LogServices"))
        chassis = json["Links"]?.links("Chassis") ?? []
        managers = json["Links"]?.links("ManagedBy") ?? []
    }

    /// The light of a system or chassis (`IndicatorLED`, deprecated by `LocationIndicatorActive` in 2020).
    public struct Indicator: Equatable, Sendable {
        public var state: String
        public var allowable: [String]?

        init?(_ json: JSON) {
            guard let state = json["IndicatorLED"]?.text else { return nil }
            self.state = state
            allowable = json["IndicatorLED@Redfish.AllowableValues"]?.strings
        }
    }
}
