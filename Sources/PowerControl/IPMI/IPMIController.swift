import IPMI
import Inventory
import Logging
import Machines

/// Controls machines by IPMI 2.0 over LAN. Every write is read back.
public struct IPMIController: BMCController {
    private let logger: Logger

    public init(logger: Logger) { self.logger = logger }

    public func power(of bmc: BMCAccess) async throws -> PowerState {
        try await session(bmc) { session in try await Self.read(&session) }
    }

    public func perform(_ action: PowerAction, on bmc: BMCAccess) async throws -> PowerState {
        try await session(bmc) { session in
            let before = try await Self.read(&session)
            let (control, wanted) = Self.control(action, before: before)
            if let control {
                logger.info("chassis control", metadata: ["bmc.endpoint": "\(bmc)", "action": "\(action)"])
                _ = try await session.send(.chassisControl(control))
            }
            let clock = ContinuousClock()
            let deadline = clock.now.advanced(by: bmc.settle)
            while true {
                let state = try await Self.read(&session)
                if state == wanted { return state }
                guard clock.now < deadline else {
                    throw BMCError(
                        address: bmc.address, doing: "power \(action.rawValue)", reason: .notDone,
                        "accepted, but the chassis still reports \(state.rawValue) after \(bmc.settle)")
                }
                try await Task.sleep(for: .milliseconds(500))
            }
        }
    }

    public func bootOnce(from device: BootDevice, uefi: Bool, on bmc: BMCAccess) async throws -> BootOverride {
        let flags = BootFlags(device: device == .network ? .network : .disk, isUEFI: uefi)
        return try await session(bmc) { session in
            do {
                _ = try await session.send(.keepBootFlags)
            } catch let error as BMCError {
                // Some BMCs have no parameter 3; then the flags live for 60 seconds.
                guard error.reason == .refused else { throw error }
            }
            _ = try await session.send(.bootOnce(flags))
            guard let found = BootFlags(answer: try await session.send(.readBootFlags)), found.isValid else {
                return .unverifiable
            }
            guard found.device == flags.device, found.isUEFI == flags.isUEFI else {
                throw BMCError(
                    address: bmc.address, doing: "boot once from \(device.rawValue)", reason: .notDone,
                    "accepted, but read back as another device or firmware kind")
            }
            return .confirmed
        }
    }

    /// A cycle of a chassis that is off turns it on (§28.3: the command itself may be refused then).
    static func control(_ action: PowerAction, before: PowerState) -> (ChassisControl?, PowerState) {
        switch (action, before) {
        case (.on, .on), (.off, .off): (nil, before)
        case (.on, _): (.powerUp, .on)
        case (.off, _): (.powerDown, .off)
        case (.cycle, .off), (.reset, .off): (.powerUp, .on)
        case (.cycle, _): (.powerCycle, .on)
        case (.reset, _): (.hardReset, .on)
        }
    }

    /// Bit 0 of the current power state (table 28-3).
    private static func read(_ session: inout OpenSession) async throws -> PowerState {
        let answer = try await session.send(.chassisStatus)
        return answer.first.map { $0 & 1 == 1 ? .on : .off } ?? .unknown
    }

    private func session<Result: Sendable>(
        _ bmc: BMCAccess, _ body: @Sendable (inout OpenSession) async throws -> Result
    ) async throws -> Result {
        let connection = BMCConnection(
            address: bmc.address, port: bmc.port,
            suites: bmc.quirks.contains(.cipherSuite3) ? [.three] : [.seventeen, .three],
            credentials: .init(username: bmc.username, password: bmc.password))
        return try await connection.session(body)
    }
}
