import TestSupport
import Testing

@testable import IPMI

/// Entries laid out from IPMI v2.0 §32; words from tables 42-1 to 42-3.
@Suite struct EventLogTests {
    struct Row: Sendable {
        var entry: String
        var source: String?
        var message: String
        var severity = EventSeverity.critical
        var time: UInt32? = 0x6000_0000
    }

    @Test(
        "entries in words",
        arguments: [
            // CPU Temp (30h) above upper critical: reading 96, threshold 95.
            Row(
                entry: "0100 02 00000060 2000 04 01 30 01 59 60 5f", source: "CPU Temp",
                message: "upper critical going high, reading 96 °C, threshold 95 °C"),
            Row(
                entry: "0100 02 00000060 2000 04 01 30 81 59 60 5f", source: "CPU Temp",
                message: "upper critical going high, reading 96 °C, threshold 95 °C: ended", severity: .ok),
            // A sensor that is in no record.
            Row(
                entry: "0200 02 00000060 2000 04 08 c8 6f 03 ff ff", source: "power supply c8h", message: "input lost"),
            Row(
                entry: "0300 02 00000060 4100 04 0c 01 6f a0 00 12", source: "memory 01h",
                message: "correctable ECC, data 00 12", severity: .warning),
            Row(
                entry: "0400 02 00000060 2000 04 10 70 6f 02 ff ff", source: "event log 70h", message: "log cleared",
                severity: .ok),
            // Generic: redundancy lost.
            Row(
                entry: "0500 02 00000060 2000 04 09 0a 0b 01 ff ff", source: "power unit 0ah",
                message: "redundancy lost", severity: .warning),
            // An OEM event type has no table.
            Row(
                entry: "0600 02 00000060 2000 04 12 83 72 6f 20 03", source: "system event 83h",
                message: "event type 72h, data 6f 20 03", severity: .ok),
            Row(
                entry: "0700 c1 00000060 a20200 010203040506", source: nil,
                message: "Dell's own record c1h: 01 02 03 04 05 06", severity: .ok),
            Row(
                entry: "0800 e0 0102030405060708090a0b0c0d", source: nil,
                message: "a maker's own record e0h: 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d", severity: .ok, time: nil),
            // The BMC had no time yet: seconds since its start.
            Row(
                entry: "0900 02 10000000 2000 04 04 01 01 52 05 07", source: "fan 01h",
                message: "lower critical going low, reading 05h (raw), threshold 07h (raw)", time: nil),
        ])
    func words(row: Row) throws {
        let entry = try #require(EventLogEntry(bytes(row.entry)))
        let (source, message, severity) = entry.told([SensorTests.any])
        #expect(source == row.source && message == row.message && severity == row.severity, "\(message)")
        #expect(entry.time == row.time)
    }

    static func record(_ id: UInt16) -> [UInt8] {
        [UInt8(id & 0xff), UInt8(id >> 8)] + bytes("02 00000060 2000 04 01 30 01 59 60 5f")
    }

    /// A log of `count` entries, as a BMC answers.
    static func log(_ count: UInt16, limit: UInt8 = 255) -> (Request) -> (CompletionCode, [UInt8]) {
        { request in
            switch request.command {
            case 0x40:
                return (.success, [0x51, UInt8(count & 0xff), UInt8(count >> 8)] + Array(repeating: 0, count: 11))
            case 0x42: return (.success, [9, 0])
            default:
                let asked = UInt16(request.data[2]) | UInt16(request.data[3]) << 8
                let id = asked == 0 ? 1 : asked
                let next: UInt16 = id < count ? id + 1 : 0xffff
                let wanted = request.data[5] == 0xff ? 16 : request.data[5]
                guard wanted <= limit else { return (.tooManyBytes, []) }
                let part = record(id).dropFirst(Int(request.data[4])).prefix(Int(wanted))
                return (.success, [UInt8(next & 0xff), UInt8(next >> 8)] + part)
            }
        }
    }

    @Test("the newest are kept, whole or in pieces", arguments: [255, 8, 5] as [UInt8])
    func reading(limit: UInt8) throws {
        var reading = EventLogReading(keep: 10)
        try converse(&reading, Self.log(300, limit: limit))
        #expect(reading.entries.map(\.id) == Array(291...300) && reading.count == 300)
        var empty = EventLogReading(keep: 10)
        try converse(&empty, Self.log(0))
        #expect(empty.entries.isEmpty)
    }

    @Test("clearing waits for the erasure, and gives up on one that does not end")
    func clearing() throws {
        var (looks, lost) = (0, false)
        var clearing = EventLogClearing()
        try converse(&clearing) { request in
            guard request.command == 0x47 else { return (.success, [1, 0]) }
            #expect(Array(request.data[2..<5]) == Array("CLR".utf8))
            if request.data[5] == 0xaa { return (.success, [0]) }
            looks += 1
            if looks == 2, !lost {
                lost = true
                return (.reservationCancelled, [])
            }
            return (.success, [looks > 3 ? 1 : 0])
        }
        #expect(looks == 4)
        var endless = EventLogClearing(most: 5)
        #expect(throws: ConversationError.self) { try converse(&endless) { _ in (.success, [0, 0]) } }
    }
}
