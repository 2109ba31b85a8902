import Foundation
import Inventory
import Machines
import Synchronization

@testable import AgentCore

/// A disk in memory, which gives access to no block while its drive says so.
final class MemoryTarget: WipeTarget {
    struct State {
        var bytes: [UInt8]
        var isShut = false
        /// Takes writes and forgets them.
        var forgets = false
        var failsAt: Int64?
        var discards = 0
    }

    let state: Mutex<State>
    let sizeBytes: Int64

    init(size: Int = 4 << 20, filledWith byte: UInt8 = 0xa5) {
        sizeBytes = Int64(size)
        state = Mutex(State(bytes: [UInt8](repeating: byte, count: size)))
    }

    private struct Fault: Error, CustomStringConvertible {
        var description: String
    }

    private static func check(_ state: State, _ end: Int64) throws {
        if state.isShut { throw Fault(description: "cannot reach the disk: Input/output error") }
        if let place = state.failsAt, end > place {
            throw Fault(description: "cannot write at byte \(place): Input/output error")
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        try state.withLock { state in
            try Self.check(state, offset + Int64(bytes.count))
            if state.forgets { return }
            state.bytes.withUnsafeMutableBytes {
                UnsafeMutableRawBufferPointer(rebasing: $0[Int(offset)..<Int(offset) + bytes.count]).copyMemory(
                    from: bytes)
            }
        }
    }

    func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int64) throws {
        try state.withLock { state in
            if state.isShut { throw Fault(description: "cannot reach the disk: Input/output error") }
            state.bytes.withUnsafeBytes {
                bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[Int(offset)..<Int(offset) + bytes.count]))
            }
        }
    }

    func flush() {}
    func discard() { state.withLock { $0.discards += 1 } }
    func rereadPartitions() {}

    /// What the drive itself does to all its blocks.
    func fill(_ byte: UInt8) { state.withLock { $0.bytes = [UInt8](repeating: byte, count: $0.bytes.count) } }
    var isShut: Bool {
        get { state.withLock { $0.isShut } }
        set { state.withLock { $0.isShut = newValue } }
    }
    var bytes: [UInt8] { state.withLock { $0.bytes } }
}

/// Drives whose answers are laid out as their specifications say.
protocol FakeDrive: Sendable {
    func run(_ program: WipeProgram, _ arguments: [String]) -> ProgramResult
    func nvme(opcode: UInt8, dword10: UInt32, bytes: Int) -> [UInt8]?
    func scsi(_ command: [UInt8]) -> (answer: [UInt8], sense: [UInt8])?
}

extension FakeDrive {
    func nvme(opcode: UInt8, dword10: UInt32, bytes: Int) -> [UInt8]? { nil }
    func scsi(_ command: [UInt8]) -> (answer: [UInt8], sense: [UInt8])? { nil }
}

struct FakeDevices: WipeDevices {
    var targets: [String: MemoryTarget]
    var drives: [String: any FakeDrive] = [:]
    var namespaces: [String: UInt32] = [:]

    func open(_ disk: Disk) throws -> any WipeTarget {
        guard let target = targets[disk.path] else { throw WipeFailure("cannot open \(disk.path): No such device") }
        return target
    }

    func run(_ program: WipeProgram, _ arguments: [String], within limit: Duration) -> ProgramResult {
        arguments.compactMap { drives[$0] }.first?.run(program, arguments)
            ?? ProgramResult(ending: .exit(1), output: "no such device")
    }

    func namespace(of disk: Disk) -> UInt32? { namespaces[disk.path] }
    func partitions(of disk: Disk) -> [Range<Int64>] { [] }
    func rest(_ time: Duration) { usleep(100) }
    func nvme(_ path: String, opcode: UInt8, namespace: UInt32, dword10: UInt32, bytes: Int) -> [UInt8]? {
        drives[path]?.nvme(opcode: opcode, dword10: dword10, bytes: bytes)
    }
    func scsi(_ path: String, _ command: [UInt8], bytes: Int) -> (answer: [UInt8], sense: [UInt8])? {
        drives[path]?.scsi(command)
    }
}

/// An NVMe controller: Identify (NVMe Base 2.0 §5.17.2), log 81h (§5.16.1.20), Sanitize (§5.24), Format NVM (§5.14).
final class FakeNVMe: FakeDrive {
    struct State {
        var sanitizeCapabilities: UInt8 = 0
        var hasFormat = false
        var formatAttributes: UInt8 = 0
        var activeNamespaces: [UInt32] = [1]
        /// SSTAT, SPROG and SANACT.
        var status: UInt16 = 0
        var progress: UInt16 = 0
        var action: UInt8 = 0
        var endsWith: UInt16 = 1
        /// Says that it erased, and does not.
        var lies = false
        var commands: [[String]] = []
    }

