import APIModel
import FoundationEssentials
import Inventory
import Machines

/// A drive that is erased, or the namespaces of one NVMe controller, which only a controller's command reaches together.
struct WipeUnit: Sendable {
    struct Member: Sendable {
        /// Of the order.
        var index: Int
        var disk: Disk
        var order: DiskWipe
    }

    var members: [Member]
    let verify: WipePolicy.Verification
    let secret: String
    let devices: any WipeDevices
    let board: WipeBoard

    /// What is known of it so far.
    private struct Record {
        var method: EraseMethod?
        var remarks: [String] = []
    }

    /// A failure of one member, which the others suffer too.
    private struct MemberFailure: Error {
        var index: Int
        var reason: String
    }

    /// Blocks until the proof is read, or something stood in the way. Whatever is not proved is not erased.
    /// - Returns: by index of the order.
    func run() -> [Int: DiskEvidence] {
        let start = Date()
        var record = Record()
        var outcomes: [Int: Result<DiskEvidence.ReadBack, WipeFailure>] = [:]
        do {
            outcomes = try erase(&record)
        } catch {
            for member in members {
                let reason =
                    switch error {
                    case let failure as MemberFailure where failure.index != member.index:
                        "it was not erased, since another namespace of its controller failed: \(failure.reason)"
                    case let failure as MemberFailure: failure.reason
                    default: "\(error)"
                    }
                outcomes[member.index] = .failure(WipeFailure(reason))
            }
        }
        return Dictionary(
            uniqueKeysWithValues: members.map { member in
                let outcome = outcomes[member.index] ?? .failure(WipeFailure("it was not reached"))
                return (member.index, evidence(of: member, outcome, record, since: start))
            })
    }

    private func evidence(
        of member: Member, _ outcome: Result<DiskEvidence.ReadBack, WipeFailure>, _ record: Record, since start: Date
    ) -> DiskEvidence {
        var readBack: DiskEvidence.ReadBack?
        let end: DiskEvidence.Outcome
        switch outcome {
        case .success(let found):
            (readBack, end) = (found, .erased)
            board.note(member.index, .erased, record.method, fraction: 1)
        case .failure(let failure):
            end = .failed("\(member.disk.summary): \(failure)")
            board.note(member.index, .failed, record.method)
        }
        return DiskEvidence(
            member.disk, method: record.method, startedAt: start, endedAt: Date(), readBack: readBack, outcome: end,
            remarks: record.remarks)
    }

    private func erase(_ record: inout Record) throws -> [Int: Result<DiskEvidence.ReadBack, WipeFailure>] {
        // Every one is held before the first is written to.
        let targets = try members.map { member in try naming(member) { try devices.open(member.disk) } }
        let places = zip(members, targets).map { member, target in
            LabelPlaces.ranges(sizeBytes: target.sizeBytes, partitions: devices.partitions(of: member.disk))
        }
        for member in members { board.note(member.index, .marking) }
        let drive = eraser
        let state = try drive.settle { fraction in
            for member in members { board.note(member.index, .erasing, fraction: fraction) }
        }
        record.remarks += state.remarks
        let isQuick = methods == [.quick]
        if let hidden = state.hidden {
            guard isQuick else { throw WipeFailure(hidden) }
            record.remarks.append(hidden)
        }
        if state.needsSanitize { try recover(drive, &record) }
        var generator = SystemRandomNumberGenerator()
        let proofs = zip(targets, places).map { target, places in
            DiskProof(
                target: target, marks: Marks(sizeBytes: target.sizeBytes, places: places, using: &generator))
        }
        if !isQuick {
            for (member, proof) in zip(members, proofs) { try naming(member) { try proof.mark() } }
        }
        let method = try carryOut(drive, proofs, places, &record)
        var outcomes: [Int: Result<DiskEvidence.ReadBack, WipeFailure>] = [:]
        for (index, member) in members.enumerated() {
            outcomes[member.index] = Result { () throws(WipeFailure) in
                try finish(member, proofs[index], places[index], method, &record)
            }
        }
        return outcomes
    }

    /// Reads the proof, and leaves a disk that looks blank: what a drive's own command leaves may be anything.
    private func finish(
        _ member: Member, _ proof: DiskProof, _ places: [Range<Int64>], _ method: EraseMethod, _ record: inout Record
    ) throws(WipeFailure) -> DiskEvidence.ReadBack {
        do {
            let count = board.counter(member.index, .verifying, method)
            let readBack: DiskEvidence.ReadBack
            if method == .quick {
                let bytes = places.reduce(0) { $0 + $1.upperBound - $1.lowerBound }
                readBack = DiskEvidence.ReadBack(
                    kind: .sampled, bytes: bytes, finding: "zeros at the \(places.count) places of labels")
            } else {
                readBack = try proof.read(verify, zeros: method.leavesZeros, progress: count)
                if !method.leavesZeros { try proof.zero(places) { _, _ in } }
            }
            do {
                try proof.target.rereadPartitions()
            } catch {
                record.remarks.append("\(error)")
            }
            return readBack
        } catch {
            let said = method == .overwrite || method == .quick ? "" : "\(method.rawValue) was reported as done, and "
            throw WipeFailure("\(said)\(error)")
        }
    }

