/// A sensor of a simulated BMC, and its record in the repository (§43).
public struct SimulatedSensor: Sendable {
    public var number: UInt8
    public var record: [UInt8]
    /// The answer to Get Sensor Reading (§35.14); nil is refused with CBh.
    public var reading: [UInt8]?

    /// A full record (table 43-1) with thresholds from the uppermost down; zero bits of the mask are not readable.
    public static func analog(
        _ number: UInt8, _ name: String, type: UInt8, unit: UInt8, format: UInt8 = 0, linearization: UInt8 = 0,
        m: Int, b: Int = 0, bExponent: Int = 0, resultExponent: Int = 0, thresholds: [UInt8?] = [], raw: UInt8?,
        status: UInt8 = 0xc0
    ) -> SimulatedSensor {
        let limits = thresholds + Array(repeating: nil, count: 6 - thresholds.count)
        // Bits 5 to 0: from upper non-recoverable down to lower non-critical, whose bytes are in the order
        // UNR, UC, UNC, LNR, LC, LNC.
        let mask = limits.enumerated().reduce(UInt8(0)) { $0 | ($1.element == nil ? 0 : 1 << UInt8(5 - $1.offset)) }
        var body: [UInt8] = [0x20, 0, number, 3, 1, 0x7f, 0x68, type, 0x01, 0x95, 0x7a, 0x95, 0x7a]
        body += [mask, mask, format << 6, unit, 0, linearization]
        body += [UInt8(truncatingIfNeeded: m), UInt8(truncatingIfNeeded: m >> 2) & 0xc0]
        body += [UInt8(truncatingIfNeeded: b), UInt8(truncatingIfNeeded: b >> 2) & 0xc0, 0]
        body += [UInt8(truncatingIfNeeded: resultExponent) << 4 | UInt8(truncatingIfNeeded: bExponent) & 15]
        body += [0, 0, 0, 0, 0xff, 0] + limits.map { $0 ?? 0 } + [2, 2, 0, 0, 0]
        return SimulatedSensor(
            number: number, record: header(number, type: 0x01, body + text(name)),
            reading: raw.map { [$0, 0xc0 & status | 0x40, status & 0x3f | 0xc0] } ?? [0, 0x60, 0xc0])
    }

    /// A compact record (table 43-2) of a discrete sensor.
    public static func discrete(
        _ number: UInt8, _ name: String, type: UInt8, eventType: UInt8 = 0x6f, states: UInt16?
    ) -> SimulatedSensor {
        let body: [UInt8] =
            [0x20, 0, number, 10, 1, 0x67, 0x40, type, eventType, 0x0f, 0, 0x0f, 0, 0x0f, 0, 0xc0, 0, 0, 1, 0]
            + [0, 0, 0, 0, 0, 0]
        return SimulatedSensor(
            number: number, record: header(number, type: 0x02, body + text(name)),
            reading: states.map { [0, 0xc0, UInt8($0 & 0xff), UInt8($0 >> 8) | 0x80] })
    }

    /// Type 11h: where an inventory is (table 43-7).
    public static func inventory(_ device: UInt8, _ name: String) -> SimulatedSensor {
        SimulatedSensor(
            number: 0xf0 | device,
            record: header(
                0xf0 | device, type: 0x11, [0x20, device, 0x80, 0, 0, 0x10, 0x02, 7, 1, 0] + text(name)),
            reading: nil)
    }

    /// Type 12h: a controller (table 43-8).
    public static func controller(_ name: String) -> SimulatedSensor {
        SimulatedSensor(
            number: 0xe0,
            record: header(0xe0, type: 0x12, [0x20, 0, 0, 0xbf, 0, 0, 0, 7, 1, 0] + text(name)), reading: nil)
    }

    /// 8-bit text behind its type/length byte (§43.15).
    private static func text(_ name: String) -> [UInt8] { [0xc0 | UInt8(name.utf8.count)] + Array(name.utf8) }

