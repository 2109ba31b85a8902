import TestSupport
import Testing

@testable import IPMI

/// Records laid out by hand from IPMI v2.0 (tables 43-1, 43-2); the numbers are what its formula of §36.3 gives.
@Suite struct SensorTests {
    /// A full record of sensor 30h `CPU Temp`, M 1, with upper thresholds 95 (critical) and 90.
    static let full = bytes(
        """
        0100 51 01 33 20 00 30 0301 7f68 01 01 957a 957a 1818 80 01 00 00 0100 0000 00 00 00 000000 7fff 00 5f 5a 00 00 00 02 02 0000 00
        c8 4350552054656d70
        """)

    @Test("a full record")
    func fullRecord() throws {
        guard case .sensor(let sensor) = SensorDataRecord(Self.full) else { throw Failure() }
        #expect(sensor.name == "CPU Temp" && sensor.kind == "temperature" && sensor.unit.symbol == "°C")
        #expect(sensor.number == 0x30 && sensor.owner == 0x20 && sensor.isThresholdBased)
        #expect(sensor.thresholds == [.upperCritical: 0x5f, .upperNonCritical: 0x5a])
        #expect(sensor.conversion?.value(0x2f) == 47 && sensor.conversion?.value(0xf6) == -10)
    }

    @Test(
        "units by their numbers in table 43-15",
        arguments: [
            (1, "°C"), (3, "K"), (4, "V"), (5, "A"), (6, "W"), (7, "J"), (9, "VA"), (12, "lx"), (14, "kPa"),
            (17, "CFM"),
            (18, "RPM"), (19, "Hz"), (20, "µs"), (22, "s"), (26, "weeks"), (29, "ft"), (34, "m"), (36, "m³"), (37, "l"),
            (42, "cycles"), (43, "g₀"), (48, "G"), (53, "µF"), (54, "Ω"), (58, "ppm"), (59, ""), (60, "dB"),
            (61, "dBA"),
            (62, "dBC"), (65, "K"), (66, "bits"), (69, "Gbit"), (70, "B"), (73, "GB"), (76, "qwords"), (80, "retries"),
            (82, "overruns"), (85, "packets"), (87, "characters"), (88, "errors"), (91, "errors"), (92, "g"), (93, ""),
            (255, ""),
        ] as [(UInt8, String)])
    func units(code: UInt8, symbol: String) { #expect(SensorUnit(units: [0, code, 0]).symbol == symbol) }

    @Test("percentages, rates, and units by others")
    func compoundUnits() {
        #expect(SensorUnit(units: [1, 0, 0]).symbol == "%")
        #expect(SensorUnit(units: [3 << 3, 70, 0]).symbol == "B/s")
        #expect(
            SensorUnit(units: [1 << 1, 6, 24]).symbol == "W/h" && SensorUnit(units: [2 << 1, 6, 24]).symbol == "W·h")
    }

    struct Curve: Sendable {
        var format: UInt8 = 0
        var linearization: UInt8 = 0
        var factors: String
        var raw: UInt8
        var value: Double?
    }

    @Test(
        "raw bytes to numbers",
        arguments: [
            // M 63, B 12, exponents -3 and 1: (63·190 + 12·10)·10⁻³.
            Curve(factors: "3f 00 0c 00 00 d1", raw: 190, value: 12.09),
            // M -2 in ten bits, B -1.
            Curve(factors: "fe c0 ff c0 00 00", raw: 10, value: -21),
            Curve(format: 1, factors: "01 00 00 00 00 00", raw: 0xfe, value: -1),
            Curve(format: 2, factors: "01 00 00 00 00 00", raw: 0x80, value: -128),
            Curve(linearization: 1, factors: "01 00 00 00 00 00", raw: 100, value: 4.605170185988092),
            Curve(linearization: 2, factors: "01 00 00 00 00 00", raw: 100, value: 2),
            Curve(linearization: 3, factors: "01 00 00 00 00 00", raw: 128, value: 7),
            Curve(linearization: 4, factors: "01 00 00 00 00 00", raw: 2, value: 7.38905609893065),
            Curve(linearization: 5, factors: "01 00 00 00 00 00", raw: 3, value: 1000),
            Curve(linearization: 6, factors: "01 00 00 00 00 00", raw: 10, value: 1024),
            Curve(linearization: 7, factors: "01 00 00 00 00 00", raw: 4, value: 0.25),
            Curve(linearization: 7, factors: "01 00 00 00 00 00", raw: 0, value: nil),
            Curve(linearization: 8, factors: "01 00 00 00 00 00", raw: 12, value: 144),
            Curve(linearization: 9, factors: "01 00 00 00 00 00", raw: 5, value: 125),
            Curve(linearization: 10, factors: "01 00 00 00 00 00", raw: 81, value: 9),
            Curve(linearization: 11, factors: "01 00 00 00 00 00", raw: 64, value: 4),
            Curve(linearization: 1, factors: "01 00 00 00 00 00", raw: 0, value: nil),
        ])
    func conversion(curve: Curve) throws {
        let conversion = try #require(
            SensorConversion(format: curve.format, linearization: curve.linearization, factors: bytes(curve.factors)))
        let value = conversion.value(curve.raw)
        #expect((value == nil) == (curve.value == nil))
        if let value, let wanted = curve.value { #expect(abs(value - wanted) < 1e-9 * max(1, abs(wanted)), "\(value)") }
    }

