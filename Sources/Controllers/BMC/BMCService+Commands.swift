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

    /// How a machine's BMC is in its own LAN.
    public func network(of id: String) async throws -> BMCNetwork {
        try await ask(id, "LAN") { try await $0.network(of: $1) }
    }

    /// Sets the LAN of a machine's BMC. Where Slipway talks to it at its own address, it does so at the new one from then on.
    /// - Parameter moves: the person knows that it gets another address.
    /// - Returns: how it was, and how it is.
    /// - Throws: ``ServiceError``: `conflict` when it would get another address and `moves` is false; then nothing was changed.
    public func setNetwork(
        _ setting: BMCNetworkSetting, moves: Bool, of id: String, by actor: String
    ) async throws -> (before: BMCNetwork, after: BMCNetwork) {
        if let fault = setting.fault { throw ServiceError(.invalid, fault.reason, field: fault.field) }
        let before = try await network(of: id)
        guard moves || !setting.moves(before) else {
            throw ServiceError(
                .conflict,
                "its BMC has \(before.summary) and would get \(setting.summary): whoever talks to it has to find it there; say that it may move (`--move`)",
                field: "moves")
        }
        // First: a BMC that is not found afterwards has its trail.
        try await record("its BMC's LAN is set from \(before.summary) to \(setting.summary)", of: id, by: actor)
        let after = try await ask(id, "set the BMC's LAN") { try await $0.setNetwork(setting, on: $1) }
        let (old, new) = ("\(before.address)", "\(after.address)")
        if old != new {
            try await change(id) { machine, _ in
                guard machine.desired.bmc?.address == old else { return }
                machine.desired.bmc?.address = new
                if machine.observed.bmc?.address == old { machine.observed.bmc?.address = new }
                machine.generation += 1
            }
        }
        return (before, after)
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
