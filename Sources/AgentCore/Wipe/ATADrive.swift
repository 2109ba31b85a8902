import FoundationEssentials
import Inventory

/// Sanitize and Secure Erase of a SATA drive.
struct ATADrive: DriveEraser {
    let devices: any WipeDevices
    let path: String
    /// The password that our orders set, as long as an erasure takes.
    let secret: String

    func settle(_ progress: (Double?) -> Void) throws -> DriveState {
        var state = DriveState()
        guard let security = security() else { return state }
        if security.hasSanitize {
            if case .inProgress = sanitizeStatus()?.state {
                _ = try waitForSanitize(progress)
                state.remarks.append("a sanitize operation that had begun before was waited for")
            }
            state.needsSanitize = sanitizeStatus()?.state == .failed
        }
        if security.isEnabled {
            try unlock(security)
            state.remarks.append("a password that an earlier order had set was taken off")
        }
        lookForHiddenSectors(&state)
        return state
    }

    private func unlock(_ security: ATASecurity) throws {
        if security.isLocked {
            guard !security.isExpired else {
                throw WipeFailure(
                    "it is locked by a password and has counted too many wrong ones: power the machine off and on, then wipe again"
                )
            }
            guard isSecretUsable else { throw WipeFailure(Self.strange) }
            _ = hdparm("--security-unlock", secret)
            guard self.security()?.isLocked == false else { throw WipeFailure(Self.strange) }
        }
        // Unlocked by us, or by firmware with a password that we may not know.
        _ = isSecretUsable ? hdparm("--security-disable", secret) : nil
        guard self.security()?.isEnabled == false else {
            throw WipeFailure(
                "it has a password that is not ours, set in the firmware's setup perhaps: take it off there, then wipe again"
            )
        }
    }

    private func lookForHiddenSectors(_ state: inout DriveState) {
        guard let capacity = identify().flatMap({ ATACapacity(identify: $0) }), capacity.sectors > 0 else { return }
        func hidden(by what: String, upTo last: UInt64?, remedy: (UInt64) -> String) -> String? {
            guard let last, last >= capacity.sectors, last < .max else { return nil }
            return
                "\(what) hides its last \(last - capacity.sectors + 1) sectors: show them in a rescue shell (`\(remedy(last + 1)) \(path)`), power the "
                + "machine off and on, then wipe again"
        }
        let native = capacity.native.flatMap(nativeLastSector)
        let overlaid = capacity.hasOverlay ? overlaidLastSector() : nil
        state.hidden =
            hidden(by: "a host protected area", upTo: native) { "hdparm -N p\($0)" }
            ?? hidden(by: "a device configuration overlay", upTo: overlaid) { _ in "hdparm --dco-restore" }
        for (isSilent, what) in [
            (capacity.native != nil && native == nil, "host protected area"),
            (capacity.hasOverlay && overlaid == nil, "device configuration overlay"),
        ] where isSilent {
            state.remarks.append("the drive, or its controller, does not tell whether a \(what) hides sectors")
        }
    }

    private static let strange =
        "it is locked by a password that is not ours: unlock it in the firmware's setup or with the tool of who set it, or replace it"

    /// hdparm pads with zeros to 32 bytes, and reads one word as no password.
    private var isSecretUsable: Bool {
        (1...32).contains(secret.utf8.count) && secret != "NULL"
            && secret.utf8.allSatisfy { (0x21..<0x7f).contains($0) }
            && !secret.hasPrefix("-")
    }

    func availability(of method: EraseMethod) -> Availability {
        guard let security = security() else { return .absent("the drive does not say what it has") }
        switch method {
        case .ataSanitizeCrypto, .ataSanitizeBlock, .ataSanitizeOverwrite:
            let has =
                method == .ataSanitizeCrypto
                ? security.hasCrypto : method == .ataSanitizeBlock ? security.hasBlock : security.hasOverwrite
            guard security.hasSanitize, has else { return .absent("the drive does not have it") }
            if sanitizeStatus()?.state == .frozen { return .frozen(Self.frozen("Sanitize")) }
            return .available
        case .ataSecureErase, .ataSecureEraseEnhanced:
            guard security.isSupported, method == .ataSecureErase || security.hasEnhanced else {
                return .absent("the drive does not have it")
            }
            if security.isFrozen { return .frozen(Self.frozen("Security")) }
            return isSecretUsable ? .available : .absent("the order's password is none that hdparm takes")
        default: return .absent("it is no method of ATA")
        }
    }

    private static func frozen(_ what: String) -> String {
        "firmware froze the drive's \(what) commands until the next power cycle; unplug and plug the drive, or look for a setting in the firmware's setup"
    }

