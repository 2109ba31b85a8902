/// The system event log (§31) of a simulated BMC.
public struct SimulatedLog: Sendable {
    /// Records of 16 bytes; the ids are theirs.
    public private(set) var entries: [[UInt8]] = []
    private var nextID: UInt16 = 1
    var reservation: UInt16 = 0
    private var erasing = 0

    /// - Parameter body: type and 13 bytes.
    public mutating func add(_ body: [UInt8]) {
        entries.append([UInt8(nextID & 0xff), UInt8(nextID >> 8)] + body.prefix(14))
        nextID += 1
        // Something new ends the reservation (§31.4).
        reservation &+= 1
    }

    /// An event of a sensor: table 32-1.
    public mutating func addEvent(time: UInt32, sensorType: UInt8, sensor: UInt8, eventType: UInt8, data: [UInt8]) {
        let time = (0..<4).map { UInt8(truncatingIfNeeded: time >> UInt32(8 * $0)) }
        add([2] + time + [0x20, 0, 4, sensorType, sensor, eventType] + data)
    }

    mutating func perform(_ command: UInt8, _ data: [UInt8], _ quirks: inout BMCQuirks) -> (UInt8, [UInt8]) {
        switch command {
        case 0x40:
            let free = UInt16(clamping: 65535 - entries.count * 16)
            let last = entries.last.map { Array($0[3..<7]) } ?? [0xff, 0xff, 0xff, 0xff]
            return (
                0,
                [0x51, UInt8(entries.count & 0xff), UInt8(entries.count >> 8), UInt8(free & 0xff), UInt8(free >> 8)]
                    + last + [0, 0, 0, 0x60, 0x0a]
            )
        case 0x42:
            reservation &+= 1
            return (0, [UInt8(reservation & 0xff), UInt8(reservation >> 8)])
        case 0x43: return get(data, &quirks)
        case 0x47: return clear(data, &quirks)
        case 0x48: return (0, [0x00, 0x5e, 0xd0, 0x6a])
        default: return (0xc1, [])
        }
    }

    private mutating func isReserved(_ data: [UInt8], _ quirks: inout BMCQuirks) -> Bool {
        if quirks.lostReservations > 0 {
            quirks.lostReservations -= 1
            reservation &+= 1
        }
        return UInt16(data[0]) | UInt16(data[1]) << 8 == reservation
    }

    private mutating func get(_ data: [UInt8], _ quirks: inout BMCQuirks) -> (UInt8, [UInt8]) {
        guard data.count == 6 else { return (0xc7, []) }
        let isWhole = data[4] == 0 && data[5] == 0xff
        if !isWhole, !isReserved(data, &quirks) { return (0xc5, []) }
        let count = isWhole ? 16 : Int(data[5])
        guard count <= quirks.pieceLimit else { return (0xca, []) }
        let id = UInt16(data[2]) | UInt16(data[3]) << 8
        let index =
            switch id {
            case 0: entries.indices.first
            case 0xffff: entries.indices.last
            default: entries.firstIndex { UInt16($0[0]) | UInt16($0[1]) << 8 == id }
            }
        guard let index else { return (0xcb, []) }
        let next = index + 1 < entries.count ? Array(entries[index + 1][0..<2]) : [0xff, 0xff]
        return (0, next + entries[index].dropFirst(Int(data[4])).prefix(count))
    }

    private mutating func clear(_ data: [UInt8], _ quirks: inout BMCQuirks) -> (UInt8, [UInt8]) {
        guard data.count == 6, Array(data[2..<5]) == Array("CLR".utf8) else { return (0xcc, []) }
        guard isReserved(data, &quirks) else { return (0xc5, []) }
        if data[5] == 0xaa {
            erasing = quirks.eraseLooks
            if !quirks.keepsLog {
                entries = []
                // It notes that it was cleared, as most do.
                addEvent(time: 0x6ad0_5e00, sensorType: 0x10, sensor: 0x70, eventType: 0x6f, data: [2, 0xff, 0xff])
                reservation = UInt16(data[0]) | UInt16(data[1]) << 8
            }
        } else if erasing > 0 {
            erasing -= 1
        }
        return (0, [erasing > 0 ? 0 : 1])
    }
}