    private static func header(_ id: UInt8, type: UInt8, _ body: [UInt8]) -> [UInt8] {
        [id, 0, 0x51, type, UInt8(body.count)] + body
    }

    /// A server's: a temperature, one below zero, fans, a voltage, curves, a power supply, and one that cannot be read.
    public static let usual: [SimulatedSensor] = [
        .controller("BMC"), .inventory(0, "Board"),
        .analog(1, "CPU Temp", type: 1, unit: 1, m: 1, thresholds: [100, 95, 90, nil, nil, nil], raw: 47),
        .analog(2, "Inlet Temp", type: 1, unit: 1, format: 2, m: 1, thresholds: [nil, 45, 40], raw: 0xf6),
        .analog(3, "FAN1", type: 4, unit: 18, m: 100, thresholds: [nil, nil, nil, 3, 5, 7], raw: 4, status: 0xc3),
        .analog(
            4, "12V", type: 2, unit: 4, m: 63, b: 12, bExponent: 1, resultExponent: -3,
            thresholds: [nil, 210, 205, nil, 165, 170], raw: 190),
        .analog(5, "Curve", type: 0x0b, unit: 6, linearization: 8, m: 2, b: -3, resultExponent: -1, raw: 70),
        .analog(6, "Inverse", type: 0x0b, unit: 19, linearization: 7, m: 5, resultExponent: -2, raw: 8),
        .analog(7, "NIC Temp", type: 1, unit: 1, m: 1, raw: nil),
        .discrete(8, "PSU1 Status", type: 8, states: 0b0000_1001),
        .discrete(9, "Intrusion", type: 5, states: 0),
        .discrete(10, "PSU Redundancy", type: 9, eventType: 0x0b, states: 0b10),
    ]
}

/// The repository (§33): records in order, read with a reservation.
struct SimulatedRepository: Sendable {
    var sensors = SimulatedSensor.usual
    private var reservation: UInt16 = 0

    mutating func perform(_ command: UInt8, _ data: [UInt8], _ quirks: inout BMCQuirks) -> (UInt8, [UInt8]) {
        switch command {
        case 0x20:
            let count = UInt16(sensors.count)
            return (
                0, [0x51, UInt8(count & 0xff), UInt8(count >> 8), 0, 0x10] + Array(repeating: 0, count: 8) + [0x02]
            )
        case 0x22:
            reservation &+= 1
            return (0, [UInt8(reservation & 0xff), UInt8(reservation >> 8)])
        case 0x23:
            guard data.count == 6 else { return (0xc7, []) }
            if quirks.lostReservations > 0 {
                quirks.lostReservations -= 1
                reservation &+= 1
            }
            let reserved = UInt16(data[0]) | UInt16(data[1]) << 8
            guard reserved == reservation || (reserved == 0 && data[4] == 0) else { return (0xc5, []) }
            let id = UInt16(data[2]) | UInt16(data[3]) << 8
            let found =
                id == 0 ? sensors.indices.first : sensors.firstIndex { $0.record[0] == UInt8(id & 0xff) && id < 256 }
            guard let index = found else { return (0xcb, []) }
            let rest = sensors[index].record.dropFirst(Int(data[4]))
            let count = data[5] == 0xff ? rest.count : Int(data[5])
            guard count <= quirks.pieceLimit else { return (0xca, []) }
            let next: [UInt8] = index + 1 < sensors.count ? [sensors[index + 1].record[0], 0] : [0xff, 0xff]
            return (0, next + rest.prefix(count))
        default: return (0xc1, [])
        }
    }

    func reading(_ data: [UInt8]) -> (UInt8, [UInt8]) {
        guard let number = data.first else { return (0xc7, []) }
        guard let sensor = sensors.first(where: { $0.number == number && $0.record[3] <= 3 }),
            let reading = sensor.reading
        else { return (0xcb, []) }
        return (0, reading)
    }
}