    /// The methods that all members are ordered.
    private var methods: [EraseMethod] { common(\.methods) }

    private func common(_ list: KeyPath<DiskWipe, [EraseMethod]>) -> [EraseMethod] {
        (members.first?.order[keyPath: list] ?? []).filter { method in
            members.allSatisfy { $0.order[keyPath: list].contains(method) }
        }
    }

    /// The first method that works.
    private func carryOut(
        _ drive: any DriveEraser, _ proofs: [DiskProof], _ places: [[Range<Int64>]], _ record: inout Record
    ) throws -> EraseMethod {
        var isFrozen = false
        var passed: [String] = []
        var next = methods[...]
        while true {
            guard let method = next.popFirst() else {
                let whereFrozen = common(\.whereFrozen)
                guard isFrozen, !whereFrozen.isEmpty else { break }
                isFrozen = false
                record.remarks.append(
                    "its erase commands are frozen, so that the policy allows \(whereFrozen[0].rawValue)")
                next = whereFrozen[...]
                continue
            }
            switch try attempt(method, drive, proofs, places, &record) {
            case .done?: return method
            case .refused(let why)?: passed.append("\(method.rawValue): \(why)")
            case nil:
                if case .frozen(let why) = drive.availability(of: method) {
                    isFrozen = true
                    passed.append("\(method.rawValue): \(why)")
                } else if case .absent(let why) = drive.availability(of: method) {
                    passed.append("\(method.rawValue): \(why)")
                }
            }
            record.remarks += passed.suffix(1)
        }
        throw WipeFailure(
            "no method of the order works; \(passed.joined(separator: "; "))"
                + (isFrozen ? "; a policy with frozen: clear would overwrite it" : ""))
    }

    /// - Returns: nil when the drive does not have the method, or not now.
    private func attempt(
        _ method: EraseMethod, _ drive: any DriveEraser, _ proofs: [DiskProof], _ places: [[Range<Int64>]],
        _ record: inout Record
    ) throws -> Attempt? {
        switch method {
        case .overwrite, .quick:
            record.method = method
            for (index, member) in members.enumerated() {
                try naming(member) {
                    let count = board.counter(member.index, .erasing, method)
                    if method == .quick { return try proofs[index].zero(places[index], progress: count) }
                    if member.disk.eraseMethods?.contains(.discard) ?? false {
                        do {
                            // Flash may let go of what no overwriting reaches; it is overwritten all the same.
                            try proofs[index].target.discard()
                            record.remarks.append("discarded before it was overwritten")
                        } catch {
                            record.remarks.append("not discarded before: \(error)")
                        }
                    }
                    try proofs[index].overwrite(progress: count)
                }
            }
            return .done
        case .discard: return .refused("it promises nothing of what is read afterwards")
        default:
            guard drive.availability(of: method) == .available else { return nil }
            for member in members { board.note(member.index, .erasing, method) }
            let previous = record.method
            record.method = method
            let attempt = try drive.carryOut(method) { fraction in
                for member in members { board.note(member.index, .erasing, method, fraction: fraction) }
            }
            if attempt != .done { record.method = previous }
            return attempt
        }
    }

    /// A drive whose sanitize operation failed takes marks only after another one.
    private func recover(_ drive: any DriveEraser, _ record: inout Record) throws {
        let ways = methods.filter { $0.isSanitize && drive.availability(of: $0) == .available }
        guard let method = ways.first else {
            throw WipeFailure(
                "its last sanitize operation failed, and it gives access to no data until another one succeeds; the order has none for it: "
                    + "wipe it with the policy purge, or replace it")
        }
        guard case .done = try drive.carryOut(method, { _ in }) else {
            throw WipeFailure("its last sanitize operation failed, and it takes no other: replace it")
        }
        record.remarks.append("an earlier sanitize operation had failed; \(method.rawValue) brought the drive back")
    }

    private var eraser: any DriveEraser {
        guard let disk = members.first?.disk else { return PlainDrive() }
        switch disk.transport {
        case .nvme:
            let namespaces = members.compactMap { devices.namespace(of: $0.disk) }
            guard namespaces.count == members.count else { return PlainDrive() }
            return NVMeDrive(devices: devices, controller: disk.nvmeController, namespaces: namespaces)
        case .sata: return ATADrive(devices: devices, path: disk.path, secret: secret)
        case .sas: return SCSIDrive(devices: devices, path: disk.path)
        default: return PlainDrive()
        }
    }

    private func naming<Value>(_ member: Member, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch {
            throw MemberFailure(index: member.index, reason: "\(error)")
        }
    }
}

extension EraseMethod {
    /// What the drive reads as afterwards is laid down: zeros were written by the host, or were the pattern of its own overwrite (ACS-4 §7.32.7, SBC-4
    /// §5.30.2.3). NVMe may deallocate afterwards, and an ATA secure erase differs from maker to maker.
    var leavesZeros: Bool {
        switch self {
        case .overwrite, .quick, .ataSanitizeOverwrite, .scsiSanitizeOverwrite: true
        default: false
        }
    }

    var isSanitize: Bool { rawValue.contains("-sanitize-") }
}
