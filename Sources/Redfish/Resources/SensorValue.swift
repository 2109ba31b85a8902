/// What one sensor says, in our units.
public struct SensorValue: Equatable, Sendable {
    public var name: String
    /// Of the resource, where it has one.
    public var id: String?
    /// `temperature`, `fan`, `voltage`, `current`, `power`; else the schema's ReadingType in lower case, or `power supply`.
    public var kind: String
    /// Nil for a discrete one, and for one that cannot be read now.
    public var value: Double?
    public var unit: String
    public var severity: Severity
    /// Why there is no value, or what is wrong.
    public var states: [String]

    init?(name: String?, kind: String, value: Double?, unit: String, status: JSON?) {
        guard let name else { return nil }
        let state = status?["State"]?.text
        // A part that is not there is no sensor.
        guard state != "Absent" else { return nil }
        (self.name, self.kind, self.value, self.unit) = (name, kind, value, unit)
        severity = Severity(word: status?["Health"]?.text)
        states = state.flatMap { $0 == "Enabled" ? nil : [$0] } ?? []
    }

    /// A member of the Sensors collection (Sensor schema). Units are written as in UCUM there.
    public init?(sensor json: JSON) {
        let type = json["ReadingType"]?.text
        let units = json["ReadingUnits"]?.text
        let (kind, unit) = Self.kind(type, units, name: json["Name"]?.text ?? "")
        self.init(
            name: json["Name"]?.text ?? json["Id"]?.text, kind: kind, value: json["Reading"]?.number, unit: unit,
            status: json["Status"])
        id = json["Id"]?.text
    }

    /// Names that tell sensors apart: Dell has an `InputPowerSensor` for each power supply, and `PSU.Slot.1_InputPower` is its id (recorded tree of
    /// a PowerEdge R750).
    public static func toldApart(_ values: [SensorValue]) -> [SensorValue] {
        let counts = Dictionary(values.map { ($0.name, 1) }, uniquingKeysWith: +)
        return values.map { value in
            guard counts[value.name, default: 0] > 1, let id = value.id else { return value }
            var renamed = value
            renamed.name = id
            return renamed
        }
    }

    private static func kind(_ type: String?, _ units: String?, name: String) -> (kind: String, unit: String) {
        switch (type, units) {
        case ("Temperature", _), (nil, "Cel"): ("temperature", "°C")
        case ("Rotational", _), (nil, "RPM"), (nil, "{rev}/min"): ("fan", "RPM")
        case ("Voltage", _), (nil, "V"): ("voltage", "V")
        case ("Current", _), (nil, "A"): ("current", "A")
        case ("Power", _), (nil, "W"): ("power", "W")
        case ("Percent", _) where name.lowercased().contains("fan"): ("fan", "%")
        default: (type.map { $0.lowercased() } ?? "other", units ?? "")
        }
    }

    /// The Thermal resource (deprecated in 2020, and all that many BMCs have).
    public static func thermal(_ json: JSON) -> [SensorValue] {
        let temperatures = (json["Temperatures"]?.array ?? []).compactMap {
            SensorValue(
                name: $0["Name"]?.text, kind: "temperature", value: $0["ReadingCelsius"]?.number, unit: "°C",
                status: $0["Status"])
        }
        let fans = (json["Fans"]?.array ?? []).compactMap { fan in
            // `FanName`, `CurrentReading` and `Units` are of before 1.1 (HPE's iLO 4).
            let units = (fan["ReadingUnits"] ?? fan["Units"])?.text
            return SensorValue(
                name: (fan["Name"] ?? fan["FanName"])?.text, kind: "fan",
                value: (fan["Reading"] ?? fan["CurrentReading"])?.number, unit: units == "Percent" ? "%" : "RPM",
                status: fan["Status"])
        }
        return temperatures + fans
    }

    /// The Power resource.
    public static func power(_ json: JSON) -> [SensorValue] {
        let voltages = (json["Voltages"]?.array ?? []).compactMap {
            SensorValue(
                name: $0["Name"]?.text, kind: "voltage", value: $0["ReadingVolts"]?.number, unit: "V",
                status: $0["Status"])
        }
        let controls = (json["PowerControl"]?.array ?? []).compactMap {
            SensorValue(
                name: $0["Name"]?.text ?? "Power", kind: "power", value: $0["PowerConsumedWatts"]?.number, unit: "W",
                status: $0["Status"])
        }
        return voltages + controls + powerSupplies(json["PowerSupplies"]?.array ?? [])
    }

    /// Whether each power supply is well: of the Power resource, or members of PowerSubsystem/PowerSupplies.
    public static func powerSupplies(_ members: [JSON]) -> [SensorValue] {
        members.compactMap {
            SensorValue(name: $0["Name"]?.text, kind: "power supply", value: nil, unit: "", status: $0["Status"])
        }
    }

    /// Members of ThermalSubsystem/Fans (Fan schema).
    public static func fans(_ members: [JSON]) -> [SensorValue] {
        members.compactMap { fan in
            let speed = fan["SpeedPercent"]
            let rotations = speed?["SpeedRPM"]?.number
            return SensorValue(
                name: fan["Name"]?.text, kind: "fan", value: rotations ?? speed?["Reading"]?.number,
                unit: rotations == nil ? "%" : "RPM", status: fan["Status"])
        }
    }

    /// ThermalSubsystem/ThermalMetrics (ThermalMetrics schema).
    public static func thermalMetrics(_ json: JSON) -> [SensorValue] {
        (json["TemperatureReadingsCelsius"]?.array ?? []).compactMap {
            SensorValue(
                name: $0["DeviceName"]?.text ?? $0["DataSourceUri"]?.string.flatMap { ResourcePath($0) }?.name,
                kind: "temperature", value: $0["Reading"]?.number, unit: "°C", status: nil)
        }
    }
}
