import Crypto
import Foundation
import Machines
import TestSupport
import Testing

@testable import AgentCore

/// Downloads from nginx that is killed in the middle and comes back, with the same file or another.
@Suite(.timeLimit(.minutes(3))) struct ImageDownloadTests {
    static func noise(_ count: Int, seed: UInt64) -> Data {
        var state = seed
        return Data(
            (0..<count / 8).flatMap { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return withUnsafeBytes(of: state ^ state >> 33) { Array($0) }
            })
    }

    private static func remote(_ content: Data, at url: String, mirror: String? = nil) -> KernelOrder.RemoteFile {
        .init(
            url: url, sha256: Credential.hex(Array(SHA256.hash(data: content))), bytes: Int64(content.count),
            mirror: mirror)
    }

    /// Begins a download and takes a part of it, so that the rest waits: what is in between is far less than the file.
    private static func begin(_ file: KernelOrder.RemoteFile, usesMirror: Bool = true) throws -> (
        BoundedQueue<[UInt8]>, Data
    ) {
        let queue = BoundedQueue<[UInt8]>(capacity: 2)
        let download = ImageDownload(file: file, queue: queue, usesMirror: usesMirror)
        AgentThread.start("download") { download.run() }
        var taken = Data()
        while taken.count < 1 << 20, let chunk = try queue.take() { taken += chunk }
        return (queue, taken)
    }

    /// The rest of it, or why there is none.
    private static func rest(of queue: BoundedQueue<[UInt8]>, behind taken: Data) async throws -> Data {
        try await AgentThread.perform("test") {
            var taken = taken
            while let chunk = try queue.take() { taken += chunk }
            return taken
        }
    }

    private static let content = noise(48 << 20, seed: 1)

    enum Return: String, CaseIterable, Sendable {
        case same, sameWithAnotherTag, withoutRanges, another, shorter, longer
    }

    @Test(
        "a server that is killed and comes back is gone on with, if its file is still that file",
        arguments: Return.allCases)
    func killed(_ comeback: Return) async throws {
        try await withTemporaryDirectory { directory in
            let site = NginxSite(directory: directory)
            try site.put(Self.content)
            let first = try await site.start()
            defer { first.kill() }
            let (queue, taken) = try Self.begin(Self.remote(Self.content, at: site.url))
            first.kill()
            var extra = ""
            switch comeback {
            case .same: break
            case .sameWithAnotherTag:
                try FileManager.default.setAttributes(
                    [.modificationDate: Date(timeIntervalSince1970: 1)], ofItemAtPath: directory + "/image")
            case .withoutRanges: extra = "max_ranges 0;"
            case .another: try site.put(Self.noise(Self.content.count, seed: 2))
            case .shorter: try site.put(Self.content.prefix(1 << 19))
            case .longer: try site.put(Self.content + Data("more".utf8))
            }
            let second = try await site.start(extra)
            defer { second.kill() }
            func ends(_ words: String) async {
                let error = await #expect(throws: InstallError.self) { try await Self.rest(of: queue, behind: taken) }
                #expect(error?.description.contains(words) ?? false, "\(error?.description ?? "")")
            }
            switch comeback {
            case .same, .sameWithAnotherTag, .withoutRanges:
                #expect(try await Self.rest(of: queue, behind: taken) == Self.content)
                let last = try #require(site.asked.last { !$0.hasPrefix("404") })
                // Range and tag were asked with, and only what was the same was answered in part.
                #expect(last.hasPrefix(comeback == .same ? "206 bytes=" : "200 bytes="), "\(last)")
                #expect(last.hasSuffix("\\x22"), "\(last)")
            case .another: await ends("it has another file by now")
            case .shorter: await ends("its file has \(1 << 19) bytes, and the order says \(Self.content.count)")
            case .longer: await ends("its file has \(Self.content.count + 4) bytes")
            }
        }
    }

    @Test("a mirror that dies is gone on from by the daemon, and what a mirror has of another file is not taken")
    func mirrors() async throws {
        try await withTemporaryDirectory { directory in
            let (origin, mirror) = (
                NginxSite(directory: directory + "/origin"), NginxSite(directory: directory + "/mirror")
            )
            for site in [origin, mirror] {
                try FileManager.default.createDirectory(atPath: site.directory, withIntermediateDirectories: true)
                try site.put(Self.content)
            }
            let (daemon, near) = (try await origin.start(), try await mirror.start())
            defer {
                daemon.kill()
                near.kill()
            }
            let file = Self.remote(Self.content, at: origin.url, mirror: mirror.url)
            let (queue, taken) = try Self.begin(file)
            #expect(!origin.asked.contains { $0.hasPrefix("2") })
            near.kill()
            #expect(try await Self.rest(of: queue, behind: taken) == Self.content)
            #expect(origin.asked.last?.hasPrefix("206 bytes=") ?? false, "\(origin.asked)")
            // Without it from the beginning.
            let (alone, begun) = try Self.begin(file)
            #expect(try await Self.rest(of: alone, behind: begun) == Self.content)
            #expect(origin.asked.last?.hasPrefix("200") ?? false, "\(origin.asked)")
            // One with a file of the same length: the digest tells, and that it is the bytes that are wrong.
            try mirror.put(Self.noise(Self.content.count, seed: 3))
            let liar = try await mirror.start()
            defer { liar.kill() }
            let (lied, lie) = try Self.begin(file)
            let error = await #expect(throws: InstallError.self) { try await Self.rest(of: lied, behind: lie) }
            #expect(error?.isDamage ?? false, "\(error?.description ?? "")")
            let (honest, truth) = try Self.begin(file, usesMirror: false)
            #expect(try await Self.rest(of: honest, behind: truth) == Self.content)
        }
    }
}
