import Foundation
import Machines
import Synchronization
import TestSupport
import Testing

@testable import ImageLibrary

/// Fetches from Docker's registry what skopeo put there.
@Suite(.timeLimit(.minutes(3))) struct OCITests {
    private func withRegistry(
        _ body: (Registry, Registry.Layout, ImageFetcher, Library) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { directory in
            let registry = Registry(directory)
            let server = try await registry.start()
            defer { server.kill() }
            let (fetcher, library) = try ImageFetcherTests.fetcher(directory)
            try await body(registry, try Registry.Layout(directory + "/layout"), fetcher, library)
        }
    }

    private static func fetch(
        _ fetcher: ImageFetcher, _ reference: String, architecture: String = "amd64", asImage: Bool = false
    ) async throws -> FetchedFile {
        try await fetcher.fetch(OCIReference(parsing: reference), architecture: architecture, asImage: asImage) {
            _, _ in
        }
    }

    private static func refusal(_ words: String, _ body: () async throws -> some Any) async {
        do {
            _ = try await body()
            Issue.record("it was taken")
        } catch let error as FetchError {
            #expect(error.description.contains(words), "\(error)")
        } catch {
            Issue.record("\(error)")
        }
    }

    private static let noise = Data((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) })

    @Test("a file is the layer with its title, and what its digests lead to")
    func files() async throws {
        try await withRegistry { registry, layout, fetcher, library in
            let files = [("boot/vmlinuz", Self.noise), ("initrd.img", Data("initrd".utf8))] as [(String?, Data)]
            let digest = try await registry.push(layout.manifest(files), of: layout, as: "boot/os:v1")
            let base = "oci+http://127.0.0.1:\(registry.port)/boot/os"
            let kernel = try await Self.fetch(fetcher, "\(base)@\(digest)#boot/vmlinuz")
            #expect(kernel.name == "vmlinuz" && kernel.bytes == 300_000 && kernel.sha256 == Registry.digest(Self.noise))
            let path = try #require(await library.path(ofImage: kernel.sha256))
            #expect(try Data(contentsOf: URL(filePath: path)) == Self.noise)
            #expect(try await Self.fetch(fetcher, "\(base):any@\(digest)#initrd.img").bytes == 6)
            await Self.refusal("there is boot/vmlinuz, initrd.img") {
                try await Self.fetch(fetcher, "\(base)@\(digest)#vmlinuz")
            }
            await Self.refusal("2 files: say which behind #") { try await Self.fetch(fetcher, "\(base)@\(digest)") }
            // A tag is no pin, and says what it means now.
            #expect(try await fetcher.digest(of: OCIReference(parsing: "\(base):v1")).qualified == digest)
            await Self.refusal("has no digest") { try await Self.fetch(fetcher, "\(base):v1#initrd.img") }
            await Self.refusal("404") { try await fetcher.digest(of: OCIReference(parsing: "\(base):v2")) }
            await Self.refusal("404") {
                try await Self.fetch(fetcher, "\(base)@sha256:\(String(repeating: "0", count: 64))")
            }
            // By its title alone, where there is only one; a container's layers are none.
            let one = try await registry.push(layout.manifest([(nil, Data("x".utf8))]), of: layout, as: "boot/one:v1")
            #expect(try await Self.fetch(fetcher, "oci+http://127.0.0.1:\(registry.port)/boot/one@\(one)").name == nil)
            let container = try await registry.push(
                layout.manifest([(nil, Data("x".utf8))], config: "application/vnd.oci.image.config.v1+json"),
                of: layout, as: "boot/container:v1")
            await Self.refusal("container image") {
                try await Self.fetch(fetcher, "oci+http://127.0.0.1:\(registry.port)/boot/container@\(container)")
            }
            let (shut, _) = try ImageFetcherTests.fetcher(registry.directory) { $0.allowsPrivateAddresses = false }
            await Self.refusal("fetch_from_private_addresses") {
                try await Self.fetch(shut, "\(base)@\(digest)#initrd.img")
            }
        }
    }

    @Test("an index has a manifest for each architecture")
    func index() async throws {
        try await withRegistry { registry, layout, fetcher, _ in
            func manifest(_ architecture: String, _ text: String) throws -> [String: Any] {
                try layout.manifest(
                    [("linux", Data(text.utf8))], ["platform": ["os": "linux", "architecture": architecture]])
            }
            let index = try layout.index([manifest("amd64", "a"), manifest("arm64", "ar")])
            let digest = try await registry.push(index, of: layout, as: "boot/os:v1")
            let reference = "oci+http://127.0.0.1:\(registry.port)/boot/os@\(digest)"
            #expect(try await Self.fetch(fetcher, reference).bytes == 1)
            #expect(try await Self.fetch(fetcher, reference, architecture: "arm64").bytes == 2)
            await Self.refusal("only linux/amd64, linux/arm64") {
                try await Self.fetch(fetcher, reference, architecture: "riscv64")
            }
        }
    }

    @Test("what the registry changed is refused: a manifest, a file, and one that is longer than it is said to be")
    func spoilt() async throws {
        try await withRegistry { registry, layout, fetcher, library in
            let (small, large) = (Data("small".utf8), Self.noise)
            let digest = try await registry.push(
                layout.manifest([("small", small), ("large", large)]), of: layout, as: "boot/os:v1")
            let reference = "oci+http://127.0.0.1:\(registry.port)/boot/os@\(digest)"
            try registry.spoil("sha256:" + Registry.digest(small), with: Data("smell".utf8))
            await Self.refusal("its makers say") { try await Self.fetch(fetcher, reference + "#small") }
            try registry.spoil("sha256:" + Registry.digest(large), with: large + small)
            await Self.refusal("more than the 300000 bytes") { try await Self.fetch(fetcher, reference + "#large") }
            try registry.spoil(digest, with: Data(#"{"schemaVersion":2,"layers":[]}"#.utf8))
            await Self.refusal("not what was asked for") { try await Self.fetch(fetcher, reference + "#large") }
            #expect(try library.files().isEmpty)
        }
    }

    @Test("an image is kept in zstd")
    func image() async throws {
        try await withRegistry { registry, layout, fetcher, _ in
            let made = registry.directory + "/made"
            let run = try await ChildProcess.run(
                "bash", ["-c", "truncate -s 3M \(made) && gzip -f \(made)"])
            try #require(run.status == 0, "\(run.output)")
            let digest = try await registry.push(
                layout.manifest([("disk.raw.gz", Data(contentsOf: URL(filePath: made + ".gz")))]), of: layout,
                as: "boot/os:v1")
            let file = try await Self.fetch(
                fetcher, "oci+http://127.0.0.1:\(registry.port)/boot/os@\(digest)", asImage: true)
            #expect(file.compression == .zstd && file.rawBytes == 3 << 20)
        }
    }

    @Test("a token for everybody is asked for, and told to nobody but the registry; blobs may be elsewhere")
    func tokens() async throws {
        try await withTemporaryDirectory { directory in
            let registry = Registry(directory)
            let layout = try Registry.Layout(directory + "/layout")
            let open = try await registry.start()
            let digest = try await registry.push(
                layout.manifest([("linux", Self.noise)]), of: layout, as: "boot/os:v1")
            let secret = try await registry.push(layout.manifest([("linux", Self.noise)]), of: layout, as: "own/os:v1")
            Foundation.kill(open.pid, SIGTERM)
            #expect(await open.ended() != nil)

            // Where blobs are, with the names that the registry's disk has for them.
            try FileManager.default.createDirectory(atPath: directory + "/cdn", withIntermediateDirectories: true)
            let cdn = try ImageFetcherTests.Site(
                directory + "/cdn",
                extra: "location ~ ^/cdn/((..).*)$ { alias \(registry.store)/$2/$1/data; } limit_rate 1m;")
            let storage = try await cdn.start()
            defer { storage.kill() }
            try FileManager.default.createDirectory(atPath: directory + "/front", withIntermediateDirectories: true)
            let front = try ImageFetcherTests.Site(
                directory + "/front",
                extra: """
                    location /v2/ { proxy_pass http://127.0.0.1:\(registry.port); }
                    location ~ ^/v2/boot/os/blobs/sha256:(.*)$ { return 307 \(cdn.url)/cdn/$1; }
                    location /v2/basic/ { add_header WWW-Authenticate 'Basic realm="x"' always; return 401; }
                    location /v2/nothing/ { add_header WWW-Authenticate 'Bearer realm="\(cdn.url)/none"' always; return 401; }
                    location /v2/file/ { add_header WWW-Authenticate 'Bearer realm="file:///etc/passwd"' always; return 401; }
                    """)
            let settings = try await registry.token(
                for: "boot/os", realm: cdn.url + "/token", in: cdn.folder + "/token")
            let server = try await registry.start(authentication: settings)
            defer { server.kill() }
            let nginx = try await front.start()
            defer { nginx.kill() }
            let (fetcher, library) = try ImageFetcherTests.fetcher(directory)
            let base = "oci+http://127.0.0.1:\(front.port)"

            let file = try await Self.fetch(fetcher, "\(base)/boot/os@\(digest)")
            #expect(file.sha256 == Registry.digest(Self.noise) && file.name == "linux")
            #expect(await library.path(ofImage: file.sha256) != nil)
            #expect(cdn.asked.contains { $0.hasPrefix("200 \"-\" /token") })
            #expect(cdn.asked.contains { $0.contains("/cdn/") } && cdn.asked.allSatisfy { $0.hasSuffix("\"-\"") })
            let manifests = front.asked.filter { $0.contains("/manifests/") }
            #expect(manifests.map { $0.prefix(3) } == ["401", "200"] && manifests.last?.contains("Bearer ey") == true)

            // The token is for another repository; there is none; nobody is let in without a name.
            await Self.refusal("401") { try await Self.fetch(fetcher, "\(base)/own/os@\(secret)") }
            await Self.refusal("404") { try await Self.fetch(fetcher, "\(base)/nothing/os@\(digest)") }
            await Self.refusal("file:///etc/passwd") { try await Self.fetch(fetcher, "\(base)/file/os@\(digest)") }
            await Self.refusal("those who have a name") { try await Self.fetch(fetcher, "\(base)/basic/os@\(digest)") }
        }
    }

    @Test("a fetch that was cut off is gone on with")
    func resumes() async throws {
        try await withTemporaryDirectory { directory in
            let registry = Registry(directory)
            let server = try await registry.start()
            defer { server.kill() }
            let layout = try Registry.Layout(directory + "/layout")
            let content = Data((0..<4_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 9) })
            let digest = try await registry.push(layout.manifest([("linux", content)]), of: layout, as: "boot/os:v1")
            let front = try ImageFetcherTests.Site(
                directory, extra: "location /v2/ { proxy_pass http://127.0.0.1:\(registry.port); limit_rate 1m; }")
            let nginx = try await front.start()
            defer { nginx.kill() }
            let reference = try OCIReference(parsing: "oci+http://127.0.0.1:\(front.port)/boot/os@\(digest)")
            let (early, _) = try ImageFetcherTests.fetcher(directory)
            let begun = Mutex<Int64>(0)
            let cut = Task {
                try await early.fetch(reference, architecture: "amd64", asImage: false) { bytes, total in
                    begun.withLock { $0 = bytes }
                }
            }
            #expect(await eventually { begun.withLock { $0 } > 1_000_000 })
            cut.cancel()
            _ = try? await cut.value
            let (late, library) = try ImageFetcherTests.fetcher(directory)
            let file = try await late.fetch(reference, architecture: "amd64", asImage: false) { _, _ in }
            let path = try #require(await library.path(ofImage: file.sha256))
            #expect(try Data(contentsOf: URL(filePath: path)) == content)
            #expect(front.asked.contains { $0.contains(/^206 "bytes=[1-9]\d{5,}-"/) }, "\(front.asked)")
        }
    }
}

