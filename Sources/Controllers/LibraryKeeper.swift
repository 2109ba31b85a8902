import APIModel
import FoundationEssentials
import Logging
import Machines
import ServiceLifecycle
import Store

/// Looks after the image library: reads every file again from time to time, and removes what no release names.
public struct LibraryKeeper: Service, Sendable {
    let store: any RecordStore
    let shelf: any ImageShelf
    let logger: Logger
    let now: @Sendable () -> Date

    /// Seconds between two readings of one file.
    private static let interval: Double = 7 * 86400
    /// Seconds for which a file that no release names is left: its release may be about to be added.
    static let grace: Double = 3600

    public func run() async throws {
        try await cancelWhenGracefulShutdown {
            // Disks are busy after a start.
            try await Task.sleep(for: .seconds(600))
            while true {
                do {
                    _ = try await verify(nil, by: "library")
                } catch is CancellationError {
                    return
                } catch {
                    logger.warning("the image library cannot be read again", metadata: ["error": "\(error)"])
                }
                try await Task.sleep(for: .seconds(Self.interval))
            }
        }
    }

    /// Reads the files of a release again, or all. What is not what it was is removed: no machine is to fetch it.
    public func verify(_ release: String?, by actor: String) async throws -> LibraryReport {
        let releases = try await store.list(OSRelease.self).items
        var wanted: Set<String>?
        if let release {
            guard let found = releases.first(where: { $0.name == release }) else {
                throw ServiceError(
                    .notFound, "there is no OS release \(release.debugDescription); see `slipway os list`")
            }
            wanted = Set(found.artifacts.values.map(\.sha256))
        }
        let present = try shelf.files()
        let names = Set(present.map(\.sha256))
        var report = LibraryReport(missing: (wanted ?? []).subtracting(names).sorted())
        for file in present where wanted?.contains(file.sha256) ?? true {
            if try await shelf.verify(file.sha256) {
                report.fine.append(file.sha256)
                continue
            }
            report.damaged.append(file.sha256)
            try shelf.remove(file.sha256)
            let users = releases.filter { $0.artifacts.values.contains { $0.sha256 == file.sha256 } }.map(\.name)
                .sorted()
            logger.error("a file of the library was damaged", metadata: ["image.sha256": "\(file.sha256)"])
            try await tell(
                .problem, actor,
                "a file of the image library was not what it had been, and is removed: \(file.sha256), of \(users.isEmpty ? "no release" : users.joined(separator: ", ")); add it again"
            )
        }
        return report
    }

    /// Removes what no release names and nothing fetches.
    public func prune(isTrial: Bool, by actor: String) async throws -> LibraryReport {
        let needed = Set(try await store.list(OSRelease.self).items.flatMap { $0.artifacts.values.map(\.sha256) })
            .union(
                try await store.list(ReleaseFetch.self).items.filter { $0.state == .running }
                    .flatMap { $0.files.compactMap { $0.artifact?.sha256 } })
        let limit = now().addingTimeInterval(-Self.grace)
        if !isTrial { try shelf.removeLeftovers(before: now().addingTimeInterval(-7 * 86400)) }
        var report = LibraryReport()
        for file in try shelf.files() {
            guard !needed.contains(file.sha256), file.storedAt < limit else {
                report.fine.append(file.sha256)
                continue
            }
            if !isTrial { try shelf.remove(file.sha256) }
            report.removed.append(file.sha256)
            report.freedBytes += file.bytes
        }
        if !isTrial, !report.removed.isEmpty {
            try await tell(
                .resourceChanged, actor,
                "\(report.removed.count) files that no release names were removed from the image library, \(report.freedBytes >> 20) MiB"
            )
        }
        return report
    }

    private func tell(_ kind: Event.Kind, _ actor: String, _ words: String) async throws {
        let now = now()
        try await store.transaction { transaction in
            try transaction.put(Event.now(kind, machine: nil, actor: actor, words, at: now))
        }
    }
}
