import Inventory
import Logging
import Machines

/// Every BMC by the wire of its kind, one command at a time. Asks by all wires at once what answers at an address.
public struct BMCRouter: BMCController, BMCProber {
    private let ipmi: IPMIController
    private let redfish: RedfishController
    private let wakeOnLAN = WakeOnLANController()
    private let pacer = Pacer()

    /// - Parameter authorities: PEM of those who sign BMCs' certificates; nil: nobody does.
    /// - Throws: when `authorities` is no PEM of certificates.
    public init(authorities: String?, logger: Logger) throws {
        ipmi = IPMIController(logger: logger)
        redfish =
            try authorities.map { try RedfishController(authorities: $0, logger: logger) }
            ?? RedfishController(logger: logger)
    }

    private struct NoBMC: BMCController {}

    private func wire(_ bmc: BMCAccess) -> any BMCController {
        switch bmc.kind {
        case .ipmi: ipmi
        case .redfish: redfish
        case .wakeOnLAN: wakeOnLAN
        case .none: NoBMC()
        }
    }

    private func pace<Result: Sendable>(
        _ bmc: BMCAccess, isUrgent: Bool = false, _ body: @Sendable (any BMCController) async throws -> Result
    ) async throws -> Result {
        // Both wires of a BMC are one BMC; behind ports of their own, as routers forward them, there may be several.
        let name = bmc.port == bmc.kind.defaultPort ? bmc.address : "\(bmc.address):\(bmc.port)"
        do {
            return try await pacer.pace(name, isSlow: bmc.quirks.contains(.slow), isUrgent: isUrgent) {
                try await body(wire(bmc))
            }
        } catch is Turns.Full {
            throw BMCError(
                address: bmc.address, doing: "wait for its turn", reason: .busy,
                "\(Turns.mostWaiting) commands wait for this BMC already; try again when they are done")
        }
    }

    public func power(of bmc: BMCAccess) async throws -> PowerState {
        try await pace(bmc) { try await $0.power(of: bmc) }
    }

    public func perform(_ action: PowerAction, on bmc: BMCAccess) async throws -> PowerState {
        try await pace(bmc, isUrgent: true) { try await $0.perform(action, on: bmc) }
    }

    public func bootOnce(from device: BootDevice, uefi: Bool, on bmc: BMCAccess) async throws -> BootOverride {
        try await pace(bmc, isUrgent: true) { try await $0.bootOnce(from: device, uefi: uefi, on: bmc) }
    }

    public func describe(_ bmc: BMCAccess) async throws -> BMCDescription {
        try await pace(bmc) { try await $0.describe(bmc) }
    }

    public func setIdentifyLight(_ light: IdentifyLight, on bmc: BMCAccess) async throws {
        try await pace(bmc) { try await $0.setIdentifyLight(light, on: bmc) }
    }

    public func sensors(of bmc: BMCAccess) async throws -> [SensorReading] {
        try await pace(bmc) { try await $0.sensors(of: bmc) }
    }

    public func eventLog(of bmc: BMCAccess) async throws -> [BMCLogEntry] {
        try await pace(bmc) { try await $0.eventLog(of: bmc) }
    }

    public func clearEventLog(of bmc: BMCAccess) async throws {
        try await pace(bmc) { try await $0.clearEventLog(of: bmc) }
    }

    public func firmware(of bmc: BMCAccess) async throws -> [FirmwareComponent] {
        try await pace(bmc) { try await $0.firmware(of: bmc) }
    }

    public func setVirtualMedia(_ url: String?, on bmc: BMCAccess) async throws {
        try await pace(bmc) { try await $0.setVirtualMedia(url, on: bmc) }
    }

    public func changePassword(to password: String, on bmc: BMCAccess) async throws {
        try await pace(bmc) { try await $0.changePassword(to: password, on: bmc) }
    }

    /// A stream of events is open for hours and waits for no turn; what a log is read for does.
    public func events(of bmc: BMCAccess) -> AsyncThrowingStream<BMCLogEntry, any Error> {
        if bmc.kind == .redfish { return redfish.events(of: bmc, interval: .seconds(60)) }
        guard bmc.kind == .ipmi else {
            let feed = EventLogFeed { try await eventLog(of: bmc) }
            return AsyncThrowingStream { try await feed.next() }
        }
        let feed = IPMIEventFeed { position in
            try await pace(bmc) { _ in try await ipmi.newEntries(of: bmc, behind: position) }
        }
        return AsyncThrowingStream { try await feed.next() }
    }

    /// Always by IPMI: Redfish has no console of its own. It is open for hours and waits for no turn.
    public func withConsole(
        of bmc: BMCAccess, takingOver: Bool, _ body: @Sendable (any SerialConsole) async throws -> Void
    ) async throws {
        guard bmc.kind == .ipmi || bmc.kind == .redfish else {
            throw BMCError.unsupported(bmc, "open the serial console")
        }
        try await ipmi.withConsole(of: bmc, takingOver: takingOver, body)
    }

    public func secureBoot(of bmc: BMCAccess) async throws -> SecureBootState {
        try await pace(bmc) { try await $0.secureBoot(of: bmc) }
    }

    public func biosAttributes(of bmc: BMCAccess) async throws -> [String: String] {
        try await pace(bmc) { try await $0.biosAttributes(of: bmc) }
    }

    public func certificates(of bmc: BMCAccess) async throws -> [BMCCertificate] {
        try await pace(bmc) { try await $0.certificates(of: bmc) }
    }

    /// Always by IPMI: Redfish has no standard for it that makers keep to.
    public func network(of bmc: BMCAccess) async throws -> BMCNetwork {
        try await pace(bmc) { wire in
            guard bmc.kind.isController else { return try await wire.network(of: bmc) }
            return try await ipmi.network(of: bmc)
        }
    }

    public func setNetwork(_ setting: BMCNetworkSetting, on bmc: BMCAccess) async throws -> BMCNetwork {
        try await pace(bmc) { wire in
            guard bmc.kind.isController else { return try await wire.setNetwork(setting, on: bmc) }
            return try await ipmi.setNetwork(setting, on: bmc)
        }
    }

    public func probe(
        _ address: String, ports: [BMCKind: Int], credentials: BMCCredentials?, verification: BMCVerification
    ) async -> BMCProbe {
        func port(_ kind: BMCKind) -> Int { ports[kind] ?? kind.defaultPort }
        let login = credentials.map { ($0.username, $0.password) }
        async let byIPMI = ipmi.probe(address: address, port: port(.ipmi), credentials: login)
        var byRedfish = await redfish.probe(address: address, port: port(.redfish), credentials: nil)
        if login != nil, byRedfish.outcome == .answers, let shown = byRedfish.certificate {
            let trust: BMCTrust =
                switch verification {
                case .firstUse: .pinned(shown.sha256)
                case .authorities: .authorities
                case .off: .anything
                }
            byRedfish = await redfish.probe(
                address: address, port: port(.redfish), credentials: login, trust: trust)
        }
        return BMCProbe(address: address, findings: [byRedfish, await byIPMI])
    }
}
