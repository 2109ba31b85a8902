import Crypto
import Foundation
import Logging
import Machines
import TestSupport
import Testing

@testable import ImageLibrary

/// A mirror of nginx, which has a daemon's paths and tags.
@Suite(.timeLimit(.minutes(3))) struct MirrorLibraryTests {
    typealias Site = ImageFetcherTests.Site

    /// Runs a mirror for as long as `body` does.
    private func mirroring(
        _ directory: String, of site: Site, limit: Int64 = 1 << 30,
        _ body: @escaping @Sendable (MirrorLibrary, Library) async throws -> Void
    ) async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let library = try Library(directory: directory + "/mirror", logger: logger)
        let mirror = MirrorLibrary(library: library, origin: site.url, limit: limit, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await mirror.run() }
            group.addTask {
                try await body(mirror, library)
                throw CancellationError()
            }
            do {
                try await group.next()
            } catch is CancellationError {}
            group.cancelAll()
        }
    }

    /// A site that tags files with their names, as a daemon does.
    private func site(_ directory: String, _ extra: String = "") throws -> Site {
        let site = try Site(
            directory,
            extra: """
                etag off; location /images/ { add_header ETag '"$slipway_tag"'; \(extra) }
                set $slipway_tag ""; if ($uri ~ "/images/(.*)") { set $slipway_tag $1; }
                """)
        try FileManager.default.createDirectory(atPath: site.folder + "/images", withIntermediateDirectories: true)
        return site
    }

    private static func content(_ bytes: Int, seed: Int) -> Data {
        Data((0..<bytes).map { UInt8(truncatingIfNeeded: ($0 &* 31) ^ ($0 >> 8) &+ seed) })
    }

    /// - Returns: its digest.
    private func put(_ content: Data, on site: Site) throws -> String {
        let digest = Credential.hex(Array(SHA256.hash(data: content)))
        try content.write(to: URL(filePath: site.folder + "/images/" + digest))
        return digest
    }

    /// Reads a file as it comes, as the boot HTTP server does.
    private static func read(_ image: ServedImage) async throws -> Data {
        let file = try #require(FileHandle(forReadingAtPath: image.path))
        defer { try? file.close() }
        guard let growth = image.growth else { return try file.readToEnd() ?? Data() }
        var data = Data()
        while data.count < growth.bytes {
            let length = try await growth.length(beyond: Int64(data.count))
            data += try file.read(upToCount: Int(length) - data.count) ?? Data()
        }
        return data
    }

    @Test("a file is fetched once for all that wait, served while it comes, and kept")
    func once() async throws {
        try await withTemporaryDirectory { directory in
            let site = try site(directory, "limit_rate 2m;")
            let nginx = try await site.start()
            defer { nginx.kill() }
            let content = Self.content(6 << 20, seed: 0)
            let digest = try put(content, on: site)
            try await mirroring(directory, of: site) { mirror, library in
                try await withThrowingTaskGroup(of: Data.self) { group in
                    for _ in 0..<8 {
                        group.addTask { try await Self.read(try #require(await mirror.image(digest))) }
                    }
                    let first = try #require(await mirror.image(digest)?.growth)
                    // A part of it is there, and the file is not.
                    _ = try await first.length(beyond: 100_000)
                    #expect(await library.path(ofImage: digest) == nil)
                    for try await data in group { #expect(data == content) }
                }
                #expect(await eventually { await library.path(ofImage: digest) != nil })
                #expect(try await Self.read(try #require(await mirror.image(digest))) == content)
                #expect(site.asked.filter { $0.contains(digest) }.count == 1, "\(site.asked)")
            }
        }
    }

    @Test("a main daemon that is killed and comes back is gone on from")
    func resumes() async throws {
        try await withTemporaryDirectory { directory in
            let site = try site(directory, "limit_rate 1m;")
            let nginx = try await site.start()
            let content = Self.content(12 << 20, seed: 1)
            let digest = try put(content, on: site)
            try await mirroring(directory, of: site) { mirror, _ in
                let image = try #require(await mirror.image(digest))
                _ = try await image.growth?.length(beyond: 1 << 20)
                // Its workers go with it: SIGTERM ends them at once.
                Foundation.kill(nginx.pid, SIGTERM)
                #expect(await nginx.ended() != nil)
                let configuration = directory + "/nginx.conf"
                try String(contentsOfFile: configuration, encoding: .utf8)
                    .replacingOccurrences(of: "limit_rate 1m;", with: "")
                    .write(toFile: configuration, atomically: true, encoding: .utf8)
                let again = try await site.start()
                defer { again.kill() }
                #expect(try await Self.read(image) == content)
                #expect(site.asked.contains { $0.hasPrefix("206 \"bytes=") }, "\(site.asked)")
            }
        }
    }

    @Test("what is not there, and what is something else, is not had; its end never leaves")
    func others() async throws {
        try await withTemporaryDirectory { directory in
            let site = try site(directory)
            let nginx = try await site.start()
            defer { nginx.kill() }
            let content = Self.content(3_000_000, seed: 2)
            let digest = Credential.hex(Array(SHA256.hash(data: Data("other".utf8))))
            try content.write(to: URL(filePath: site.folder + "/images/" + digest))
            try await mirroring(directory, of: site) { mirror, library in
                #expect(await mirror.image(String(repeating: "0", count: 64)) == nil)
                #expect(await mirror.image("../admin.token") == nil)
                if let image = await mirror.image(digest) {
                    await #expect(throws: FetchError.self) { try await Self.read(image) }
                }
                #expect(
                    await eventually {
                        (try? FileManager.default.contentsOfDirectory(atPath: directory + "/mirror")) == []
                    })
            }
        }
    }

    @Test("what was not asked for the longest leaves for what comes, and what can have no room is not fetched")
    func room() async throws {
        try await withTemporaryDirectory { directory in
            let site = try site(directory)
            let nginx = try await site.start()
            defer { nginx.kill() }
            let digests = try (0..<4).map {
                try put(Self.content($0 == 3 ? 2_000_001 : 900_000, seed: 3 + $0), on: site)
            }
            try await mirroring(directory, of: site, limit: 2_000_000) { mirror, library in
                func has() async -> [Bool] {
                    var has: [Bool] = []
                    for digest in digests { has.append(await library.path(ofImage: digest) != nil) }
                    return has
                }
                for number in 0..<2 {
                    _ = try await Self.read(try #require(await mirror.image(digests[number])))
                    #expect(await eventually { await has()[number] })
                }
                // The older of the two is asked for again; dates on disks may be coarse.
                #expect(
                    await eventually {
                        _ = await mirror.image(digests[0])
                        return (try? library.files())?.map(\.sha256) == [digests[1], digests[0]]
                    })
                _ = try await Self.read(try #require(await mirror.image(digests[2])))
                #expect(await eventually { await has() == [true, false, true, false] })
                #expect(await mirror.image(digests[3]) == nil)
                #expect(await has() == [true, false, true, false])
            }
        }
    }
}