@Suite struct OCITextTests {
    @Test(
        "what a registry wants is read, and nothing else is taken for it",
        arguments: [
            (
                #"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull""#,
                "https://auth.docker.io/token?service=registry.docker.io&scope=repository:a/b:pull"
            ),
            (#"bearer realm="https://x/t?a=b""#, "https://x/t?a=b&scope=repository:own:pull"),
            (#"Bearer service=s, realm=https://x/t"#, "https://x/t?service=s&scope=repository:own:pull"),
            (#"Bearer realm="https://x/t",scope="a,b""#, "https://x/t?scope=a,b"),
            (#"Bearer realm="https://x/t",realm="https://evil""#, "https://x/t?scope=repository:own:pull"),
            (#"Bearer realm="https://x"#, nil), (#"Bearer realm="""#, nil), ("Bearer", nil), ("Bearer ", nil),
            (#"Basic realm="x""#, nil), ("", nil), ("Bearer =,=,=", nil),
        ] as [(String, String?)])
    func challenges(header: String, url: String?) {
        #expect(BearerChallenge(header)?.url(repository: "own") == url)
    }

    @Test(
        "a token is one word",
        arguments: [
            (#"{"token": "abc"}"#, "abc"), (#"{"access_token": "abc", "expires_in": 300}"#, "abc"),
            (#"{"token": "a\r\nX: y"}"#, nil), (#"{"token": ""}"#, nil), ("{}", nil), ("", nil),
        ] as [(String, String?)])
    func tokens(answer: String, token: String?) { #expect(BearerChallenge.token(in: Data(answer.utf8)) == token) }

    @Test(
        "what is no manifest, or two things at once",
        arguments: [
            "", "{}", "[]", #"{"schemaVersion": 1, "layers": []}"#, #"{"schemaVersion": 2}"#,
            #"{"schemaVersion": 2, "layers": [], "manifests": []}"#,
            #"{"schemaVersion": 2, "layers": [{"digest": "sha256:x", "size": 1}]}"#,
            #"{"schemaVersion": 2, "layers": [{"digest": "../../etc/passwd", "size": 1}]}"#,
            "{\"schemaVersion\": 2, \"layers\": [{\"digest\": \"sha256:\(String(repeating: "a", count: 64))\", \"size\": -1}]}",
        ])
    func manifests(text: String) { #expect(throws: FetchError.self) { try OCIManifest(Data(text.utf8)) } }
}
