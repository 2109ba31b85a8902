import IPMI
import Logging
import Machines

extension IPMIController {
    /// Tries of boot flags that are taken back.
    private static let tries = 3

    public func bootOnce(from device: BootDevice, uefi: Bool, on bmc: BMCAccess) async throws -> BootOverride {
        let flags = BootFlags(device: device == .network ? .network : .disk, isUEFI: uefi)
        let doing = "boot once from \(device.rawValue)"
        return try await session(bmc) { session in
            var found: BootFlags?
            for attempt in 1...Self.tries {
                try await set(flags, &session)
                found = BootFlags(answer: try await session.send(.readBootFlags))
                if let first = found, first.isValid {
                    // Some BMCs show what was written and take it back a moment later.
                    try await Task.sleep(for: times.revert)
                    found = BootFlags(answer: try await session.send(.readBootFlags))
                } else if attempt == 1 {
                    // Flags that are never valid when read, as in OpenIPMI's simulator: no lie, and no confirmation either.
                    return .unverifiable
                }
                if let found, found == flags { return .confirmed }
                logger.warning(
                    "boot override reverts", metadata: ["bmc.endpoint": "\(bmc)", "attempt": "\(attempt)"])
            }
            let words = found.map { flags in
                flags.isValid
                    ? "\(flags.deviceName), \(flags.isUEFI ? "UEFI" : "BIOS"), \(flags.isPersistent ? "always" : "once")"
                    : "no override"
            }
            throw session.fault(
                doing, .notDone, "accepted \(Self.tries) times, and read back as \(words ?? "nothing")")
        }
    }

    /// Parameter 0 is held meanwhile, and released whatever comes.
    private func set(_ flags: BootFlags, _ session: inout OpenSession) async throws {
        try await begin(&session)
        do {
            for request in [Request.keepBootFlags, .renewBootInfo] {
                // Optional: without parameter 3 the flags live for 60 seconds.
                _ = try await session.ask(request)
            }
            _ = try await session.send(.setBootFlags(flags))
        } catch {
            _ = try? await session.ask(.bootOptions(inProgress: false))
            throw error
        }
        _ = try await session.ask(.bootOptions(inProgress: false))
    }

    /// Waits while somebody else sets boot options. One who has died in between would lock them for ever: after five seconds they are
    /// taken over.
    private func begin(_ session: inout OpenSession) async throws {
        for wait in Array(repeating: times.looks[0], count: 10) {
            let (code, _) = try await session.ask(.bootOptions(inProgress: true))
            // Parameter 0 is optional.
            guard code == .setInProgress else { return }
            try await Task.sleep(for: wait)
        }
        logger.warning(
            "boot options were left in progress: taken over", metadata: ["bmc.address": "\(session.address)"])
        _ = try await session.ask(.bootOptions(inProgress: false))
        _ = try await session.ask(.bootOptions(inProgress: true))
    }
}
