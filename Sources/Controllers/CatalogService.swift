import APIModel
import FoundationEssentials
import Machines
import OperatingSystems
import Store

/// OS releases: what machines can be provisioned with.
public struct CatalogService: Sendable {
    let store: any RecordStore
    let images: any ImageFetching
    let now: @Sendable () -> Date

    public init(store: any RecordStore, images: any ImageFetching, now: @escaping @Sendable () -> Date) {
        (self.store, self.images, self.now) = (store, images, now)
    }

    /// Of all drivers.
    public static var systemNames: [String] { OperatingSystemCatalog.all.map(\.name) }

    /// All that can be installed, in the order of the catalog.
    public func systems() -> [OperatingSystemView] {
        OperatingSystemCatalog.all.map { system in
            OperatingSystemView(
                name: system.name, support: system.support.words, architectures: system.architectures,
                routes: system.routes.map { route in
                    .init(
                        route, artifacts: system.artifacts(for: route), entry: system.entry(route).words,
                        evidence: system.evidence(route).rawValue,
                        takesPatches: system.takesPatches(route), remarks: system.remarks(route))
                }, proof: proof(of: system))
        }
    }

    /// What would say that a fetched release is its makers', for a person; nil: nothing is fetched of it.
    private func proof(of system: any OperatingSystem) -> String? {
        guard let roles = system.signedRoles else { return nil }
        guard !roles.isEmpty else { return "digests only, over TLS: its makers sign none of it" }
        guard images.hasKeys(of: system.name) else {
            return "digests only, over TLS: no keys of its makers in \(images.place(ofKeysOf: system.name))"
        }
        return "signatures: its makers sign its \(roles.map(\.rawValue).sorted().joined(separator: ", "))"
    }

    /// Adds a release. The same again is no error, so that a script can be repeated.
    public func add(release: OSRelease, by actor: String) async throws -> OSRelease {
        try Self.check(name: release.name)
        try Self.check(labels: release.labels)
        guard let driver = OperatingSystemCatalog.driver(named: release.os) else {
            let known = OperatingSystemCatalog.all.map(\.name).joined(separator: ", ")
            throw ServiceError(
                .invalid, "no driver installs \(release.os.debugDescription); there is \(known)", field: "os")
        }
        if case .impossible(let reason) = driver.support {
            throw ServiceError(.invalid, "\(release.os) cannot be installed on a machine: \(reason)", field: "os")
        }
        guard driver.architectures.contains(release.architecture) else {
            throw ServiceError(
                .invalid,
                "\(release.os) is for \(driver.architectures.joined(separator: ", ")), not \(release.architecture)",
                field: "architecture")
        }
        try check(artifacts: release, driver)
        if let known = try await store.list(OSRelease.self).items.first(where: { $0.name == release.name }) {
            guard known.isSame(as: release) else {
                throw ServiceError(.conflict, "the release \(release.name) exists, and is another", field: "name")
            }
            guard let proof = release.proof, proof != known.proof, proof.isSigned || known.proof == nil else {
                return known
            }
            return try await prove(known, proof, by: actor)
        }
        return try await store.transaction { transaction in
            try transaction.put(release)
            try transaction.put(
                Event.now(
                    .resourceChanged, machine: nil, actor: actor, "OS release \(release.name) added",
                    details: Dictionary(
                        uniqueKeysWithValues: release.artifacts.map { ($0.key.rawValue + ".sha256", $0.value.sha256) }),
                    at: now()))
            return release
        }
    }

    /// A release that was here already is known to be its makers' now, or better than it was.
    private func prove(_ known: OSRelease, _ proof: ReleaseProof, by actor: String) async throws -> OSRelease {
        try await store.transaction { transaction in
            guard var release = try await transaction.get(OSRelease.self, known.id) else { return known }
            release.proof = proof
            try transaction.put(release)
            try transaction.put(
                Event.now(
                    .resourceChanged, machine: nil, actor: actor, "OS release \(release.name): \(proof.words)",
                    at: now()))
            return release
        }
    }

