/// A box (Chassis schema): its light and its sensors.
public struct Chassis: Equatable, Sendable {
    public var path: ResourcePath
    public var name: String
    public var serial: String?
    public var locationIndicator: Bool?
    public var indicator: ComputerSystem.Indicator?
    public var sensors: ResourcePath?
    public var thermal: ResourcePath?
    public var power: ResourcePath?
    public var thermalSubsystem: ResourcePath?
    public var powerSubsystem: ResourcePath?
    public var logServices: ResourcePath?

    public init(_ json: JSON, at path: ResourcePath) {
        self.path = path
        name = json["Name"]?.text ?? path.name
        serial = json["SerialNumber"]?.text
        locationIndicator = json["LocationIndicatorActive"]?.bool
        indicator = ComputerSystem.Indicator(json)
        (sensors, thermal, power) = (json.link("Sensors"), json.link("Thermal"), json.link("Power"))
        (thermalSubsystem, powerSubsystem) = (json.link("ThermalSubsystem"), json.link("PowerSubsystem"))
        logServices = json.link("LogServices")
    }
}

/// The BMC itself (Manager schema).
public struct Manager: Equatable, Sendable {
    public var path: ResourcePath
    public var kind: String?
    public var model: String?
    public var firmware: String?
    public var virtualMedia: ResourcePath?
    public var logServices: ResourcePath?
    public var networkProtocol: ResourcePath?
    /// Ways to the serial console that are enabled: `IPMI`, `SSH`.
    public var serialConsole: [String]

    public init(_ json: JSON, at path: ResourcePath) {
        self.path = path
        kind = json["ManagerType"]?.text
        model = json["Model"]?.text
        firmware = json["FirmwareVersion"]?.text
        (virtualMedia, logServices) = (json.link("VirtualMedia"), json.link("LogServices"))
        networkProtocol = json.link("NetworkProtocol")
        let console = json["SerialConsole"]
        serialConsole =
            console?["ServiceEnabled"]?.bool == true ? console?["ConnectTypesSupported"]?.strings ?? [] : []
    }
}
