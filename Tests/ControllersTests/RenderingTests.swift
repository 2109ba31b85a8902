import APIModel
import Controllers
import Foundation
import Inventory
import Machines
import Store
import TestSupport
import Testing

/// What a machine would get, and what it was given before.
@Suite(.timeLimit(.minutes(2))) struct RenderingTests {
    private static let secrets = [
        "hidden-worker", "hidden-patch", "hidden-own", "hidden-setup", "hidden-token", "hidden-key",
    ]
    private static let talos =
        "version: v1alpha1\nmachine: {type: worker, token: hidden-worker, install: {}}\ncluster: {secret: hidden-worker}\n"

    /// One cluster of each kind, with a release for it and a machine that is accepted.
    private static func with(
        profiles: [HardwareProfile]? = nil,
        _ body: (LifecycleFlowTests.Daemon, any RecordStore, AgentSession) async throws -> Void
    ) async throws {
        let store = try await LifecycleFlowTests.store()
        let daemon = LifecycleFlowTests.Daemon(store, keys: LifecycleFlowTests.Keys(), profiles: profiles)
        let files: [ArtifactRole: Artifact] = [.kernel, .initrd, .rootfs, .iso, .image].reduce(into: [:]) {
            files, role in
            files[role] = Artifact(sha256: String(repeating: "e", count: 64), bytes: 10, name: role.rawValue)
        }
        for (os, version) in [("talos", "1.13.2"), ("debian", "12"), ("flatcar", "4000")] {
            let release = OSRelease(
                id: Credential.identifier("r"), name: "\(os)-1", os: os, version: version, architecture: "amd64",
                route: .installer, artifacts: files, minimumDiskBytes: 100, createdAt: Date())
            _ = try await daemon.controllers.catalog.add(release: release, by: "alice")
        }
        let clusters = daemon.controllers.clusters
        _ = try await clusters.add(
            "talos", .talos, .init(secrets: [.worker: talos, .patch: "machine: {env: {SECRET: hidden-patch}}\n"]),
            labels: nil, by: "alice")
        _ = try await clusters.add(
            "prod", .kubernetes,
            .init(
                endpoint: "https://10.20.0.10:6443", version: "1.31.4", certificateAuthority: try TrialAuthority.pem(),
                secrets: [
                    .token: "hidden-token", .certificateKey: "hidden-key", .setup: "echo hidden-setup\n",
                ]), labels: nil, by: "alice")
        _ = try await clusters.add(
            "edge", .k3s, .init(endpoint: "https://10.20.0.11:6443", secrets: [.token: "hidden-token"]), labels: nil,
            by: "alice")
        let session = try await LifecycleFlowTests.boot(daemon)
        _ = try await daemon.controllers.machines.accept(
            session.machine, name: "node-1", bmc: nil, network: nil, generation: nil, by: "alice")
        try await body(daemon, store, session)
        await daemon.kill()
    }

    private static let wanted: [Machine.Assignment] = [
        .init(cluster: "talos", release: "talos-1"), .init(cluster: "prod", release: "debian-1"),
        .init(cluster: "prod", release: "flatcar-1"), .init(cluster: "prod", release: "debian-1", role: .controlPlane),
        .init(cluster: "edge", release: "flatcar-1"), .init(cluster: "demo", release: "debian-1"),
    ]

    private static func text(_ view: RenderingView) -> String {
        let files = view.files.map { file in
            // What a driver put into base64 is looked into.
            let inner = file.content.matches(of: /[A-Za-z0-9+\/=]{24,}/).map { found in
                Data(base64Encoded: String(found.output)).map { String(decoding: $0, as: UTF8.self) } ?? ""
            }
            let deeper = inner.flatMap { text in
                text.matches(of: /[A-Za-z0-9+\/=]{24,}/).map { found in
                    Data(base64Encoded: String(found.output)).map { String(decoding: $0, as: UTF8.self) } ?? ""
                }
            }
            return ([file.content] + inner + deeper).joined(separator: "\n")
        }
        return (files + [view.kernelArguments ?? "", view.entry]).joined(separator: "\n")
    }

    @Test("what is sealed is not shown, unless an administrator asks for it, which is written down")
    func redacted() async throws {
        try await Self.with { daemon, store, session in
            var shown: Set<String> = []
            for assignment in Self.wanted {
                // Only Talos has a word for it.
                let patch = assignment.cluster == "talos" ? "machine: {env: {OWN: hidden-own}}\n" : ""
                _ = try await daemon.controllers.machines.change(
                    session.machine, .init(patch: patch), generation: nil, by: "alice")
                let machine = try #require(try await store.get(Machine.self, session.machine))
                let plain = try await daemon.controllers.machines.rendering(of: machine, assignment, secretsFor: nil)
                let text = Self.text(plain)
                for secret in Self.secrets { #expect(!text.contains(secret), "\(assignment.release) shows \(secret)") }
                #expect(plain.redacted && plain.isInstalled == nil)
                let open = try await daemon.controllers.machines.rendering(
                    of: machine, assignment, secretsFor: "alice")
                #expect(open.digest == plain.digest)
                shown.formUnion(Self.secrets.filter { Self.text(open).contains($0) })
            }
            // The test can fail: all of them are somewhere in what administrators see.
            #expect(shown == Set(Self.secrets))
            let events = try await store.list(Event.self).items.filter { $0.type == .secretsShown }
            #expect(events.count == Self.wanted.count && events.allSatisfy { $0.actor == "alice" })
        }
    }

    @Test("the digest changes with whatever is given, and with nothing else")
    func digest() async throws {
        try await Self.with { daemon, store, session in
            let machines = daemon.controllers.machines
            let assignment = Machine.Assignment(cluster: "prod", release: "debian-1")
            func digest() async throws -> String {
                let machine = try #require(try await store.get(Machine.self, session.machine))
                return try await machines.rendering(of: machine, assignment, secretsFor: nil).digest
            }
            let first = try await digest()
            #expect(try await digest() == first)
            _ = try await machines.change(
                session.machine, .init(location: .some(Location("s/1/r1/U1"))), generation: nil, by: "alice")
            #expect(try await digest() == first)
            _ = try await daemon.controllers.clusters.change(
                "prod", .init(secrets: [.token: "another-token"]), by: "alice")
            let second = try await digest()
            #expect(second != first)
            _ = try await machines.change(session.machine, .init(labels: ["a": "b"]), generation: nil, by: "alice")
            #expect(try await digest() != second)
        }
    }

    @Test("what a system cannot join is refused with the reason, and nothing is done")
    func refused() async throws {
        try await Self.with { daemon, store, session in
            let machine = try #require(try await store.get(Machine.self, session.machine))
            for assignment in [
                Machine.Assignment(cluster: "prod", release: "talos-1"), .init(cluster: "talos", release: "debian-1"),
                .init(cluster: "talos", release: "talos-1", role: .controlPlane), .init(cluster: "none", release: "x"),
                .init(cluster: "prod", release: "ref-1"),
            ] {
                await #expect(throws: ServiceError.self) {
                    try await daemon.controllers.machines.rendering(of: machine, assignment, secretsFor: nil)
                }
            }
            // A provision of it is not begun, and says why.
            _ = try await daemon.controllers.machines.provision(
                session.machine, assignment: .init(cluster: "talos", release: "debian-1"), generation: nil, by: "alice")
            let isRefused = try await eventually {
                try await store.list(Operation.self).items.first?.error?.contains("Talos machines") == true
            }
            let operation = try #require(try await store.list(Operation.self).items.first)
            #expect(isRefused, "\(operation)")
            #expect(try await LifecycleFlowTests.phase(store) != .installing)
        }
    }

    @Test(
        "a machine that may not enter an installer's kernel is refused before anything is done to it",
        arguments: [true, false])
    func forbidden(byProfile: Bool) async throws {
        try await Self.with(profiles: byProfile ? [HardwareProfile(name: "no-kexec", kexec: false)] : nil) {
            daemon, store, session in
            try await store.transaction { transaction in
                var machine = try #require(try await transaction.get(Machine.self, session.machine))
                if !byProfile { machine.observed.kexecFailed = true }
                try transaction.put(machine)
            }
            _ = try await daemon.controllers.machines.provision(
                session.machine, assignment: .init(cluster: "prod", release: "debian-1"), generation: nil, by: "alice")
            let isRefused = try await eventually {
                try await store.list(Operation.self).items.first?.error?.contains("cannot enter a kernel of debian-1")
                    == true
            }
            let operation = try await store.list(Operation.self).items.first
            #expect(isRefused, "\(String(describing: operation))")
            #expect(try await LifecycleFlowTests.phase(store) != .installing)
        }
    }

    @Test("a rollback goes back to the newest other configuration that became a node")
    func lastGood() throws {
        func record(_ operation: String, _ digest: String, ready: Bool) -> InstallationRecord {
            var record = InstallationRecord(
                operation: operation, assignment: .init(cluster: "c", release: "r"), desired: .init(),
                disk: .init(serial: "D", wwn: nil, sizeBytes: 1),
                release: OSRelease(
                    id: "r", name: "r", os: "o", version: "1", architecture: "amd64", artifacts: [:],
                    minimumDiskBytes: 1, createdAt: .distantPast), profile: nil, digest: digest, at: .distantPast)
            if ready { record.readyAt = .distantPast }
            return record
        }
        func goal(_ records: [InstallationRecord]) -> String? {
            var history = InstallationHistory(machine: "m")
            for record in records { history.note(record) }
            return history.lastGood?.operation
        }
        #expect(goal([]) == nil)
        #expect(goal([record("1", "a", ready: true)]) == nil)
        #expect(goal([record("1", "a", ready: false), record("2", "b", ready: true)]) == nil)
        #expect(goal([record("1", "a", ready: true), record("2", "b", ready: true)]) == "1")
        #expect(goal([record("1", "a", ready: true), record("2", "b", ready: false)]) == "1")
        #expect(
            goal([record("1", "a", ready: true), record("2", "b", ready: true), record("3", "b", ready: false)]) == "1")
        #expect(
            goal([record("1", "a", ready: true), record("2", "b", ready: true), record("3", "a", ready: true)]) == "2")
        // The good one is kept, however many others follow.
        let many = (2...60).map { record("\($0)", "b", ready: false) }
        #expect(goal([record("1", "a", ready: true)] + many) == "1")
    }
}
