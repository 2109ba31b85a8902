import APIModel
import Crypto
import Foundation
import ImageLibrary
import Logging
import Machines
import Store
import Synchronization
import TestSupport
import Testing

@testable import Controllers

/// Releases that are fetched, and what is kept of them.
@Suite(.timeLimit(.minutes(1))) struct ReleaseFetcherTests {
    /// The wire: it has what these tests put on it, and remembers what it was asked.
    final class Wire: ImageFetching {
        struct Gone: Error, CustomStringConvertible { var description: String { "nobody answers" } }

        let lists: Mutex<[String: String]>
        let files: Mutex<[String: FetchedFile]>
        let asked = Mutex<[String]>([])
        /// What is called so takes for ever; empty: nothing.
        let hangs = Mutex("")
        /// The systems whose makers' keys the operator gave.
        let keys = Mutex<Set<String>>([])

        init(lists: [String: String], files: [String: FetchedFile]) {
            self.lists = Mutex(lists)
            self.files = Mutex(files)
        }

        func place(ofKeysOf system: String) -> String { "/keys/\(system).gpg" }
        func hasKeys(of system: String) -> Bool { keys.withLock { $0.contains(system) } }

        func text(at url: String, limit: Int, signature: TextSignature?) async throws -> FetchedText {
            guard let text = lists.withLock({ $0[url] }) else { throw Gone() }
            switch signature {
            case nil: return FetchedText(text)
            case .clear(let system):
                asked.withLock { $0.append("\(url) signed within by \(system)") }
            case .detached(let signature):
                asked.withLock { $0.append("\(url) signed at \(signature.url) by \(signature.system)") }
            }
            return FetchedText(text, signer: "KEY")
        }

        func digest(of reference: OCIReference) async throws -> FileDigest {
            guard reference.tag == "v1" else { throw Gone() }
            return FileDigest(.sha256, String(repeating: "e", count: 64))
        }

        func fetch(
            _ reference: OCIReference, architecture: String, asImage: Bool,
            progress: @escaping @Sendable (Int64, Int64?) -> Void
        ) async throws -> FetchedFile {
            asked.withLock { $0.append("\(reference) \(architecture)\(asImage ? " image" : "")") }
            guard var file = files.withLock({ $0["\(reference)"] }) else { throw Gone() }
            file.name = reference.title
            return file
        }

        func fetch(
            _ url: String, expecting digest: FileDigest, signature: DetachedSignature?, asImage: Bool,
            progress: @escaping @Sendable (Int64, Int64?) -> Void
        ) async throws -> FetchedFile {
            let signed = signature.map { " signed at \($0.url) by \($0.system)" } ?? ""
            asked.withLock { $0.append("\(url) \(digest.hex.prefix(4))\(asImage ? " image" : "")\(signed)") }
            progress(5, 10)
            while hangs.withLock({ !$0.isEmpty && url.contains($0) }) { try await Task.sleep(for: .milliseconds(10)) }
            guard var file = files.withLock({ $0[url] }) else { throw Gone() }
            if signature != nil { file.signer = "KEY" }
            return file
        }
    }

    static let base = "https://github.com/siderolabs/talos/releases/download/v1.13.2"
    static let (a, b) = (String(repeating: "a", count: 128), String(repeating: "b", count: 128))

    static func wire() -> Wire {
        Wire(
            lists: ["\(base)/sha512sum.txt": "\(a)  vmlinuz-amd64\n\(b)  initramfs-amd64.xz\n"],
            files: [
                "\(base)/vmlinuz-amd64": FetchedFile(sha256: String(repeating: "1", count: 64), bytes: 10),
                "\(base)/initramfs-amd64.xz": FetchedFile(sha256: String(repeating: "2", count: 64), bytes: 20),
            ])
    }

    private static func running<Result>(
        _ store: any RecordStore, _ wire: Wire, _ body: (ReleaseFetcher) async throws -> Result
    ) async throws -> Result {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let fetcher = ReleaseFetcher(
            store: store, catalog: CatalogService(store: store, images: wire, now: { Date() }), images: wire,
            logger: logger,
            now: { Date() })
        let task = Task { try await fetcher.run() }
        let result = try await body(fetcher)
        task.cancel()
        _ = await task.result
        return result
    }

    @Test("what makers publish becomes a release, with the digests that they publish")
    func fetches() async throws {
        let (store, wire) = (MemoryStore(), Self.wire())
        try await Self.running(store, wire) { fetcher in
            let request = ReleaseFetchRequest(os: "talos", version: "1.13.2", architecture: "amd64")
            let fetch = try await fetcher.begin(request, by: "alice")
            #expect(fetch.name == "talos-1.13.2")
            #expect(try await eventually { try await store.get(ReleaseFetch.self, fetch.id)?.state == .succeeded })
            let release = try #require(try await store.list(OSRelease.self).items.first)
            #expect(release.name == "talos-1.13.2" && release.route == .installer)
            #expect(release.proof == ReleaseProof(signers: []) && release.proof?.words == "digests only, over TLS")
            #expect(release.artifacts[.initrd]?.name == "initramfs-amd64.xz" && release.artifacts[.kernel]?.bytes == 10)
            #expect(
                wire.asked.withLock { $0 } == [
                    "\(Self.base)/vmlinuz-amd64 aaaa", "\(Self.base)/initramfs-amd64.xz bbbb",
                ])
        }
    }

    @Test("files of registries become a release, each by its digest")
    func references() async throws {
        let (store, wire) = (MemoryStore(), Self.wire())
        let digest = "sha256:" + String(repeating: "d", count: 64)
        let kernel = "oci://registry.example/boot/talos@\(digest)#vmlinuz"
        let initrd = "oci+http://10.0.0.1:5000/boot/talos:v1@\(digest)#initramfs.xz"
        let ours = Artifact(sha256: String(repeating: "3", count: 64), bytes: 30, name: "rootfs.img")
        wire.files.withLock {
            $0[kernel] = FetchedFile(sha256: String(repeating: "4", count: 64), bytes: 40)
            $0[initrd] = FetchedFile(sha256: String(repeating: "5", count: 64), bytes: 50)
        }
        func request(
            _ references: [ArtifactRole: String], _ artifacts: [ArtifactRole: Artifact]? = nil
        ) -> ReleaseFetchRequest {
            ReleaseFetchRequest(
                os: "talos", version: "own", architecture: "arm64", name: "own",
                files: .init(
                    references: references, artifacts: artifacts, parameters: ["a": "b"], minimumDiskBytes: 7))
        }
        try await Self.running(store, wire) { fetcher in
            for (references, words) in [
                ([.kernel: kernel], "kernel, initrd"), ([.kernel: kernel, .initrd: "oci://x"], "no repository"),
                ([.kernel: kernel, .initrd: "https://example.org/x"], "oci://"),
                ([.kernel: kernel, .initrd: "oci://r.example/x:v1"], "now it is oci://r.example/x:v1@sha256:eeee"),
                ([.kernel: kernel, .initrd: "oci://r.example/x:v2"], "nobody answers"),
                ([.kernel: kernel, .initrd: kernel, .rootfs: kernel], "named twice"),
            ] as [([ArtifactRole: String], String)] {
                do {
                    _ = try await fetcher.begin(request(references, [.rootfs: ours]), by: "alice")
                    Issue.record("\(references) was taken")
                } catch let error as ServiceError {
                    #expect(error.description.contains(words), "\(error)")
                }
            }
            #expect(wire.asked.withLock { $0.isEmpty })
            let fetch = try await fetcher.begin(
                request([.kernel: kernel, .initrd: initrd], [.rootfs: ours]), by: "alice")
            #expect(try await eventually { try await store.get(ReleaseFetch.self, fetch.id)?.state == .succeeded })
            let release = try #require(try await store.list(OSRelease.self).items.first { $0.name == "own" })
            #expect(release.parameters == ["a": "b"] && release.minimumDiskBytes == 7 && release.proof == nil)
            #expect(release.artifacts[.kernel]?.name == "vmlinuz" && release.artifacts[.initrd]?.bytes == 50)
            #expect(release.artifacts[.rootfs] == ours)
            #expect(wire.asked.withLock { $0 } == ["\(initrd) arm64", "\(kernel) arm64"])
        }
    }

    @Test("where there are keys of its makers, what they sign is asked for with its signature")
    func signatures() async throws {
        let (store, wire) = (MemoryStore(), Self.wire())
        func file(_ url: String, _ bytes: Int64) {
            wire.files.withLock {
                $0[url] = FetchedFile(sha256: String(repeating: "\(bytes)", count: 64), bytes: bytes)
            }
        }
        let debian = "https://deb.debian.org/debian/dists/bookworm"
        let images = "main/installer-amd64/current/images"
        let sums =
            "\(Self.a.prefix(64))  ./netboot/debian-installer/amd64/linux\n\(Self.b.prefix(64))  ./netboot/debian-installer/amd64/initrd.gz\n"
        let sumsDigest = SHA256.hash(data: Data(sums.utf8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
            .joined()
        let ubuntu = "https://cloud-images.ubuntu.com/releases/24.04/release"
        let flatcar = "https://stable.release.flatcar-linux.net/amd64-usr/1.2.3/flatcar_production_image.bin.bz2"
        wire.lists.withLock {
            $0["\(debian)/InRelease"] = "SHA256:\n \(sumsDigest)    78509 \(images)/SHA256SUMS\n"
            $0["\(debian)/\(images)/SHA256SUMS"] = sums
            $0["\(ubuntu)/SHA256SUMS"] = "\(Self.a.prefix(64)) *ubuntu-24.04-server-cloudimg-amd64.img\n"
            $0["\(flatcar).DIGESTS"] = "\(Self.b)  flatcar_production_image.bin.bz2\n"
        }
        for (bytes, name) in ["linux", "initrd.gz"].enumerated() {
            file("\(debian)/\(images)/netboot/debian-installer/amd64/\(name)", Int64(bytes + 3))
        }
        file("\(ubuntu)/ubuntu-24.04-server-cloudimg-amd64.img", 5)
        file(flatcar, 6)
        try await Self.running(store, wire) { fetcher in
            func fetched(_ os: String, _ version: String, _ route: InstallRoute) async throws -> ReleaseFetch {
                let fetch = try await fetcher.begin(
                    .init(os: os, version: version, architecture: "amd64", route: route), by: "alice")
                #expect(try await eventually { try await store.get(ReleaseFetch.self, fetch.id)?.state != .running })
                return try #require(try await store.get(ReleaseFetch.self, fetch.id))
            }
            func proof(_ name: String) async throws -> ReleaseProof? {
                try await store.list(OSRelease.self).items.first { $0.name == name }?.proof
            }
            // Without keys nobody asks who signed it.
            #expect(try await fetched("flatcar", "1.2.3", .image).state == .succeeded)
            #expect(try await proof("flatcar-1.2.3")?.isSigned == false)
            #expect(wire.asked.withLock { $0 } == ["\(flatcar) bbbb image"])
            // With them, also for what is here already.
            wire.keys.withLock { $0 = ["flatcar", "ubuntu", "debian", "talos"] }
            wire.asked.withLock { $0 = [] }
            #expect(try await fetched("flatcar", "1.2.3", .image).state == .succeeded)
            #expect(try await proof("flatcar-1.2.3") == ReleaseProof(signers: ["KEY"]))
            #expect(try await fetched("ubuntu", "24.04", .image).state == .succeeded)
            #expect(try await proof("ubuntu-24.04")?.isSigned == true)
            #expect(try await fetched("debian", "12", .installer).state == .succeeded)
            #expect(try await proof("debian-12")?.isSigned == true)
            #expect(
                wire.asked.withLock { $0.filter { $0.contains("signed") } } == [
                    "\(flatcar) bbbb image signed at \(flatcar).sig by flatcar",
                    "\(ubuntu)/SHA256SUMS signed at \(ubuntu)/SHA256SUMS.gpg by ubuntu",
                    "\(debian)/InRelease signed within by debian",
                ])
            // Its makers sign nothing, whatever keys there are; and what is known better stays so.
            #expect(try await fetched("talos", "1.13.2", .installer).state == .succeeded)
            #expect(try await proof("talos-1.13.2")?.isSigned == false)
            wire.keys.withLock { $0 = [] }
            #expect(try await fetched("ubuntu", "24.04", .image).state == .succeeded)
            #expect(try await proof("ubuntu-24.04")?.isSigned == true)
            // A list that is not the one that was signed.
            wire.keys.withLock { $0 = ["debian"] }
            wire.lists.withLock { $0["\(debian)/\(images)/SHA256SUMS"] = sums + " " }
            let changed = try await fetched("debian", "12", .installer)
            #expect(changed.state == .failed && changed.error?.contains("InRelease") == true)
            wire.lists.withLock { $0["\(debian)/InRelease"] = "" }
            #expect(try await fetched("debian", "12", .installer).error?.contains("InRelease has no SHA-256") == true)
        }
        let views = CatalogService(store: store, images: wire, now: { Date() }).systems()
        func words(_ name: String) -> String? { views.first { $0.name == name }?.proof }
        #expect(words("debian") == "signatures: its makers sign its initrd, kernel")
        #expect(words("flatcar") == "digests only, over TLS: no keys of its makers in /keys/flatcar.gpg")
        #expect(words("talos") == "digests only, over TLS: its makers sign none of it")
        #expect(words("rhel") == nil)
    }

    @Test("nothing is believed without a published digest, and a failure says what was asked")
    func refuses() async throws {
        let (store, wire) = (MemoryStore(), Self.wire())
        wire.lists.withLock { $0["\(Self.base)/sha512sum.txt"] = "\(Self.a)  vmlinuz-amd64\n" }
        try await Self.running(store, wire) { fetcher in
            for request in [
                ReleaseFetchRequest(os: "talos", version: "../x", architecture: "amd64"),
                .init(os: "nothing", version: "1", architecture: "amd64"),
                .init(os: "talos", version: "1.13.2", architecture: "riscv64"),
                .init(os: "talos", version: "1.13.2", architecture: "amd64", route: .image),
                .init(os: "talos", version: "1.13.2", architecture: "amd64", name: "a/b"),
            ] { await #expect(throws: ServiceError.self) { try await fetcher.begin(request, by: "alice") } }
            let fetch = try await fetcher.begin(
                .init(os: "talos", version: "1.13.2", architecture: "amd64"), by: "alice")
            #expect(try await eventually { try await store.get(ReleaseFetch.self, fetch.id)?.state == .failed })
            let error = try await store.get(ReleaseFetch.self, fetch.id)?.error
            #expect(
                error?.contains("initramfs-amd64.xz") == true && error?.contains("sha512sum.txt") == true,
                "\(error ?? "")")
            #expect(try await store.list(OSRelease.self).items.isEmpty)
        }
    }

    @Test(
        "a schematic's files come from its factory, with its installer; its digests or a person's, and nothing without")
    func factory() async throws {
        let id = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba"
        let base = "https://factory.example.org/image/\(id)/v1.13.2"
        let (one, two) = (String(repeating: "c", count: 64), String(repeating: "d", count: 64))
        let wire = Wire(
            lists: ["\(base)/kernel-amd64.sha256": "\(one)  kernel-amd64\n"],
            files: [
                "\(base)/kernel-amd64": FetchedFile(sha256: one, bytes: 10),
                "\(base)/initramfs-amd64.xz": FetchedFile(sha256: two, bytes: 20),
            ])
        let store = MemoryStore()
        try await Self.running(store, wire) { fetcher in
            func fetch(_ digests: [String: String]?, name: String? = nil) async throws -> ReleaseFetch {
                let fetch = try await fetcher.begin(
                    .init(
                        os: "talos", version: "1.13.2", architecture: "amd64", name: name,
                        factory: .init(url: "https://factory.example.org", schematic: id), digests: digests),
                    by: "alice")
                #expect(try await eventually { try await store.get(ReleaseFetch.self, fetch.id)?.state != .running })
                return try #require(try await store.get(ReleaseFetch.self, fetch.id))
            }
            // This factory tells the digest of one file only.
            let failed = try await fetch(nil)
            #expect(failed.state == .failed)
            #expect(failed.error?.contains("--sha256 initramfs-amd64.xz=HEX") == true, "\(failed.error ?? "")")
            #expect(failed.error?.contains("@schematic.yaml https://factory.example.org/schematics") == true)
            #expect(try await store.list(OSRelease.self).items.isEmpty)
            let done = try await fetch(["initramfs-amd64.xz": two])
            #expect(done.state == .succeeded && done.name == "talos-1.13.2-37656798", "\(done.error ?? "")")
            let release = try #require(try await store.list(OSRelease.self).items.first)
            #expect(release.parameters["installer_image"] == "factory.example.org/metal-installer/\(id):v1.13.2")
            #expect(
                Array(wire.asked.withLock { $0 }.suffix(2)) == [
                    "\(base)/kernel-amd64 cccc", "\(base)/initramfs-amd64.xz dddd",
                ])
            for digests in [["initramfs-amd64.xz": "abc"], ["other": two]] {
                await #expect(throws: ServiceError.self) { _ = try await fetch(digests, name: "x") }
            }
            // Before anything is asked for.
            await #expect(throws: ServiceError.self) {
                try await fetcher.begin(
                    .init(os: "talos", version: "1.13.3", architecture: "amd64", name: "talos-1.13.2-37656798"),
                    by: "alice")
            }
            for request in [
                ReleaseFetchRequest(
                    os: "debian", version: "12", architecture: "amd64", factory: .init(url: "https://a", schematic: id)),
                .init(
                    os: "talos", version: "1.13.2", architecture: "amd64",
                    factory: .init(url: "file:///etc", schematic: id)),
            ] { await #expect(throws: ServiceError.self) { try await fetcher.begin(request, by: "alice") } }
        }
    }

    @Test("the next daemon goes on with what is not there yet, and asks for nothing twice")
    func goesOn() async throws {
        let (store, wire) = (MemoryStore(), Self.wire())
        wire.hangs.withLock { $0 = "initramfs" }
        let id = try await Self.running(store, wire) { fetcher in
            let fetch = try await fetcher.begin(
                .init(os: "talos", version: "1.13.2", architecture: "amd64"), by: "alice")
            // It ends once the first file is there, and in the middle of the second.
            let isBegun = await eventually { wire.asked.withLock { $0.contains { $0.contains("initramfs") } } }
            #expect(isBegun)
            return fetch.id
        }
        #expect(try await store.get(ReleaseFetch.self, id)?.state == .running)
        wire.hangs.withLock { $0 = "" }
        try await Self.running(store, wire) { fetcher in
            let isDone = try await eventually { try await store.get(ReleaseFetch.self, id)?.state == .succeeded }
            #expect(isDone)
        }
        #expect(wire.asked.withLock { $0.filter { $0.contains("vmlinuz") } }.count == 1)
        #expect(try await store.list(OSRelease.self).items.count == 1)
    }

    @Test("a damaged file is removed and told; what no release names goes when asked, and not at once")
    func keeper() async throws {
        try await withTemporaryDirectory { directory in
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let library = try Library(directory: directory, logger: logger)
            let store = MemoryStore()
            func shelve(_ text: String) throws -> String {
                let digest = SHA256.hash(data: Data(text.utf8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
                    .joined()
                try Data(text.utf8).write(to: URL(filePath: directory + "/" + digest))
                return digest
            }
            let (fine, damaged, stray) = (try shelve("fine"), try shelve("damaged"), try shelve("stray"))
            let missing = String(repeating: "0", count: 64)
            let release = OSRelease(
                id: "r", name: "trial-1", os: "debian", version: "1", architecture: "amd64",
                artifacts: [
                    .kernel: .init(sha256: fine, bytes: 4), .initrd: .init(sha256: damaged, bytes: 7),
                    .iso: .init(sha256: missing, bytes: 1),
                ], minimumDiskBytes: 0, createdAt: Date())
            try await store.transaction { try $0.put(release) }
            try Data("damagee".utf8).write(to: URL(filePath: directory + "/" + damaged))
            let time = ManualTime(Date())
            let keeper = LibraryKeeper(store: store, shelf: library, logger: logger, now: { time.now })

            let report = try await keeper.verify("trial-1", by: "alice")
            #expect(report.fine == [fine] && report.damaged == [damaged] && report.missing == [missing])
            #expect(await library.path(ofImage: damaged) == nil)
            #expect(
                try await store.list(Event.self).items.contains {
                    $0.type == .problem && $0.message.contains("trial-1")
                })
            await #expect(throws: ServiceError.self) { try await keeper.verify("none", by: "alice") }

            #expect(try await keeper.prune(isTrial: false, by: "alice").removed.isEmpty)
            time.advance(by: LibraryKeeper.grace + 1)
            #expect(try await keeper.prune(isTrial: true, by: "alice").removed == [stray])
            #expect(await library.path(ofImage: stray) != nil)
            #expect(try await keeper.prune(isTrial: false, by: "alice").removed == [stray])
            let leftover = directory + "/fetch-0123"
            try Data("half".utf8).write(to: URL(filePath: leftover))
            _ = try await keeper.prune(isTrial: false, by: "alice")
            #expect(FileManager.default.fileExists(atPath: leftover))
            time.advance(by: 8 * 86400)
            _ = try await keeper.prune(isTrial: false, by: "alice")
            #expect(!FileManager.default.fileExists(atPath: leftover))
            let left = try library.files().map(\.sha256)
            #expect(left == [fine])
        }
    }
}