    @Test("readings of thresholds: what the BMC compares counts, else the record's own limits")
    func thresholds() throws {
        guard case .sensor(let sensor) = SensorDataRecord(Self.full) else { throw Failure() }
        func read(_ answer: String) throws -> SensorValue {
            SensorValue(try #require(RawReading(answer: bytes(answer))), of: sensor, conversion: sensor.conversion)
        }
        #expect(try read("2f c0 c0") == .init(value: 47, severity: .ok, states: []))
        #expect(try read("5c c0 c8").severity == .warning)
        #expect(try read("60 c0 d8").severity == .critical)
        // Without states in the answer.
        #expect(try read("5c c0") == .init(value: 92, severity: .warning, states: ["above upper non-critical"]))
        #expect(try read("2f e0 c0") == .init(value: nil, severity: nil, states: ["no reading now"]))
        #expect(try read("2f 80 c0").value == nil)
        #expect(RawReading(answer: [1]) == nil)
    }

    @Test("discrete sensors say their states, and sensors that share a record have names of their own")
    func discrete() throws {
        // Type 02h: sensors 40h to 42h `PSU`, numbered from 1.
        let record = bytes(
            "0200 51 02 1e 20 00 40 0a01 6740 08 6f 0f00 0f00 0f00 c00000 03 01 0000 000000 00 c3 505355")
        guard case .sensor(let sensor) = SensorDataRecord(record) else { throw Failure() }
        #expect(
            sensor.all.map(\.name) == ["PSU 1", "PSU 2", "PSU 3"] && sensor.all.map(\.number) == [0x40, 0x41, 0x42])
        let value = SensorValue(try #require(RawReading(answer: [0, 0xc0, 0x09, 0x80])), of: sensor, conversion: nil)
        #expect(value == .init(value: nil, severity: .critical, states: ["present", "input lost"]))
    }

    @Test("the repository is read in pieces that get smaller, with a reservation that gets lost")
    func repository() throws {
        var reading = SensorRepositoryReading(piece: 64)
        var (asked, reservation) = (0, UInt8(0))
        try converse(&reading) { request in
            asked += 1
            guard request.command == 0x23 else {
                reservation += 1
                return (.success, [reservation, 0])
            }
            if request.data[5] > 16 { return (.tooManyBytes, []) }
            if request.data[0] != reservation || asked == 9 {
                reservation += 1
                return (.reservationCancelled, [])
            }
            return (.success, [0xff, 0xff] + Self.full.dropFirst(Int(request.data[4])).prefix(Int(request.data[5])))
        }
        #expect(reading.records == [SensorDataRecord(Self.full)])
    }

    @Test("whatever a BMC answers, reading ends")
    func total() {
        var generator = SeededGenerator(seed: 33)
        for _ in 0..<200 {
            var (sensors, log, fru) = (SensorRepositoryReading(), EventLogReading(keep: 10), FRUReading())
            var clearing = EventLogClearing()
            for _ in 0..<40 {
                let code = CompletionCode(
                    rawValue: [0, 0, 0, 0, 0xc5, 0xca, 0xff, 0xc0].randomElement(using: &generator) ?? 0)
                let data = generator.bytes(Int.random(in: 0..<40, using: &generator))
                try? sensors.receive(code, data)
                try? log.receive(code, data)
                try? fru.receive(code, data)
                _ = clearing.next()
                try? clearing.receive(code, data)
            }
            _ = SensorDataRecord(generator.bytes(60))
            _ = EventLogEntry(generator.bytes(16))?.told()
            _ = FRUInformation(generator.bytes(64))
        }
        // A record that is its own next one.
        var circle = SensorRepositoryReading()
        #expect(throws: Never.self) {
            try converse(&circle) { request in
                request.command == 0x23
                    ? (.success, [7, 0] + Self.full.dropFirst(Int(request.data[4]))) : (.success, [1, 0])
            }
        }
        #expect(circle.records.count == 2)
    }

    struct Failure: Error {}
}

extension SensorTests {
    static var any: SensorRecord {
        guard case .sensor(let sensor) = SensorDataRecord(full) else { preconditionFailure("the record is one") }
        return sensor
    }
}

/// Runs a conversation against a function, within a bound that no real one reaches.
func converse<Talk: Conversation>(_ talk: inout Talk, _ answer: (Request) -> (CompletionCode, [UInt8])) throws {
    for _ in 0..<10_000 {
        switch talk.next() {
        case .done: return
        case .pause: continue
        case .send(let request):
            let (code, data) = answer(request)
            try talk.receive(code, data)
        }
    }
    Issue.record("no end")
}
