import FoundationEssentials

/// What a BMC says of itself and of its machine. What it does not say is nil.
public struct BMCDescription: Codable, Equatable, Sendable {
    public var kind: BMCKind
    /// Of the protocol: `IPMI 2.0`, `Redfish 1.17.0`.
    public var specification: String
    public var vendor: String?
    /// Of the BMC: `iDRAC 9`.
    public var model: String?
    public var firmware: String?
    /// Of the machine.
    public var system: String?
    public var serial: String?
    public var uuid: String?
    public var power: PowerState
    /// What it can do beyond power, for people: `virtual media`, `serial console`.
    public var abilities: [String]

    public init(
        kind: BMCKind, specification: String, vendor: String? = nil, model: String? = nil, firmware: String? = nil,
        system: String? = nil, serial: String? = nil, uuid: String? = nil, power: PowerState = .unknown,
        abilities: [String] = []
    ) {
        (self.kind, self.specification, self.vendor, self.model) = (kind, specification, vendor, model)
        (self.firmware, self.system, self.serial, self.uuid) = (firmware, system, serial, uuid)
        (self.power, self.abilities) = (power, abilities)
    }
}

/// One sensor of a machine, as its BMC reads it.
public struct SensorReading: Codable, Equatable, Sendable {
    public enum Health: String, Codable, Sendable { case ok, warning, critical, unknown }

    public var name: String
    /// What is measured: `temperature`, `fan`, `voltage`, `current`, `power`, or a discrete sensor's type.
    public var kind: String
    /// Nil for a discrete sensor, and for one that cannot be read now.
    public var value: Double?
    /// `°C`, `RPM`, `V`, `A`, `W`, `%`; empty for a discrete sensor.
    public var unit: String
    public var health: Health
    /// States of a discrete sensor that are asserted, or why there is no value.
    public var states: [String]

    public init(
        name: String, kind: String, value: Double? = nil, unit: String = "", health: Health = .unknown,
        states: [String] = []
    ) {
        (self.name, self.kind, self.value, self.unit) = (name, kind, value, unit)
        (self.health, self.states) = (health, states)
    }
}

/// One line of a BMC's event log.
public struct BMCLogEntry: Codable, Equatable, Sendable, Identifiable {
    /// Most entries that are read of one log.
    public static let most = 1000

    /// The BMC's own.
    public var id: String
    /// By the BMC's clock, which may be wrong; nil when it had none then.
    public var time: Date?
    public var severity: SensorReading.Health
    /// The sensor or part.
    public var source: String?
    public var message: String

    public init(id: String, time: Date?, severity: SensorReading.Health, source: String? = nil, message: String) {
        (self.id, self.time, self.severity) = (id, time, severity)
        (self.source, self.message) = (source, message)
    }
}

/// One program in a machine's flash memories.
public struct FirmwareComponent: Codable, Equatable, Sendable {
    public var name: String
    public var version: String
    /// Nil when the BMC does not say.
    public var isUpdateable: Bool?

    public init(name: String, version: String, isUpdateable: Bool? = nil) {
        (self.name, self.version, self.isUpdateable) = (name, version, isUpdateable)
    }
}

/// What a BMC knows of its machine's Secure Boot.
public struct SecureBootState: Codable, Equatable, Sendable {
    /// As it is set for the next boot.
    public var isEnabled: Bool?
    /// In the boot that runs.
    public var isActive: Bool?
    /// Of UEFI 2.10 §32.3: `DeployedMode`, `UserMode`, `SetupMode`, `AuditMode`.
    public var mode: String?

    public init(isEnabled: Bool? = nil, isActive: Bool? = nil, mode: String? = nil) {
        (self.isEnabled, self.isActive, self.mode) = (isEnabled, isActive, mode)
    }
}
