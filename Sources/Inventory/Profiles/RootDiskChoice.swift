/// Chooses the disk that a system is installed on, or says why none can be. Pure.
public enum RootDiskChoice {
    /// - Parameter minimumBytes: what the system needs.
    /// - Throws: ``RootDiskProblem``.
    public static func choose(
        _ hint: RootDiskHint, from disks: [Disk], minimumBytes: Int64
    ) throws(RootDiskProblem) -> Disk {
        let fitting = disks.filter { hint.fits($0) }
        guard !fitting.isEmpty else { throw .noneMatches(hint: hint.words, found: disks.map(\.summary)) }
        let candidates = fitting.filter { $0.untargetable == nil }
        guard !candidates.isEmpty else {
            throw .untargetable(fitting.map { "\($0.summary): \($0.untargetable ?? "")" })
        }
        // A disk that nothing tells from another is a target only when a person named it by path.
        let nameable = candidates.filter { $0.serial != nil || $0.wwn != nil || hint.path == $0.path }
        guard !nameable.isEmpty else { throw .nameless(candidates.map(\.summary)) }
        let large = nameable.filter { $0.sizeBytes >= minimumBytes }
        guard !large.isEmpty else { throw .tooSmall(nameable.map(\.summary), neededBytes: minimumBytes) }
        let chosen: [Disk]
        switch hint.choose {
        case .smallest:
            let size = large.map(\.sizeBytes).min()
            chosen = large.filter { $0.sizeBytes == size }
        case .largest:
            let size = large.map(\.sizeBytes).max()
            chosen = large.filter { $0.sizeBytes == size }
        case nil: chosen = large
        }
        guard chosen.count == 1, let disk = chosen.first else { throw .ambiguous(chosen.map(\.summary)) }
        return disk
    }
}

/// Why no disk was chosen.
public enum RootDiskProblem: Error, Equatable, CustomStringConvertible {
    case noneMatches(hint: String, found: [String])
    case untargetable([String])
    case nameless([String])
    case tooSmall([String], neededBytes: Int64)
    case ambiguous([String])

    public var description: String {
        switch self {
        case .noneMatches(let hint, let found):
            "no disk matches \(hint); the machine has \(found.isEmpty ? "no disk" : found.joined(separator: ", "))"
        case .untargetable(let disks): "nothing is ever written to " + disks.joined(separator: "; ")
        case .nameless(let disks):
            disks.joined(separator: ", ") + " has neither serial nor WWN; name it by its path to install on it"
        case .tooSmall(let disks, let needed):
            disks.joined(separator: ", ") + ": too small, the system needs \((needed + 999_999_999) / 1_000_000_000) GB"
        case .ambiguous(let disks):
            "more than one disk fits: " + disks.joined(separator: ", ") + "; name one by serial or WWN"
        }
    }
}

extension RootDiskHint {
    func fits(_ disk: Disk) -> Bool {
        func same(_ wanted: String?, _ found: String?) -> Bool {
            guard let wanted else { return true }
            return found.map { $0.lowercased() == wanted.lowercased() } ?? false
        }
        return same(serial, disk.serial) && same(wwn, disk.wwn) && same(model, disk.model)
            && (path == nil || path == disk.path) && (transports.map { $0.contains(disk.transport) } ?? true)
            && (minimumBytes.map { disk.sizeBytes >= $0 } ?? true)
            && (maximumBytes.map { disk.sizeBytes <= $0 } ?? true)
            && (rotational.map { disk.rotational == $0 } ?? true)
    }

    /// The hint in words.
    public var words: String {
        let facts = [
            serial.map { "serial \($0)" }, wwn.map { "WWN \($0)" }, path, model.map { "model \($0)" },
            transports.map { "transport " + $0.map(\.rawValue).joined(separator: "/") },
            minimumBytes.map { "at least " + NumberUnit.bytes.words($0) },
            maximumBytes.map { "at most " + NumberUnit.bytes.words($0) },
            rotational.map { $0 ? "rotational" : "not rotational" }, choose.map { "the \($0.rawValue) of them" },
        ].compactMap { $0 }
        return facts.isEmpty ? "the hint" : facts.joined(separator: ", ")
    }
}
