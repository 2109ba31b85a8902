import FoundationEssentials
import Inventory

/// Sanitize and Format of an NVMe controller, for all namespaces of one wipe at once.
struct NVMeDrive: DriveEraser {
    let devices: any WipeDevices
    /// `/dev/nvme0`
    let controller: String
    /// Those that are to be erased.
    let namespaces: [UInt32]

    func settle(_ progress: (Double?) -> Void) throws -> DriveState {
        // A controller without Sanitize has no such log.
        guard let log = log(), log.status == .inProgress || log.status == .failed else { return DriveState() }
        var state = DriveState()
        var ending = log.status
        if ending == .inProgress {
            ending = try wait(for: log.action, log, progress).status
            state.remarks.append("a sanitize operation that had begun before was waited for")
        }
        state.needsSanitize = ending == .failed
        return state
    }

    func availability(of method: EraseMethod) -> Availability {
        guard method.sanitizeAction != nil || method == .nvmeFormat || method == .nvmeFormatCrypto else {
            return .absent("it is no method of NVMe")
        }
        // Identify (06h), CNS 1: the controller.
        guard let identify = devices.nvme(controller, opcode: 6, namespace: 0, dword10: 1, bytes: 4096),
            let methods = NVMeData.methods(identify: identify)
        else { return .absent("the controller does not say what it has") }
        guard methods.contains(method) else { return .absent("the controller does not have it") }
        // CNS 2: the active namespaces, at most 1024. What is not to be erased must not be hit.
        guard let list = devices.nvme(controller, opcode: 6, namespace: 0, dword10: 2, bytes: 4096) else {
            return .absent("the controller does not say which namespaces it has")
        }
        let others = NVMeData.namespaces(list: list).filter { !namespaces.contains($0) }
        guard others.isEmpty else {
            return .absent(
                "the controller would erase namespace \(others.map { "\($0)" }.joined(separator: ", ")) too, which the order does not name"
            )
        }
        return .available
    }

    func carryOut(_ method: EraseMethod, _ progress: (Double?) -> Void) throws -> Attempt {
        guard let action = method.sanitizeAction else { return try format(method) }
        // One pass of zeros; without AUSE, so that a drive whose operation fails keeps its data shut away.
        let pattern = method == .nvmeSanitizeOverwrite ? ["--owpass=1", "--ovrpat=0"] : []
        let result = devices.run(
            .nvme, ["sanitize", controller, "--sanact=\(action)"] + pattern, within: .seconds(120))
        guard let log = log() else { return .refused("no sanitize log; \(result.words)") }
        // What counts is the log: an operation is on its way, or ended since.
        guard log.status == .inProgress || result.isSuccess else { return .refused(result.words) }
        let end = log.status == .inProgress ? try wait(for: action, log, progress) : log
        // What the log tells is an operation of another time: this one was never begun.
        guard end.action == action, end.status != .never else { return .refused(result.words) }
        guard end.status == .succeeded else {
            throw WipeFailure(
                "the sanitize operation failed (sanitize status \(end.rawStatus)); the drive gives access to no data until another one succeeds: "
                    + "wipe it again, then replace it")
        }
        return .done
    }

    /// NVMe Base 2.0 §5.14. The data format stays as it is.
    private func format(_ method: EraseMethod) throws -> Attempt {
        let setting = method == .nvmeFormatCrypto ? 2 : 1
        for namespace in namespaces {
            let result = devices.run(
                .nvme,
                [
                    "format", controller, "--namespace-id=\(namespace)", "--ses=\(setting)", "--force",
                    "--timeout=\(Self.formatSeconds * 1000)",
                ], within: .seconds(Self.formatSeconds + 60))
            if result.ending == .timeout {
                throw WipeFailure("nvme format of namespace \(namespace) did not end: \(result.words)")
            }
            guard result.isSuccess else { return .refused("namespace \(namespace): \(result.words)") }
        }
        return .done
    }

    private static let formatSeconds: Int64 = 4 * 3600

    private func log() -> NVMeSanitizeLog? {
        // Get Log Page (02h), 128 dwords of log 81h.
        devices.nvme(controller, opcode: 2, namespace: .max, dword10: 127 << 16 | 0x81, bytes: 512)
            .flatMap { NVMeSanitizeLog(log: $0) }
    }

    private func wait(for action: UInt8, _ log: NVMeSanitizeLog, _ progress: (Double?) -> Void) throws
        -> NVMeSanitizeLog
    {
        let limit = log.estimate(of: action).map { max(3600, 3 * Int64($0)) } ?? 72 * 3600
        return try Patience.wait("sanitize", limit: limit, devices, progress) {
            guard let log = self.log() else { return nil }
            return log.status == .inProgress ? .under(log.fraction) : .over(log)
        }
    }
}

extension EraseMethod {
    /// SANACT of the Sanitize command (NVMe Base 2.0 §5.24, figure 294).
    var sanitizeAction: UInt8? {
        switch self {
        case .nvmeSanitizeBlock: 2
        case .nvmeSanitizeOverwrite: 3
        case .nvmeSanitizeCrypto: 4
        default: nil
        }
    }
}

/// The Sanitize Status log page, 81h (NVMe Base 2.0 §5.16.1.20, figure 263). Total on any bytes.
struct NVMeSanitizeLog: Equatable {
    enum Status: Equatable { case never, succeeded, inProgress, failed, unknown }

    /// How far it is, 0 to 1 (SPROG).
    var fraction: Double
    /// SSTAT
    var rawStatus: UInt16
    /// SANACT of the operation that the log is about (SCDW10).
    var action: UInt8
    /// In seconds, of overwrite, block erase and crypto erase; nil: not told.
    private var estimates: [UInt32?]

    /// - Parameter log: nil when it is cut.
    init?(log: [UInt8]) {
        guard log.count >= 20 else { return nil }
        func number(_ offset: Int) -> UInt32 { (0..<4).reversed().reduce(0) { $0 << 8 | UInt32(log[offset + $1]) } }
        fraction = Double(UInt16(log[0]) | UInt16(log[1]) << 8) / 65536
        rawStatus = UInt16(log[2]) | UInt16(log[3]) << 8
        action = log[4] & 7
        estimates = [8, 12, 16].map(number).map { $0 == .max ? nil : $0 }
    }

    var status: Status {
        switch rawStatus & 7 {
        case 0: .never
        // 4: completed, and deallocated what it was told not to.
        case 1, 4: .succeeded
        case 2: .inProgress
        case 3: .failed
        default: .unknown
        }
    }

    func estimate(of action: UInt8) -> UInt32? {
        switch action {
        case 3: estimates[0]
        case 2: estimates[1]
        case 4: estimates[2]
        default: nil
        }
    }
}

extension NVMeData {
    /// Identify, CNS 02h: ids of active namespaces, ended by 0 (NVMe Base 2.0 §5.17.2.2).
    static func namespaces(list: [UInt8]) -> [UInt32] {
        let numbers = stride(from: 0, to: list.count - list.count % 4, by: 4).map { offset in
            (0..<4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32(list[offset + $1]) }
        }
        return Array(numbers.prefix { $0 != 0 })
    }
}
