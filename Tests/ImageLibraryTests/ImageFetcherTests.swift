import Crypto
import Foundation
import Logging
import Machines
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import ImageLibrary

/// Fetches from nginx.
@Suite(.timeLimit(.minutes(3))) struct ImageFetcherTests {
    /// nginx over a folder `site`, with a log of what it was asked.
    struct Site: Sendable {
        let directory: String
        let port: Int

        var url: String { "http://127.0.0.1:\(port)" }
        var folder: String { directory + "/site" }

        init(_ directory: String, extra: String = "") throws {
            (self.directory, port) = (directory, FreePort.tcp())
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try """
            daemon off; master_process off; pid \(directory)/nginx.pid; error_log \(directory)/error.log;
            events {}
            http {
                log_format asked '$status "$http_range" $uri "$http_authorization"'; access_log \(directory)/access.log asked;
                client_body_temp_path \(directory)/t1; proxy_temp_path \(directory)/t2; fastcgi_temp_path \(directory)/t3;
                uwsgi_temp_path \(directory)/t4; scgi_temp_path \(directory)/t5;
                server { listen 127.0.0.1:\(port); root \(folder); \(extra) }
            }
            """.write(toFile: directory + "/nginx.conf", atomically: true, encoding: .utf8)
        }

        func start() async throws -> ChildProcess {
            let child = try ChildProcess("nginx", ["-c", directory + "/nginx.conf", "-e", directory + "/error.log"])
            let answers = await eventually {
                (try? await ChildProcess.run("curl", ["--silent", "--output", "/dev/null", url + "/"]))?.status == 0
            }
            try #require(answers, "\(child.output)")
            return child
        }

        func put(_ name: String, _ content: Data) throws -> FileDigest {
            try content.write(to: URL(filePath: folder + "/" + name))
            return FileDigest(
                .sha256, SHA256.hash(data: content).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
        }

        var asked: [String] {
            ((try? String(contentsOfFile: directory + "/access.log", encoding: .utf8)) ?? "").split(separator: "\n")
                .map(String.init)
        }
    }

    static func fetcher(_ directory: String, _ change: (inout FetchPolicy) -> Void = { _ in }) throws -> (
        ImageFetcher, Library
    ) {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        var policy = FetchPolicy(allowsPrivateAddresses: true)
        change(&policy)
        let library = try Library(directory: directory + "/library", logger: logger)
        let keys = SigningKeys(directory: directory + "/keys")
        return (ImageFetcher(library: library, policy: policy, keys: keys, logger: logger), library)
    }

    @Test("a file is kept under its digest; one that is another is not kept at all")
    func digests() async throws {
        try await withTemporaryDirectory { directory in
            let site = try Site(directory)
            let nginx = try await site.start()
            defer { nginx.kill() }
            let content = Data((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
            let digest = try site.put("linux", content)
            let (fetcher, library) = try Self.fetcher(directory)
            let seen = Mutex<Int64>(0)
            let file = try await fetcher.fetch(site.url + "/linux", expecting: digest, signature: nil, asImage: false) {
                bytes, total in
                seen.withLock { $0 = bytes }
                #expect(total == 3_000_000)
            }
            #expect(file == FetchedFile(sha256: digest.hex, bytes: 3_000_000) && seen.withLock { $0 } == 3_000_000)
            let path = try #require(await library.path(ofImage: digest.hex))
            #expect(try Data(contentsOf: URL(filePath: path)) == content)
            // What is in the library is not fetched, as far as its SHA-256 is what was published.
            seen.withLock { $0 = 0 }
            let again = try await fetcher.fetch(site.url + "/linux", expecting: digest, signature: nil, asImage: false)
            { bytes, _ in
                seen.withLock { $0 = bytes }
            }
            #expect(again == file && seen.withLock { $0 } == 3_000_000)
            #expect(site.asked.filter { $0.contains("/linux") }.count == 1)
            let sum = try await ChildProcess.run("sha512sum", [path]).output.prefix(128)
            #expect(
                try await fetcher.fetch(
                    site.url + "/linux", expecting: FileDigest(.sha512, String(sum)), signature: nil, asImage: false
                ) { _, _ in }
                .sha256 == digest.hex)

            let wrong = FileDigest(.sha256, String(repeating: "0", count: 64))
            await #expect(throws: FetchError.self) {
                try await fetcher.fetch(site.url + "/linux", expecting: wrong, signature: nil, asImage: false) { _, _ in
                }
            }
            await #expect(throws: FetchError.self) {
                try await fetcher.fetch(site.url + "/none", expecting: wrong, signature: nil, asImage: false) { _, _ in
                }
            }
            let kept = try FileManager.default.contentsOfDirectory(atPath: directory + "/library")
            #expect(kept.filter { !$0.hasPrefix("fetch-") } == [digest.hex])
            #expect(try await fetcher.text(at: site.url + "/linux", limit: 4 << 20, signature: nil).text.utf8.count > 0)
            await #expect(throws: FetchError.self) {
                try await fetcher.text(at: site.url + "/linux", limit: 1000, signature: nil)
            }
        }
    }

    @Test("a fetch that was cut off is gone on with, by the next daemon too")
    func resumes() async throws {
        try await withTemporaryDirectory { directory in
            let site = try Site(directory, extra: "limit_rate 1m;")
            let content = Data((0..<4_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 9) })
            let digest = try site.put("image", content)
            let first = try await site.start()
            let (early, _) = try Self.fetcher(directory)
            let begun = Mutex<Int64>(0)
            let cut = Task {
                try await early.fetch(site.url + "/image", expecting: digest, signature: nil, asImage: false) {
                    bytes, _ in
                    begun.withLock { $0 = bytes }
                }
            }
            #expect(await eventually { begun.withLock { $0 } > 1_000_000 })
            // The daemon ends.
            cut.cancel()
            _ = try? await cut.value
            Foundation.kill(first.pid, SIGTERM)
            #expect(await first.ended() != nil)
            let nginx = try await site.start()
            defer { nginx.kill() }
            let (late, library) = try Self.fetcher(directory)
            let file = try await late.fetch(site.url + "/image", expecting: digest, signature: nil, asImage: false) {
                _, _ in
            }
            #expect(file.sha256 == digest.hex)
            let path = try #require(await library.path(ofImage: digest.hex))
            #expect(try Data(contentsOf: URL(filePath: path)) == content)
            let range = site.asked.last?.firstMatch(of: /206 "bytes=(\d+)-"/)?.output.1
            #expect((Int(range ?? "") ?? 0) > 500_000, "\(site.asked)")
        }
    }

    @Test("a connection that ends in the middle is followed by another from there")
    func cutOff() async throws {
        try await withTemporaryDirectory { directory in
            let site = try Site(directory, extra: "limit_rate 1m;")
            let content = Data((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 13) })
            let digest = try site.put("image", content)
            let first = try await site.start()
            let (fetcher, _) = try Self.fetcher(directory)
            let begun = Mutex<Int64>(0)
            async let fetched = fetcher.fetch(site.url + "/image", expecting: digest, signature: nil, asImage: false) {
                bytes, _ in
                begun.withLock { $0 = bytes }
            }
            #expect(await eventually { begun.withLock { $0 } > 500_000 })
            // Its workers go with it: SIGTERM ends them at once.
            Foundation.kill(first.pid, SIGTERM)
            #expect(await first.ended() != nil)
            let nginx = try await site.start()
            defer { nginx.kill() }
            #expect(try await fetched.sha256 == digest.hex)
            #expect(site.asked.contains { $0.hasPrefix("206 ") }, "\(site.asked)")
        }
    }

    @Test("where it is led is looked at as well, and what is too large is left")
    func policy() async throws {
        try await withTemporaryDirectory { directory in
            let site = try Site(
                directory,
                extra: """
                    location /once { return 302 /linux; }
                    location /round { return 302 /round; }
                    location /file { return 302 file:///etc/passwd; }
                    location /away { return 302 http://169.254.169.254/latest; }
                    """)
            let nginx = try await site.start()
            defer { nginx.kill() }
            let digest = try site.put("linux", Data(repeating: 1, count: 3000))
            let (open, _) = try Self.fetcher(directory)
            #expect(
                try await open.fetch(site.url + "/once", expecting: digest, signature: nil, asImage: false) { _, _ in }
                    .bytes == 3000)
            let other = FileDigest(.sha256, String(repeating: "0", count: 64))
            for path in ["/round", "/file"] {
                await #expect(throws: FetchError.self) {
                    try await open.fetch(site.url + path, expecting: other, signature: nil, asImage: false) { _, _ in }
                }
            }
            let (shut, _) = try Self.fetcher(directory) { $0.allowsPrivateAddresses = false }
            do {
                _ = try await shut.text(at: site.url + "/linux", limit: 10_000, signature: nil)
                Issue.record("a private address was asked")
            } catch let error as FetchError {
                #expect(error.description.contains("fetch_from_private_addresses"))
            }
            #expect(site.asked.filter { $0.contains("/linux") }.count == 1)
            let (small, _) = try Self.fetcher(directory) { $0.maximumBytes = 2000 }
            await #expect(throws: FetchError.self) {
                try await small.fetch(site.url + "/linux", expecting: other, signature: nil, asImage: false) { _, _ in }
            }
            // A name that means this host.
            await #expect(throws: FetchError.self) {
                try await shut.text(at: "http://localhost:\(site.port)/linux", limit: 10_000, signature: nil)
            }
        }
    }

    @Test(
        "images are kept in zstd, whatever they are packed with",
        arguments: ["gz", "xz", "bz2", "zst", "qcow2", "vpc", "raw"])
    func images(packing: String) async throws {
        try await withTemporaryDirectory { directory in
            let site = try Site(directory)
            let raw = directory + "/raw"
            let content = Data((0..<(5 << 20)).map { UInt8(truncatingIfNeeded: $0 / 4096) })
            try content.write(to: URL(filePath: raw))
            let made = directory + "/made"
            let commands = [
                "gz": "gzip -c \(raw) >\(made)", "xz": "xz -c \(raw) >\(made)", "bz2": "bzip2 -c \(raw) >\(made)",
                "zst": "zstd -q -c <\(raw) >\(made)", "qcow2": "qemu-img convert -O qcow2 \(raw) \(made)",
                "vpc": "qemu-img convert -O vpc -o subformat=fixed,force_size=on \(raw) \(made)",
                "raw": "cp \(raw) \(made)",
            ]
            let run = try await ChildProcess.run("sh", ["-c", commands[packing] ?? "false"])
            try #require(run.status == 0, "\(run.output)")
            let digest = try site.put("image", Data(contentsOf: URL(filePath: made)))
            let nginx = try await site.start()
            defer { nginx.kill() }
            let (fetcher, library) = try Self.fetcher(directory)
            let file = try await fetcher.fetch(site.url + "/image", expecting: digest, signature: nil, asImage: true) {
                _, _ in
            }
            #expect(file.compression == (packing == "raw" ? .none : .zstd))
            #expect(file.rawBytes == 5 << 20)
            let path = try #require(await library.path(ofImage: file.sha256))
            let unpacked = directory + "/unpacked"
            _ = try await ChildProcess.run(
                "sh", ["-c", packing == "raw" ? "cp \(path) \(unpacked)" : "zstd -dcq \(path) >\(unpacked)"])
            #expect(try Data(contentsOf: URL(filePath: unpacked)) == content)
            let kept = try FileManager.default.contentsOfDirectory(atPath: directory + "/library")
            #expect(kept == [file.sha256], "\(kept)")
        }
    }

    @Test("an image that stands on another file is refused: that might be any file of this host")
    func backingFile() async throws {
        try await withTemporaryDirectory { directory in
            let site = try Site(directory)
            let run = try await ChildProcess.run(
                "qemu-img", ["create", "-q", "-f", "qcow2", "-b", "/etc/passwd", "-F", "raw", directory + "/made"])
            try #require(run.status == 0, "\(run.output)")
            let digest = try site.put("image", Data(contentsOf: URL(filePath: directory + "/made")))
            let nginx = try await site.start()
            defer { nginx.kill() }
            let (fetcher, _) = try Self.fetcher(directory)
            await #expect(throws: FetchError.self) {
                try await fetcher.fetch(site.url + "/image", expecting: digest, signature: nil, asImage: true) { _, _ in
                }
            }
            let kept = try FileManager.default.contentsOfDirectory(atPath: directory + "/library")
            #expect(kept.allSatisfy { $0.hasPrefix("fetch-") }, "\(kept)")
        }
    }

    @Test("the library takes no more than its limit, and says how to make room")
    func quota() async throws {
        try await withTemporaryDirectory { directory in
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let library = try Library(directory: directory, quota: 10, logger: logger)
            func add(_ text: String) async throws {
                let digest = SHA256.hash(data: Data(text.utf8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
                    .joined()
                try await library.add(digest: digest, body: [ByteBuffer(string: text)].async)
            }
            try await add("123456")
            do {
                try await add("abcdef")
                Issue.record("it took more")
            } catch let error as ImageError {
                #expect(error.isOutOfSpace && error.description.contains("os prune"))
            }
            try await add("abcd")
            #expect(try library.files().reduce(0) { $0 + $1.bytes } == 10)
        }
    }
}

extension [ByteBuffer] {
    /// As a body comes.
    fileprivate var async: AsyncStream<ByteBuffer> {
        AsyncStream { continuation in
            for buffer in self { continuation.yield(buffer) }
            continuation.finish()
        }
    }
}