    let state: Mutex<State>
    let targets: [UInt32: MemoryTarget]

    init(_ targets: [UInt32: MemoryTarget], _ change: (inout State) -> Void) {
        var state = State()
        change(&state)
        self.targets = targets
        self.state = Mutex(state)
        if state.status == 2 || state.status == 3 { for target in targets.values { target.isShut = true } }
    }

    func run(_ program: WipeProgram, _ arguments: [String]) -> ProgramResult {
        state.withLock { state in
            state.commands.append(arguments)
            func value(_ option: String) -> String? {
                arguments.first { $0.hasPrefix(option + "=") }.map { String($0.dropFirst(option.count + 1)) }
            }
            switch arguments.first {
            case "sanitize":
                guard let action = value("--sanact").flatMap({ UInt8($0) }),
                    state.sanitizeCapabilities & [0, 0, 2, 4, 1][Int(action)] != 0
                else { return ProgramResult(ending: .exit(1), output: "NVMe status: Invalid Field in Command(0x2)") }
                (state.status, state.progress, state.action) = (2, 0, action)
                // Reads and writes are refused until it is over (§8.21.1).
                for target in targets.values { target.isShut = true }
                return ProgramResult(ending: .exit(0), output: "")
            case "format":
                guard state.hasFormat, let namespace = value("--namespace-id").flatMap({ UInt32($0) }),
                    let target = targets[namespace]
                else { return ProgramResult(ending: .exit(1), output: "NVMe status: Invalid Command Opcode(0x1)") }
                if !state.lies { target.fill(0) }
                return ProgramResult(ending: .exit(0), output: "Success formatting namespace")
            default: return ProgramResult(ending: .exit(1), output: "")
            }
        }
    }

    func nvme(opcode: UInt8, dword10: UInt32, bytes: Int) -> [UInt8]? {
        state.withLock { state in
            var answer = [UInt8](repeating: 0, count: bytes)
            switch (opcode, dword10) {
            case (6, 1):
                (answer[328], answer[256], answer[524]) = (
                    state.sanitizeCapabilities, state.hasFormat ? 2 : 0, state.formatAttributes
                )
            case (6, 2): for (index, id) in state.activeNamespaces.enumerated() { answer[4 * index] = UInt8(id) }
            case (2, 0x7f_0081):
                guard state.sanitizeCapabilities != 0 else { return nil }
                if state.status == 2 {
                    let (sum, isOver) = state.progress.addingReportingOverflow(20_000)
                    state.progress = isOver ? 65535 : sum
                    if isOver {
                        state.status = state.endsWith
                        for target in targets.values where state.endsWith == 1 {
                            if !state.lies { target.fill(state.action == 4 ? 0x5c : 0) }
                            target.isShut = false
                        }
                    }
                }
                answer.replaceSubrange(
                    0..<8,
                    with: [
                        UInt8(state.progress & 0xff), UInt8(state.progress >> 8), UInt8(state.status & 0xff),
                        UInt8(state.status >> 8),
                        state.action, 0, 0, 0,
                    ])
                answer.replaceSubrange(8..<20, with: [UInt8](repeating: 0xff, count: 12))
            default: return nil
            }
            return answer
        }
    }
}

/// A SATA drive: IDENTIFY DEVICE (ACS-4 §7.13), the Security feature set (§4.18), the Sanitize Device feature set (§4.17).
final class FakeATA: FakeDrive {
    struct State {
        /// Word 59 and the capabilities in word 128.
        var sanitize: UInt16 = 0
        var hasSecurity = false
        var hasEnhanced = false
        var password: String?
        var isLocked = false
        var isFrozen = false
        var isSanitizeFrozen = false
        var isExpired = false
        /// hdparm exits 0, the password is gone, and the data is there.
        var lies = false
        /// Refuses the erase command as hdparm reports it: with exit status 0.
        var refusesErase = false
        var sanitizing: UInt16?
        var sanitizeFailed = false
        var sanitizeFails = false
        /// Which of HPA (word 82), AMAC (word 119) and DCO (word 83) it has, and its last sector of all.
        var features: Set<Feature> = []
        var lastSector: UInt64?
        var commands: [[String]] = []
    }

