/// A record of the system event log (§32), 16 bytes.
public struct EventLogEntry: Equatable, Sendable {
    public enum Content: Equatable, Sendable {
        /// Type 02h (table 32-1).
        case event(Event)
        /// Types C0h to DFh (table 32-2).
        case oem(manufacturer: Int, data: [UInt8])
        /// Types E0h to FFh (table 32-3), and those that are reserved.
        case bytes([UInt8])
    }

    public struct Event: Equatable, Sendable {
        /// Who saw it: an IPMB address, or software (bit 0).
        public var generator: UInt8
        public var lun: UInt8
        public var sensorType: UInt8
        public var sensor: UInt8
        public var isDeassertion: Bool
        public var eventType: UInt8
        /// Three bytes.
        public var data: [UInt8]
    }

    public var id: UInt16
    public var type: UInt8
    /// Seconds since 1970 by the BMC's clock, which has no time zone; nil when it had no time then.
    public var time: UInt32?
    public var content: Content
    public var bytes: [UInt8]

    public init?(_ record: [UInt8]) {
        guard record.count >= 16 else { return nil }
        bytes = Array(record[0..<16])
        id = UInt16(record[0]) | UInt16(record[1]) << 8
        type = record[2]
        if type < 0xe0 {
            let seconds = (3..<7).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32(record[$1]) }
            // §37.1: FFFFFFFFh is unspecified; up to 20000000h they are counted from the BMC's own start.
            time = seconds == .max || seconds <= 0x2000_0000 ? nil : seconds
        }
        switch type {
        case 0x02:
            content = .event(
                Event(
                    generator: record[7], lun: record[8] & 3, sensorType: record[10], sensor: record[11],
                    isDeassertion: record[12] & 0x80 != 0, eventType: record[12] & 0x7f, data: Array(record[13..<16])))
        case 0xc0..<0xe0:
            let maker = Int(record[7]) | Int(record[8]) << 8 | Int(record[9]) << 16
            content = .oem(manufacturer: maker, data: Array(record[10..<16]))
        default: content = .bytes(Array(record[3..<16]))
        }
    }

    /// In words.
    /// - Parameter sensors: those of the repository, for names and units; may be empty.
    public func told(_ sensors: [SensorRecord] = []) -> (source: String?, message: String, severity: EventSeverity) {
        switch content {
        case .event(let event):
            let sensor = sensors.first {
                $0.number == event.sensor && $0.owner == event.generator && $0.lun == event.lun
            }
            let kind = EventWords.sensorType(event.sensorType)
            return (sensor?.name ?? "\(kind) \(hex([event.sensor]))h", event.words(sensor), event.severity)
        case .oem(let maker, let data):
            let name = Manufacturer(rawValue: maker).name ?? "manufacturer \(maker)"
            return (nil, "\(name)'s own record \(hex([type]))h: \(hex(data))", .ok)
        case .bytes(let data): return (nil, "a maker's own record \(hex([type]))h: \(hex(data))", .ok)
        }
    }
}

extension EventLogEntry.Event {
    private var offset: UInt8 { data[0] & 15 }

    /// A state that has ended is no fault any more.
    var severity: EventSeverity {
        isDeassertion
            ? .ok : EventWords.state(sensorType: sensorType, eventType: eventType, offset: offset).severity
    }

    func words(_ sensor: SensorRecord?) -> String {
        var words = EventWords.state(sensorType: sensorType, eventType: eventType, offset: offset).words
        // OEM event types have no table.
        if eventType >= 0x70 || eventType == 0 || eventType > 0x0c && eventType < 0x6f {
            words = "event type \(hex([eventType]))h, data \(hex(data))"
        } else if eventType == 0x01 {
            // Bits 7:6 and 5:4 say what the two bytes are (table 29-6): 01 is the reading, and the threshold.
            if data[0] >> 6 == 1 { words += ", reading \(number(data[1], sensor))" }
            if data[0] >> 4 & 3 == 1 { words += ", threshold \(number(data[2], sensor))" }
        } else {
            let more = [(data[0] >> 6, data[1]), (data[0] >> 4 & 3, data[2])].filter { $0.0 != 0 && $0.1 != 0xff }
            if !more.isEmpty { words += ", data \(hex(more.map(\.1)))" }
        }
        return isDeassertion ? words + ": ended" : words
    }

    private func number(_ raw: UInt8, _ sensor: SensorRecord?) -> String {
        guard let sensor, let value = sensor.conversion?.value(raw) else { return "\(hex([raw]))h (raw)" }
        let rounded = (value * 100).rounded() / 100
        let text = "\(rounded)"
        return "\(text.hasSuffix(".0") ? String(text.dropLast(2)) : text) \(sensor.unit.symbol)"
    }
}
