import Machines
import NIOHTTP1
import Redfish
import SwiftASN1
import X509

extension RedfishController {
    public func describe(_ bmc: BMCAccess) async throws -> BMCDescription {
        try await run(bmc, "say what it is") { session in try await describe(session) }
    }

    func describe(_ session: RedfishSession) async throws -> BMCDescription {
        let root = try await session.serviceRoot()
        let system = try await session.system()
        let manager = try await session.manager(of: system)
        // The maker's name stands before the model where the model does not say it.
        let maker = system.manufacturer.flatMap { $0.split(separator: " ").first.map(String.init) }
        let model = system.model.map { model in
            maker.map { model.lowercased().contains($0.lowercased()) ? model : "\($0) \(model)" } ?? model
        }
        var abilities: [String] = []
        if system.boot != nil { abilities.append("boot override") }
        if system.virtualMedia ?? manager?.virtualMedia != nil { abilities.append("virtual media") }
        if let console = manager?.serialConsole, console.contains("IPMI") { abilities.append("serial console") }
        if system.logServices ?? manager?.logServices != nil { abilities.append("event log") }
        if root.updateService != nil { abilities.append("firmware list") }
        if root.eventService != nil { abilities.append("events") }
        if system.secureBoot != nil { abilities.append("Secure Boot state") }
        if system.bios != nil { abilities.append("BIOS attributes") }
        return BMCDescription(
            kind: .redfish, specification: "Redfish \(root.version)", vendor: root.vendor ?? system.manufacturer,
            model: root.product ?? manager?.model, firmware: manager?.firmware, system: model ?? system.manufacturer,
            serial: root.serviceTag ?? system.serial ?? system.sku, uuid: system.uuid?.lowercased(),
            power: system.power.state, abilities: abilities)
    }

    public func sensors(of bmc: BMCAccess) async throws -> [SensorReading] {
        try await run(bmc, "read sensors") { session in
            let system = try await session.system()
            var values: [SensorValue] = []
            for chassis in try await session.chassis(of: system) { values += try await sensors(of: chassis, session) }
            guard !values.isEmpty else { throw await session.error(.unsupported, "its chassis has no sensors") }
            return SensorValue.toldApart(values).map { value in
                SensorReading(
                    name: value.name, kind: value.kind, value: value.value, unit: value.unit,
                    health: .init(value.severity), states: value.states)
            }
        }
    }

    /// The Sensors collection where there is one; else what came before it (Thermal, Power); else the subsystems' own.
    private func sensors(of chassis: Chassis, _ session: RedfishSession) async throws -> [SensorValue] {
        var values: [SensorValue] = []
        func json(_ path: ResourcePath?) async throws -> JSON? {
            guard let path else { return nil }
            let answer = try await session.send(.GET, path)
            return answer.isGood ? answer.json : nil
        }
        if let sensors = chassis.sensors, try await json(sensors) != nil {
            values = try await session.members(of: sensors, most: 512).compactMap { SensorValue(sensor: $0) }
        }
        let subsystem = try await json(chassis.powerSubsystem)
        if !values.isEmpty {
            if let supplies = subsystem?.link("PowerSupplies") {
                values += SensorValue.powerSupplies(try await session.members(of: supplies, most: 64))
            }
            return values
        }
        values = try await json(chassis.thermal).map(SensorValue.thermal) ?? []
        values += try await json(chassis.power).map(SensorValue.power) ?? []
        if values.isEmpty, let thermal = try await json(chassis.thermalSubsystem) {
            values += try await json(thermal.link("ThermalMetrics")).map(SensorValue.thermalMetrics) ?? []
            if let fans = thermal.link("Fans") {
                values += SensorValue.fans(try await session.members(of: fans, most: 128))
            }
        }
        return values
    }

    public func firmware(of bmc: BMCAccess) async throws -> [FirmwareComponent] {
        try await run(bmc, "list firmware") { session in
            guard let service = try await session.serviceRoot().updateService,
                let inventory = try await session.get(service).json.link("FirmwareInventory")
            else { throw await session.error(.unsupported, "its service has no firmware inventory") }
            let components = try await session.members(of: inventory, most: 512).compactMap { SoftwareComponent($0) }
            return runningSoftware(components).map {
                FirmwareComponent(name: $0.name, version: $0.version, isUpdateable: $0.isUpdateable)
            }
        }
    }

    public func secureBoot(of bmc: BMCAccess) async throws -> SecureBootState {
        try await run(bmc, "tell the state of Secure Boot") { session in
            let system = try await session.system()
            guard let path = system.secureBoot else {
                throw await session.error(.unsupported, "its system \(system.path) does not tell of Secure Boot")
            }
            let state = SecureBoot(try await session.get(path).json)
            return SecureBootState(
                isEnabled: state.isEnabled, isActive: state.current.map { $0 == "Enabled" }, mode: state.mode)
        }
    }

    public func biosAttributes(of bmc: BMCAccess) async throws -> [String: String] {
        try await run(bmc, "read the BIOS attributes") { session in
            let system = try await session.system()
            guard let path = system.bios else {
                throw await session.error(.unsupported, "its system \(system.path) has no BIOS attributes")
            }
            return Redfish.biosAttributes(try await session.get(path).json)
        }
    }

    /// Those of its HTTPS server that it lists, and the one of this very handshake first.
    public func certificates(of bmc: BMCAccess) async throws -> [BMCCertificate] {
        try await run(bmc, "list its certificates") { session in
            let system = try await session.system()
            var found: [BMCCertificate] = []
            if let shown = await session.shown, let own = await judge.describe(shown, address: bmc.address) {
                found.append(own)
            }
            guard let network = try await session.manager(of: system)?.networkProtocol,
                let list = try await session.get(network).json["HTTPS"]?.link("Certificates")
            else { return found }
            for member in try await session.members(of: list, most: 32) {
                guard let pem = member["CertificateString"]?.string,
                    let certificate = try? Self.certificates(pem: pem).first,
                    let der = try? certificate.serializeAsPEM().derBytes
                else { continue }
                let shown = CertificateJudge.Shown([der])
                guard !found.contains(where: { $0.sha256 == shown.sha256 }) else { continue }
                let reason = await judge.unauthorized(shown, address: bmc.address)
                found.append(CertificateJudge.describe(der, isAuthorized: reason == nil))
            }
            return found
        }
    }
}

extension SensorReading.Health {
    init(_ severity: Severity) {
        switch severity {
        case .ok: self = .ok
        case .warning: self = .warning
        case .critical: self = .critical
        case .unknown: self = .unknown
        }
    }
}