    enum Feature { case protectedArea, shortProtectedArea, addressConfiguration, overlay }

    let state: Mutex<State>
    let target: MemoryTarget

    init(_ target: MemoryTarget, _ change: (inout State) -> Void) {
        var state = State()
        change(&state)
        self.target = target
        self.state = Mutex(state)
        target.isShut = state.isLocked || state.sanitizing != nil || state.sanitizeFailed
    }

    private static func exit(_ output: String = "") -> ProgramResult { ProgramResult(ending: .exit(0), output: output) }

    func run(_ program: WipeProgram, _ arguments: [String]) -> ProgramResult {
        state.withLock { state in
            state.commands.append(arguments)
            if arguments.contains(where: { $0.hasPrefix("--sanitize-") }) {
                guard !state.isSanitizeFrozen, state.sanitizing == nil else {
                    return ProgramResult(ending: .exit(5), output: "SANITIZE failed")
                }
                (state.sanitizing, state.sanitizeFailed) = (0, false)
                target.isShut = true
                return Self.exit()
            }
            guard state.hasSecurity, arguments.count == 5 else { return Self.exit("SG_IO: bad/missing sense data") }
            let (option, password) = (arguments[2], arguments[3])
            let echo = "security_password=\"\(password)\"\nSG_IO: bad/missing sense data, sb[]: 70 00 05"
            // Word 128 bit 3: all but an unlocked drive's reading is aborted.
            if state.isFrozen || state.isExpired { return Self.exit(echo) }
            switch option {
            case "--security-set-pass":
                state.password = password
                return Self.exit("security_password=\"\(password)\"")
            case "--security-unlock":
                guard state.password == password else { return Self.exit(echo) }
                state.isLocked = false
                target.isShut = false
            case "--security-disable":
                guard state.password == password, !state.isLocked else { return Self.exit(echo) }
                state.password = nil
            case "--security-erase", "--security-erase-enhanced":
                guard state.password == password, !state.refusesErase else { return Self.exit(echo) }
                state.password = nil
                if !state.lies { target.fill(0) }
            default: return Self.exit(echo)
            }
            return Self.exit()
        }
    }

    func scsi(_ command: [UInt8]) -> (answer: [UInt8], sense: [UInt8])? {
        guard command.count == 16, command[0] == 0x85 else { return nil }
        return state.withLock { state in
            if command[14] == 0xec {
                var words: [Int: UInt16] = [59: state.sanitize]
                let sectors = target.sizeBytes / 512
                // Words 100 to 103, or 60 and 61 of a drive with addresses of 28 bits.
                let isShort = state.features.contains(.shortProtectedArea)
                for index in 0..<(isShort ? 2 : 4) {
                    words[(isShort ? 60 : 100) + index] = UInt16(truncatingIfNeeded: sectors >> (16 * index))
                }
                let hasProtectedArea = isShort || state.features.contains(.protectedArea)
                words[82] = (state.hasSecurity ? 2 : 0) | (hasProtectedArea ? 1 << 10 : 0)
                words[83] = 0x4000 | (isShort ? 0 : 1 << 10) | (state.features.contains(.overlay) ? 1 << 11 : 0)
                if state.features.contains(.addressConfiguration) { (words[86], words[119]) = (1 << 15, 0x4100) }
                if state.hasSecurity {
                    words[89] = 1
                    words[128] =
                        1 | (state.password != nil ? 2 : 0) | (state.isLocked ? 4 : 0) | (state.isFrozen ? 8 : 0)
                        | (state.isExpired ? 16 : 0) | (state.hasEnhanced ? 32 : 0)
                }
                return (Array(DriveDataTests.page(words).suffix(512)), [])
            }
            if command[14] == 0xb1, command[4] == 0xc2, let last = state.lastSector {
                return (Array(DriveDataTests.page([3: UInt16(last & 0xffff), 4: UInt16(last >> 16)]).suffix(512)), [])
            }
            if let feature = [0x78: Feature.addressConfiguration, 0x27: .protectedArea, 0xf8: .shortProtectedArea][
                command[14]], state.features.contains(feature)
            {
                // EXTEND goes with the commands of 48 bits; the device register asks for sectors by number.
                guard command[1] & 1 == (feature == .shortProtectedArea ? 0 : 1), command[13] & 0x40 != 0,
                    let last = state.lastSector
                else { return ([], []) }
                var sense = [UInt8](repeating: 0, count: 64)
                sense.replaceSubrange(0..<10, with: [0x72, 1, 0, 0x1d, 0, 0, 0, 14, 9, 12])
                for (place, shift) in [(15, 0), (17, 8), (19, 16)] {
                    sense[place] = UInt8(truncatingIfNeeded: last >> shift)
                }
                let high = UInt8(truncatingIfNeeded: last >> 24)
                if feature == .shortProtectedArea { sense[20] = 0xe0 | high } else { sense[14] = high }
                sense[21] = 0x50
                return ([], sense)
            }
            guard command[14] == 0xb4, state.sanitize & 1 << 12 != 0 else { return ([], []) }
            var sense = [UInt8](repeating: 0, count: 64)
            sense.replaceSubrange(0..<10, with: [0x72, 1, 0, 0x1d, 0, 0, 0, 14, 9, 12])
            sense[21] = 0x50
            if let progress = state.sanitizing {
                let (sum, isOver) = progress.addingReportingOverflow(20_000)
                if isOver {
                    state.sanitizing = nil
                    state.sanitizeFailed = state.sanitizeFails
                    if !state.sanitizeFails {
                        if !state.lies { target.fill(0) }
                        target.isShut = false
                    }
                } else {
                    state.sanitizing = sum
                    (sense[12], sense[15], sense[17]) = (0x40, UInt8(sum & 0xff), UInt8(sum >> 8))
                    return ([], sense)
                }
            }
            if state.sanitizeFailed {
                (sense[11], sense[15], sense[21]) = (4, 1, 0x51)
            } else {
                sense[12] = state.isSanitizeFrozen ? 0x20 : 0x80
            }
            return ([], sense)
        }
    }
}

