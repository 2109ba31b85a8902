import FoundationEssentials
import Inventory

/// SANITIZE of a SAS drive (SBC-4 §5.30).
struct SCSIDrive: DriveEraser {
    let devices: any WipeDevices
    let path: String

    func settle(_ progress: (Double?) -> Void) throws -> DriveState {
        var state = DriveState()
        var status = self.status()
        if case .inProgress = status {
            status = try wait(progress)
            state.remarks.append("a sanitize operation that had begun before was waited for")
        }
        state.needsSanitize = status == .failed
        return state
    }

    func availability(of method: EraseMethod) -> Availability {
        guard method.sgOptions != nil else { return .absent("it is no method of SCSI") }
        return devices.sanitizeMethods(path).contains(method) ? .available : .absent("the drive does not have it")
    }

    func carryOut(_ method: EraseMethod, _ progress: (Double?) -> Void) throws -> Attempt {
        guard let options = method.sgOptions else { return .refused("it is no method of SCSI") }
        // Returns at once (IMMED), and asks nobody.
        let result = devices.run(.sgSanitize, ["--early", "--quick"] + options + [path], within: .seconds(120))
        let first = status()
        if case .inProgress = first {} else if !result.isSuccess || first == nil { return .refused(result.words) }
        guard try wait(progress) == .ready else {
            throw WipeFailure(
                "the sanitize operation failed; the drive gives access to no data until another one succeeds: wipe it again, then replace it"
            )
        }
        return .done
    }

    private func wait(_ progress: (Double?) -> Void) throws -> SCSISanitizeStatus {
        try Patience.wait("sanitize", limit: 72 * 3600, devices, progress) {
            switch status() {
            case .inProgress(let fraction): .under(fraction)
            case let status?: .over(status)
            case nil: nil
            }
        }
    }

    /// REQUEST SENSE (03h): how far it is; then TEST UNIT READY (00h), which a drive whose operation failed refuses.
    private func status() -> SCSISanitizeStatus? {
        guard let sense = devices.scsi(path, [3, 0, 0, 0, 252, 0], bytes: 252)?.answer else { return nil }
        let status = SCSISanitizeStatus(sense: sense)
        guard status == .ready else { return status }
        return devices.scsi(path, [0, 0, 0, 0, 0, 0], bytes: 0).map { SCSISanitizeStatus(sense: $0.sense) }
    }
}

/// What sense data says of a sanitize operation (SPC-5 §4.4, SBC-4 §4.11). Total on any bytes.
enum SCSISanitizeStatus: Equatable {
    case ready
    case inProgress(Double?)
    case failed

    init(sense: [UInt8]) {
        guard sense.count >= 18, [0x70, 0x72].contains(sense[0] & 0x7f) else {
            self = .ready
            return
        }
        let isFixed = sense[0] & 0x7f == 0x70
        let (code, qualifier) = isFixed ? (sense[12], sense[13]) : (sense[2], sense[3])
        switch (code, qualifier) {
        // LOGICAL UNIT NOT READY, SANITIZE IN PROGRESS. The progress is in the sense key specific bytes.
        case (0x04, 0x1b):
            let hasProgress = isFixed && sense[15] & 0x80 != 0
            self = .inProgress(hasProgress ? Double(UInt16(sense[16]) << 8 | UInt16(sense[17])) / 65536 : nil)
        // SANITIZE COMMAND FAILED
        case (0x31, 0x03): self = .failed
        default: self = .ready
        }
    }
}

extension EraseMethod {
    /// As sg_sanitize calls it.
    fileprivate var sgOptions: [String]? {
        switch self {
        case .scsiSanitizeBlock: ["--block"]
        case .scsiSanitizeCrypto: ["--crypto"]
        case .scsiSanitizeOverwrite: ["--overwrite", "--count=1", "--zero"]
        default: nil
        }
    }
}
