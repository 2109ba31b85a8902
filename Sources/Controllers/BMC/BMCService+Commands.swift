import FoundationEssentials
import Machines
import Store

extension BMCService {
    /// What answers at an address. Nothing is kept.
    public func probe(_ setting: BMCSetting) async throws -> BMCProbe {
        // Without a user it is asked as a stranger: only the address has to be right.
        if let fault = setting.fault, setting.endpoint.username != nil || fault.field == "address" {
            throw ServiceError(.invalid, fault.reason, field: fault.field)
        }
        return await prober.probe(
            setting.endpoint.address, ports: setting.endpoint.ports, credentials: setting.credentials,
            verification: setting.endpoint.verification ?? .firstUse)
    }

    public func describe(_ id: String) async throws -> BMCDescription {
        try await ask(id, "BMC") { try await $0.describe($1) }
    }

    public func sensors(of id: String) async throws -> [SensorReading] {
        try await ask(id, "sensors") { try await $0.sensors(of: $1) }
    }

    public func eventLog(of id: String) async throws -> [BMCLogEntry] {
        try await ask(id, "event log") { try await $0.eventLog(of: $1) }
    }

    public func firmware(of id: String) async throws -> [FirmwareComponent] {
        try await ask(id, "firmware") { try await $0.firmware(of: $1) }
    }

    public func secureBoot(of id: String) async throws -> SecureBootState {
        try await ask(id, "Secure Boot") { try await $0.secureBoot(of: $1) }
    }

    public func biosAttributes(of id: String) async throws -> [String: String] {
        try await ask(id, "BIOS attributes") { try await $0.biosAttributes(of: $1) }
    }

    public func certificates(of id: String) async throws -> [BMCCertificate] {
        try await ask(id, "certificates") { try await $0.certificates(of: $1) }
    }

    /// New entries of the BMC's log, as they come.
    public func events(of id: String) async throws -> AsyncThrowingStream<BMCLogEntry, any Error> {
        controller.events(of: try await access(to: id))
    }

    public func setIdentifyLight(_ light: IdentifyLight, of id: String, by actor: String) async throws {
        try await ask(id, "identify light \(light.rawValue)") { try await $0.setIdentifyLight(light, on: $1) }
        try await record("identify light \(light.rawValue)", of: id, by: actor)
    }

    public func clearEventLog(of id: String, by actor: String) async throws {
        try await ask(id, "clear event log") { try await $0.clearEventLog(of: $1) }
        try await record("the BMC's event log was cleared", of: id, by: actor)
    }

    public func setVirtualMedia(_ url: String?, of id: String, by actor: String) async throws {
        try await ask(id, "virtual media") { try await $0.setVirtualMedia(url, on: $1) }
        try await record(
            url.map { "virtual CD \($0) put in" } ?? "virtual CD taken out", of: id, by: actor)
    }

    func record(_ words: String, of id: String, by actor: String) async throws {
        let (machine, now) = (try await machine(id), now())
        try await store.transaction { transaction in
            try transaction.put(
                Event.now(.bmcCommand, machine: id, actor: actor, "\(machine.name): \(words)", at: now))
        }
    }
}
