import IPMI
import Machines

extension IPMIController {
    public func describe(_ bmc: BMCAccess) async throws -> BMCDescription {
        try await session(bmc) { session in
            let device = try await Self.device(&session)
            let state = try await Self.read(&session)
            let fru = try await Self.inventory(&session)
            let guid = try await session.ask(.systemGUID)
            let console = try await session.ask(.consoleParameter(.enabled))
            // Bits of table 20-2.
            let bits: [(UInt8, String)] = [(0x01, "sensors"), (0x04, "event log"), (0x08, "inventory")]
            var abilities: [String] = bits.filter { device.support & $0.0 != 0 }.map(\.1)
            if console.0 == .success, console.1.count >= 2, console.1[1] & 1 == 1 { abilities.append("serial console") }
            let maker = Manufacturer(rawValue: device.manufacturer)
            let names: [String?] = [
                fru?.product?.manufacturer ?? fru?.board?.manufacturer, fru?.product?.name ?? fru?.board?.product,
            ]
            let system = names.compactMap { $0 }.joined(separator: " ")
            return BMCDescription(
                kind: .ipmi, specification: "IPMI \(device.specification)",
                vendor: maker.name ?? (device.manufacturer == 0 ? nil : "manufacturer \(device.manufacturer)"),
                model: device.product == 0 ? nil : "product \(device.product)", firmware: device.firmware,
                system: system.isEmpty ? nil : system,
                serial: fru?.product?.serial ?? fru?.chassis?.serial ?? fru?.board?.serial,
                uuid: guid.0 == .success ? SystemGUID.text(answer: guid.1) : nil, power: state, abilities: abilities)
        }
    }

    public func firmware(of bmc: BMCAccess) async throws -> [FirmwareComponent] {
        try await session(bmc) { session in
            let device = try await Self.device(&session)
            // The maker's own four bytes tell builds apart; zeros tell nothing.
            let build = device.auxiliary.contains { $0 != 0 } ? " (\(hex(device.auxiliary)))" : ""
            var components = [FirmwareComponent(name: "BMC", version: device.firmware + build)]
            if let product = try await Self.inventory(&session)?.product, let version = product.version {
                components.append(FirmwareComponent(name: product.name ?? "product", version: version))
            }
            return components
        }
    }

    public func sensors(of bmc: BMCAccess) async throws -> [SensorReading] {
        try await session(bmc) { session in
            let records = try await Self.records(&session)
            var readings: [SensorReading] = []
            for sensor in records.prefix(SensorRepositoryReading.most) where !sensor.isEventOnly {
                readings.append(try await Self.reading(of: sensor, &session))
            }
            return readings
        }
    }

    private static func reading(of sensor: SensorRecord, _ session: inout OpenSession) async throws -> SensorReading {
        var result = SensorReading(name: sensor.name, kind: sensor.kind)
        if sensor.isThresholdBased { result.unit = sensor.unit.symbol }
        // Others are behind the BMC, and asked by bridging.
        guard sensor.owner == 0x20 else {
            result.states = ["read by controller \(hex([sensor.owner]))h"]
            return result
        }
        let (code, data) = try await session.ask(.sensorReading(sensor))
        guard code == .success, let raw = RawReading(answer: data) else {
            result.states = [code == .success ? "the answer is too short" : "\(code)"]
            return result
        }
        var conversion = sensor.conversion
        if let own = conversion, own.isNonLinear, raw.isAvailable {
            let factors = try await session.ask(.readingFactors(sensor, raw: raw.raw))
            // The first byte is the next reading that has other ones.
            conversion = factors.0 == .success ? own.with(factors: factors.1.dropFirst()) : nil
        }
        let value = SensorValue(raw, of: sensor, conversion: conversion)
        (result.value, result.states) = (value.value, value.states)
        result.health = value.severity.map(SensorReading.Health.init) ?? .unknown
        return result
    }

    static func device(_ session: inout OpenSession) async throws -> DeviceID {
        let answer = try await session.send(.deviceID)
        guard let device = DeviceID(answer: answer) else {
            throw session.fault("device id", .nonsense, "the answer is too short")
        }
        return device
    }

    /// The machine's own inventory; nil for a BMC without one.
    private static func inventory(_ session: inout OpenSession) async throws -> FRUInformation? {
        var reading = FRUReading()
        do {
            try await session.run(&reading, doing: "read the inventory")
        } catch let error as BMCError where !error.isAbsence {
            return nil
        }
        return reading.information
    }

    /// Sensors of the repository, those that share a record each.
    static func records(_ session: inout OpenSession) async throws -> [SensorRecord] {
        var reading = SensorRepositoryReading()
        try await session.run(&reading, doing: "read the sensor repository")
        return reading.records.flatMap { record -> [SensorRecord] in
            if case .sensor(let sensor) = record { sensor.all } else { [] }
        }
    }
}

extension SensorReading.Health {
    init(_ severity: EventSeverity) {
        self =
            switch severity {
            case .ok: .ok
            case .warning: .warning
            case .critical: .critical
            }
    }
}
