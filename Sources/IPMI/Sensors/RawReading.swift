/// Commands to read sensors (§35).
extension Request {
    /// §35.14.
    public static func sensorReading(_ sensor: SensorRecord) -> Request {
        Request("read sensor \(sensor.name)", .sensorEvent, 0x2d, data: [sensor.number], lun: sensor.lun)
    }

    /// §35.5: the factors of a non-linear sensor for one reading.
    public static func readingFactors(_ sensor: SensorRecord, raw: UInt8) -> Request {
        Request("factors of sensor \(sensor.name)", .sensorEvent, 0x23, data: [sensor.number, raw], lun: sensor.lun)
    }
}

/// The answer to ``Request/sensorReading(_:)`` (table 35-15).
public struct RawReading: Equatable, Sendable {
    public var raw: UInt8
    /// Neither is there anything to read when it does not scan.
    public var isAvailable: Bool
    /// Thresholds that are crossed, or states 0 to 14 of a discrete sensor; nil when the BMC leaves them out.
    public var states: UInt16?

    public init?(answer: [UInt8]) {
        guard answer.count >= 2 else { return nil }
        raw = answer[0]
        isAvailable = answer[1] & 0x40 != 0 && answer[1] & 0x20 == 0
        guard answer.count >= 3 else { return }
        states = UInt16(answer[2]) | (answer.count >= 4 ? UInt16(answer[3] & 0x7f) << 8 : 0)
    }
}

/// A sensor as it was read.
public struct SensorValue: Equatable, Sendable {
    public var value: Double?
    public var severity: EventSeverity?
    /// Thresholds crossed, states asserted, or why there is no value.
    public var states: [String]

    init(value: Double?, severity: EventSeverity?, states: [String]) {
        (self.value, self.severity, self.states) = (value, severity, states)
    }

    /// - Parameter conversion: the sensor's own, or that of this reading.
    public init(_ reading: RawReading, of sensor: SensorRecord, conversion: SensorConversion?) {
        guard reading.isAvailable else {
            (value, severity, states) = (nil, nil, ["no reading now"])
            return
        }
        // Compact records of threshold type have no factors: only the states tell.
        value = conversion?.value(reading.raw)
        guard sensor.isThresholdBased else {
            // A discrete sensor may come as a full record; its number has no meaning then.
            value = nil
            let found = (0..<15).filter { (reading.states ?? 0) >> $0 & 1 == 1 }.map {
                EventWords.state(sensorType: sensor.sensorType, eventType: sensor.eventType, offset: UInt8($0))
            }
            states = found.map(\.words)
            severity = reading.states == nil ? nil : found.map(\.severity).max() ?? .ok
            return
        }
        let crossed =
            reading.states.map { bits in
                SensorRecord.Threshold.allCases.filter { bits >> UInt16($0.rawValue) & 1 == 1 }
            } ?? Self.crossed(reading.raw, sensor)
        states = crossed.map { "\($0.isUpper ? "above" : "below") \($0.words)" }
        severity = crossed.map { $0.isNonCritical ? .warning : .critical }.max() ?? .ok
    }

    /// By the thresholds of the record, where the BMC does not compare itself.
    private static func crossed(_ raw: UInt8, _ sensor: SensorRecord) -> [SensorRecord.Threshold] {
        guard let value = sensor.conversion?.value(raw) else { return [] }
        return SensorRecord.Threshold.allCases.filter { threshold in
            guard let limit = sensor.thresholds[threshold].flatMap({ sensor.conversion?.value($0) }) else {
                return false
            }
            return threshold.isUpper ? value >= limit : value <= limit
        }
    }
}
