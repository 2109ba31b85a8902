/// One record of the sensor data repository (§43).
public enum SensorDataRecord: Equatable, Sendable {
    /// Types 01h, 02h, 03h.
    case sensor(SensorRecord)
    /// Type 11h: where a part's FRU information is; nil as device number when another bus is to be asked.
    case fru(name: String, device: UInt8?)
    /// Type 12h.
    case controller(name: String, address: UInt8)
    /// A type that is of no use here, or one that is cut off.
    case other(type: UInt8)

    /// - Parameter record: whole, with its header of five bytes.
    public init(_ record: [UInt8]) {
        let type = record.count > 3 ? record[3] : 0
        self = .other(type: type)
        switch type {
        case 0x01, 0x02, 0x03: if let sensor = SensorRecord(record) { self = .sensor(sensor) }
        case 0x11:
            guard record.count >= 16 else { return }
            // Logical devices of this BMC are read by number (table 43-7).
            let isLogical = record[7] & 0x80 != 0 && record[5] == 0x20
            self = .fru(name: SensorRecord.name(record, at: 15), device: isLogical ? record[6] : nil)
        case 0x12:
            guard record.count >= 16 else { return }
            self = .controller(name: SensorRecord.name(record, at: 15), address: record[5])
        default: return
        }
    }
}

/// A sensor (tables 43-1, 43-2, 43-3).
public struct SensorRecord: Equatable, Sendable {
    public var name: String
    /// Of the controller that has it: 20h is the BMC.
    public var owner: UInt8
    public var lun: UInt8
    public var number: UInt8
    /// Table 42-3.
    public var sensorType: UInt8
    /// Table 42-1: 01h is threshold-based, 6Fh specific to the sensor type.
    public var eventType: UInt8
    public var unit: SensorUnit
    /// Of a full record with a number to read.
    public var conversion: SensorConversion?
    /// Raw, of a full record.
    public var thresholds: [Threshold: UInt8]
    /// It is there for its events and cannot be read.
    public var isEventOnly: Bool
    /// Other sensors with following numbers that this record stands for, itself not counted (table 43-2).
    public var followers: UInt8 = 0
    private var instances: (isLetter: Bool, offset: UInt8)?

    public static func == (left: Self, right: Self) -> Bool {
        left.name == right.name && left.owner == right.owner && left.lun == right.lun && left.number == right.number
            && left.sensorType == right.sensorType && left.eventType == right.eventType && left.unit == right.unit
            && left.conversion == right.conversion && left.thresholds == right.thresholds
            && left.isEventOnly == right.isEventOnly && left.followers == right.followers
    }

    /// In the order of the mask's bits (table 35-15).
    public enum Threshold: UInt8, Sendable, CaseIterable {
        case lowerNonCritical, lowerCritical, lowerNonRecoverable, upperNonCritical, upperCritical, upperNonRecoverable

        public var isUpper: Bool { rawValue >= 3 }
        public var isNonCritical: Bool { self == .lowerNonCritical || self == .upperNonCritical }

        public var words: String {
            (isUpper ? "upper " : "lower ") + ["non-critical", "critical", "non-recoverable"][Int(rawValue % 3)]
        }
    }

    public var isThresholdBased: Bool { eventType == 0x01 }

    init?(_ record: [UInt8]) {
        guard record.count >= 17 else { return nil }
        (owner, lun, number) = (record[5], record[6] & 3, record[7])
        let type = record[3]
        isEventOnly = type == 0x03
        (sensorType, eventType) = isEventOnly ? (record[10], record[11]) : (record[12], record[13])
        (unit, conversion, thresholds) = (SensorUnit(), nil, [:])
        switch type {
        case 0x01:
            guard record.count >= 48 else { return nil }
            unit = SensorUnit(units: Array(record[20..<23]))
            conversion = SensorConversion(format: record[20] >> 6, linearization: record[23], factors: record[24..<30])
            // The bytes are from the uppermost down; the mask of readable ones is byte 19 (table 43-1).
            if eventType == 0x01 {
                for threshold in Threshold.allCases where record[18] >> threshold.rawValue & 1 == 1 {
                    thresholds[threshold] = record[Int([41, 40, 39, 38, 37, 36][Int(threshold.rawValue)])]
                }
            }
            name = Self.name(record, at: 47)
        case 0x02:
            guard record.count >= 32 else { return nil }
            unit = SensorUnit(units: Array(record[20..<23]))
            name = Self.name(record, at: 31)
            share(record[23], record[24])
        default:
            name = Self.name(record, at: 16)
            share(record[12], record[13])
        }
        if name.isEmpty { name = "sensor \(hex([number]))h" }
    }

    private mutating func share(_ first: UInt8, _ second: UInt8) {
        guard first & 15 > 1 else { return }
        followers = (first & 15) - 1
        instances = (first >> 4 & 3 == 1, second & 0x7f)
    }

    /// The record as that of the sensor `index` places behind it.
    func follower(_ index: UInt8) -> SensorRecord {
        var other = self
        other.number = number &+ index
        other.followers = 0
        guard let instances else { return other }
        let instance = UInt32(instances.offset) + UInt32(index)
        let letter = instance < 26 ? Unicode.Scalar(0x41 + UInt8(instance)) : "?"
        other.name = name + (instances.isLetter ? " \(letter)" : " \(instance)")
        return other
    }

    /// Itself and those that share its record.
    public var all: [SensorRecord] { followers == 0 ? [self] : (0...followers).map { follower($0) } }

    /// The type/length byte at `index` and the text behind it.
    static func name(_ record: [UInt8], at index: Int) -> String {
        guard index < record.count else { return "" }
        return TypedText.decode(
            type: record[index] >> 6, record[(index + 1)...].prefix(Int(record[index] & 0x1f)), isUnicode: true)
    }
}
