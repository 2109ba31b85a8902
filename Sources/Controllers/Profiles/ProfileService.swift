import FoundationEssentials
import Inventory
import Logging
import Machines
import ProfileFiles
import Store

/// Hardware profiles that people put into the daemon while it runs.
public struct ProfileService: Sendable {
    let store: any RecordStore
    let book: ProfileBook
    let machines: MachineService
    let logger: Logger
    let now: @Sendable () -> Date

    /// Reads what the store holds. Called at the daemon's start, before anything is matched.
    /// - Throws: ``ServiceError`` when one cannot be read, such as one of a newer Slipway: to go on without it would give its machines another's root disk.
    public func load() async throws {
        let (applied, revision) = try await store.list(AppliedProfile.self)
        var profiles: [HardwareProfile] = []
        for record in applied {
            // A file of that name counts instead.
            guard !book.isFile(record.id) else {
                logger.warning("an applied hardware profile is hidden by a file", metadata: ["profile": "\(record.id)"])
                continue
            }
            do {
                profiles.append(try Self.parse(record.text, name: record.id))
            } catch {
                throw ServiceError(
                    .invalid,
                    "the hardware profile \(record.id), which was applied at \(record.changedAt.formatted(.iso8601)), cannot be read any more: "
                        + "\(error); put a file \(record.id).yaml into hardware_profiles, which counts instead")
            }
        }
        book.apply(profiles, revision: revision)
    }

    /// All that were applied, by name.
    public func applied() async throws -> [String: AppliedProfile] {
        Dictionary(try await store.list(AppliedProfile.self).items.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
    }

    /// Puts a profile into the daemon, or in the place of the former one of that name, and matches all machines again.
    /// - Returns: how many machines have another profile now, or other labels by it.
    @discardableResult public func put(
        _ name: String, text: String, appliedBy: String?, by actor: String
    ) async throws -> Int {
        guard (1...63).contains(name.utf8.count), NamePattern(name) != nil, !name.contains("*") else {
            throw ServiceError(
                .invalid, "\(name.debugDescription) is not a profile's name: 1 to 63 letters, digits, '-', '_' and '.'",
                field: "name")
        }
        guard text.utf8.count <= AppliedProfile.longest else {
            throw ServiceError(
                .invalid, "\(name): a profile has at most \(AppliedProfile.longest) bytes", field: "text")
        }
        try refuseFile(name)
        do {
            _ = try Self.parse(text, name: name)
        } catch {
            throw ServiceError(.invalid, "\(error)", field: "text")
        }
        if let set = appliedBy, let reason = Labels.fault([Labels.appliedBy: set]) {
            throw ServiceError(.invalid, reason, field: "appliedBy")
        }
        let count = try await store.compactMap(AppliedProfile.self) { $0.id == name ? nil : $0.id }.count
        guard count < AppliedProfile.most else {
            throw ServiceError(.conflict, "there are \(count) applied hardware profiles, and no more are taken")
        }
        let now = now()
        let profile = AppliedProfile(id: name, text: text, appliedBy: appliedBy, changedAt: now)
        let isChanged = try await store.transaction { transaction in
            let former = try await transaction.get(AppliedProfile.self, name)
            guard former?.text != text || former?.appliedBy != appliedBy else { return false }
            try transaction.put(profile)
            try transaction.put(
                Event.now(
                    .resourceChanged, machine: nil, actor: actor,
                    "hardware profile \(name) \(former == nil ? "added" : "changed")", at: now))
            return true
        }
        // A former call may have been cut short of its end.
        return isChanged || !book.isMatched ? try await takeOver() : 0
    }

    /// Removes an applied profile that is no machine's. One that a file hides is none's.
    public func remove(_ name: String, by actor: String) async throws {
        guard try await store.get(AppliedProfile.self, name) != nil else {
            try refuseFile(name)
            throw ServiceError(
                .notFound, "no hardware profile \(name.debugDescription) was applied; see `slipway profile list`")
        }
        let isHidden = book.isFile(name)
        let users = try await store.compactMap(Machine.self) { machine in
            !isHidden && machine.observed.profile == name ? machine.name : nil
        }
        guard users.isEmpty else {
            let count = users.count == 1 ? "1 machine has" : "\(users.count) machines have"
            let shown = users.sorted().prefix(5).joined(separator: ", ")
            throw ServiceError(
                .conflict,
                "the hardware profile \(name) is not removed: \(count) it (\(shown)); "
                    + "first put one that fits them better: `slipway profile try --remove \(name)` tells what they would have"
            )
        }
        let now = now()
        try await store.transaction { transaction in
            guard try await transaction.get(AppliedProfile.self, name) != nil else { return }
            transaction.delete(AppliedProfile.self, name)
            try transaction.put(
                Event.now(.resourceChanged, machine: nil, actor: actor, "hardware profile \(name) removed", at: now))
        }
        _ = try await takeOver()
    }

    private func takeOver() async throws -> Int {
        try await load()
        return try await machines.rematch()
    }

    private func refuseFile(_ name: String) throws {
        guard !book.isFile(name) else {
            throw ServiceError(
                .conflict,
                "the hardware profile \(name) is a file of the daemon's own: change \(name).yaml in its hardware_profiles and restart slipwayd"
            )
        }
    }

    private static func parse(_ text: String, name: String) throws(ProfileFileError) -> HardwareProfile {
        try ProfileDirectory.parse(received: text, file: name + ".yaml", name: name)
    }
}