/// A SAS drive: SANITIZE (SBC-4 §5.30), whose progress REQUEST SENSE tells (§4.11.3).
final class FakeSCSI: FakeDrive {
    struct State {
        /// Service actions: 1 overwrite, 2 block erase, 3 crypto erase.
        var actions: Set<UInt8> = []
        var progress: UInt16?
        var fails = false
        var hasFailed = false
    }

    let state: Mutex<State>
    let target: MemoryTarget

    init(_ target: MemoryTarget, _ change: (inout State) -> Void) {
        var state = State()
        change(&state)
        self.target = target
        self.state = Mutex(state)
        target.isShut = state.progress != nil || state.hasFailed
    }

    func run(_ program: WipeProgram, _ arguments: [String]) -> ProgramResult {
        state.withLock { state in
            let wanted: [(String, UInt8)] = [("--overwrite", 1), ("--block", 2), ("--crypto", 3)]
            guard let action = wanted.first(where: { arguments.contains($0.0) })?.1, state.actions.contains(action)
            else {
                return ProgramResult(ending: .exit(9), output: "Sanitize failed: Illegal request, Invalid opcode")
            }
            (state.progress, state.hasFailed) = (0, false)
            target.isShut = true
            return ProgramResult(ending: .exit(0), output: "")
        }
    }

    func scsi(_ command: [UInt8]) -> (answer: [UInt8], sense: [UInt8])? {
        state.withLock { state in
            /// Fixed format sense data (SPC-5 §4.4.3).
            func sense(_ key: UInt8, _ code: UInt8, _ qualifier: UInt8, _ progress: UInt16? = nil) -> [UInt8] {
                var sense = [UInt8](repeating: 0, count: 18)
                (sense[0], sense[2], sense[7], sense[12], sense[13]) = (0x70, key, 10, code, qualifier)
                if let progress {
                    (sense[15], sense[16], sense[17]) = (0x80, UInt8(progress >> 8), UInt8(progress & 0xff))
                }
                return sense
            }
            switch command[0] {
            case 0xa3: return ([0, state.actions.contains(command[5]) ? 3 : 1], [])
            case 3:
                guard let progress = state.progress else { return (sense(0, 0, 0), []) }
                let (sum, isOver) = progress.addingReportingOverflow(20_000)
                guard isOver else {
                    state.progress = sum
                    return (sense(2, 0x04, 0x1b, sum), [])
                }
                (state.progress, state.hasFailed) = (nil, state.fails)
                if !state.fails {
                    target.fill(0)
                    target.isShut = false
                }
                return (sense(0, 0, 0), [])
            case 0: return state.hasFailed ? ([], sense(3, 0x31, 0x03)) : ([], [])
            default: return nil
            }
        }
    }
}