    func carryOut(_ method: EraseMethod, _ progress: (Double?) -> Void) throws -> Attempt {
        switch method {
        case .ataSanitizeCrypto: try sanitize(["--sanitize-crypto-scramble"], progress)
        case .ataSanitizeBlock: try sanitize(["--sanitize-block-erase"], progress)
        case .ataSanitizeOverwrite:
            try sanitize(["--sanitize-overwrite-passes", "1", "--sanitize-overwrite", "hex:00000000"], progress)
        case .ataSecureErase: try secureErase("--security-erase", \.eraseMinutes, progress)
        case .ataSecureEraseEnhanced: try secureErase("--security-erase-enhanced", \.enhancedMinutes, progress)
        default: .refused("it is no method of ATA")
        }
    }

    private func sanitize(_ arguments: [String], _ progress: (Double?) -> Void) throws -> Attempt {
        let result = devices.run(
            .hdparm, ["--yes-i-know-what-i-am-doing"] + arguments + [path], within: .seconds(120))
        let first = sanitizeStatus()?.state
        switch first {
        case .inProgress: break
        // A crypto scramble may be over before anybody looks; marks will tell.
        case .idle(lastSucceeded: true) where result.isSuccess: return .done
        default: return .refused(result.words)
        }
        guard case .idle(lastSucceeded: true) = try waitForSanitize(progress) else {
            throw WipeFailure(
                "the sanitize operation failed; the drive gives access to no data until another one succeeds: wipe it again, then replace it"
            )
        }
        return .done
    }

    private func waitForSanitize(_ progress: (Double?) -> Void) throws -> ATASanitizeStatus.State {
        try Patience.wait("sanitize", limit: 72 * 3600, devices, progress) {
            switch sanitizeStatus()?.state {
            case .inProgress(let fraction): .under(fraction)
            case let state?: .over(state)
            case nil: nil
            }
        }
    }

    /// ACS-4 §4.18: a user password is set, with which the drive erases itself and then forgets it. hdparm says little of what the drive answered, so each
    /// step is read back.
    private func secureErase(
        _ option: String, _ estimate: KeyPath<ATASecurity, Int?>, _ progress: (Double?) -> Void
    ) throws -> Attempt {
        let minutes = security()?[keyPath: estimate]
        let set = hdparm("--security-set-pass", secret)
        guard security()?.isEnabled == true else { return .refused("no password could be set: \(set)") }
        progress(nil)
        let limit = minutes.map { max(60, 3 * $0) } ?? 24 * 60
        let erased = hdparm(option, secret, within: .seconds(60 * limit))
        guard let after = security() else {
            throw WipeFailure("it does not answer after its erase command: \(erased)")
        }
        guard after.isEnabled else { return .done }
        // The password goes with the data: it is still there.
        _ = hdparm("--security-disable", secret)
        guard security()?.isEnabled == false else {
            throw WipeFailure(
                "it did not erase itself and keeps our password, which the next wipe takes off: \(erased)")
        }
        return .refused("the drive did not erase itself: \(erased)")
    }

    /// - Returns: what came of it, without the password, which hdparm prints.
    private func hdparm(_ option: String, _ password: String, within limit: Duration = .seconds(60)) -> String {
        devices.run(.hdparm, ["--user-master", "u", option, password, path], within: limit).words
            .replacing(password, with: "…")
    }

    private func security() -> ATASecurity? { identify().flatMap { ATASecurity(identify: $0) } }

    /// IDENTIFY DEVICE (ECh) by ATA PASS-THROUGH (16), PIO data-in: as the drive is now, and not as the kernel found it.
    private func identify() -> [UInt8]? {
        devices.scsi(path, [0x85, 4 << 1, 0x0e, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xec, 0], bytes: 512)?.answer
    }

    /// Non-data, with the registers in the sense data.
    private func nativeLastSector(_ command: ATACapacity.NativeCommand) -> UInt64? {
        let protocolByte: UInt8 = 3 << 1 | (command.isExtended ? 1 : 0)
        return devices.scsi(
            path, [0x85, protocolByte, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, command.rawValue, 0], bytes: 0
        ).flatMap { ATACapacity.lastSector(sense: $0.sense, of: command) }
    }

    /// DEVICE CONFIGURATION IDENTIFY (B1h, feature C2h), PIO data-in. Firmware freezes it often.
    private func overlaidLastSector() -> UInt64? {
        devices.scsi(path, [0x85, 4 << 1, 0x0e, 0, 0xc2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xb1, 0], bytes: 512)
            .flatMap { ATACapacity.lastSector(overlay: $0.answer) }
    }

    /// SANITIZE STATUS EXT (B4h, feature 0000h), non-data, extended, with the registers in the sense data.
    private func sanitizeStatus() -> ATASanitizeStatus? {
        devices.scsi(path, [0x85, 3 << 1 | 1, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xb4, 0], bytes: 0)
            .flatMap { ATASanitizeStatus(sense: $0.sense) }
    }
}