    /// Says whether machines that may not enter its installer from the agent may start it from the network.
    /// - Throws: ``ServiceError``.
    public func set(plainHTTP isAllowed: Bool, of name: String, by actor: String) async throws -> OSRelease {
        guard let known = try await store.list(OSRelease.self).items.first(where: { $0.name == name }) else {
            throw ServiceError(.notFound, "there is no OS release \(name.debugDescription); see `slipway os list`")
        }
        guard known.route == .installer || !isAllowed else {
            throw ServiceError(
                .invalid, "\(name) is an image, which the agent writes: it has no installer", field: "allowsPlainHTTP")
        }
        return try await store.transaction { transaction in
            guard var release = try await transaction.get(OSRelease.self, known.id) else { return known }
            release.allowsPlainHTTP = isAllowed ? true : nil
            guard release != known else { return known }
            try transaction.put(release)
            try transaction.put(
                Event.now(
                    .resourceChanged, machine: nil, actor: actor,
                    "OS release \(name): its installer may \(isAllowed ? "" : "not ")be started by plain HTTP",
                    at: now()))
            return release
        }
    }

    /// Removes a release that no machine has or is to have. Its image stays in the library.
    public func removeRelease(_ name: String, by actor: String) async throws {
        guard let release = try await store.list(OSRelease.self).items.first(where: { $0.name == name }) else {
            throw ServiceError(.notFound, "there is no OS release \(name.debugDescription); see `slipway os list`")
        }
        let users = try await store.compactMap(Machine.self) { machine in
            machine.desired.assignment?.release == name || machine.observed.installedRelease == name
                ? machine.name : nil
        }
        try Self.refuse(users, "the OS release \(name)")
        try await store.transaction { transaction in
            guard try await transaction.get(OSRelease.self, release.id) != nil else { return }
            transaction.delete(OSRelease.self, release.id)
            try transaction.put(
                Event.now(.resourceChanged, machine: nil, actor: actor, "OS release \(name) removed", at: now()))
        }
    }

    static func refuse(_ users: [String], _ what: String) throws {
        let names = Set(users).sorted()
        guard !names.isEmpty else { return }
        let shown = names.prefix(5).joined(separator: ", ") + (names.count > 5 ? " and \(names.count - 5) more" : "")
        throw ServiceError(.conflict, "\(what) is not removed: \(shown) \(names.count == 1 ? "uses" : "use") it")
    }

    /// How a system is installed whose release does not say.
    public func route(of os: String, with artifacts: some Collection<ArtifactRole>) -> InstallRoute {
        OperatingSystemCatalog.driver(named: os)?.route(with: artifacts) ?? .image
    }

    private func check(artifacts release: OSRelease, _ driver: any OperatingSystem) throws {
        guard driver.routes.contains(release.route) else {
            let routes = driver.routes.map(\.rawValue).joined(separator: ", ")
            throw ServiceError(
                .invalid, "\(release.os) is installed by \(routes), not by \(release.route)", field: "route")
        }
        for (role, artifact) in release.artifacts
        where !role.isName || artifact.bytes <= 0 || artifact.rawBytes <= 0
            || !(artifact.name.map(Artifact.isFileName) ?? true)
        {
            throw ServiceError(
                .invalid, "\(role.rawValue.debugDescription) with \(artifact.bytes) bytes is no file of a release",
                field: "artifacts")
        }
        let missing = driver.artifacts(for: release.route).filter { release.artifacts[$0] == nil }.map(\.rawValue)
        guard missing.isEmpty else {
            throw ServiceError(
                .invalid, "\(release.os) by \(release.route.rawValue) needs its \(missing.joined(separator: ", ")) too",
                field: "artifacts")
        }
        if let image = release.artifacts[.image], release.minimumDiskBytes < image.rawBytes {
            throw ServiceError(
                .invalid, "an image of \(image.rawBytes) bytes does not fit a disk of \(release.minimumDiskBytes)",
                field: "minimumDiskBytes")
        }
        guard release.parameters.count <= 64,
            release.parameters.allSatisfy({ $0.key.utf8.count <= 64 && $0.value.utf8.count <= 4096 })
        else {
            throw ServiceError(.invalid, "more than 64 parameters, or one of more than 4096 bytes", field: "parameters")
        }
    }

    static func check(labels: [String: String]?) throws {
        if let labels, let fault = Labels.fault(labels) { throw ServiceError(.invalid, fault, field: "labels") }
    }

    static func check(name: String) throws {
        let marks = Set("-._".utf8)
        let fine = name.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x61...0x7a).contains($0) || (0x41...0x5a).contains($0) || marks.contains($0)
        }
        guard fine, (1...63).contains(name.utf8.count) else {
            throw ServiceError(
                .invalid, "\(name.debugDescription) is not a name: 1 to 63 letters, digits, '-', '.' and '_'",
                field: "name")
        }
    }
}
