import Foundation
import Machines
import TestSupport
import Testing

@testable import ImageLibrary

/// Images that are more than they look like.
@Suite(.timeLimit(.minutes(3))) struct ImageBoundsTests {
    /// What becomes of an image that `command` writes to `$0`.
    private func convert(
        _ command: String, in directory: String, _ change: (inout FetchPolicy) -> Void
    ) async throws -> FetchedFile {
        let site = try ImageFetcherTests.Site(directory)
        let made = directory + "/made"
        let run = try await ChildProcess.run("bash", ["-c", "set -e; cd \(directory); \(command)", made])
        try #require(run.status == 0, "\(run.output)")
        let digest = try site.put("image", Data(contentsOf: URL(filePath: made)))
        let nginx = try await site.start()
        defer { nginx.kill() }
        let (fetcher, _) = try ImageFetcherTests.fetcher(directory, change)
        return try await fetcher.fetch(site.url + "/image", expecting: digest, signature: nil, asImage: true) { _, _ in
        }
    }

    @Test(
        "what unpacks to more than a disk image may have is refused, and leaves nothing but what was fetched",
        arguments: [
            "gzip -c zeros >$0", "xz -c zeros >$0", "bzip2 -c zeros >$0", "lz4 -q -c zeros >$0",
            "zstd -q -c <zeros >$0",
            "qemu-img convert -O qcow2 zeros $0", "qemu-img convert -O vpc -o subformat=fixed,force_size=on zeros $0",
            "qemu-img create -q -f qcow2 $0 2097153", "qemu-img create -q -f vpc -o force_size=on $0 300G",
        ])
    func bombs(command: String) async throws {
        try await withTemporaryDirectory { directory in
            do {
                _ = try await convert("truncate -s 40M zeros; \(command)", in: directory) {
                    $0.maximumImageBytes = 2 << 20
                }
                Issue.record("it was taken")
            } catch let error as FetchError {
                #expect(error.description.contains("unpacks to more than"))
            }
            let kept = try FileManager.default.contentsOfDirectory(atPath: directory + "/library")
            #expect(kept.count == 1 && kept.allSatisfy { $0.hasPrefix("fetch-") && !$0.contains(".") }, "\(kept)")
        }
    }

    @Test("as much as it may have is taken", arguments: ["gzip -c zeros >$0", "zstd -q -c <zeros >$0"])
    func exactly(command: String) async throws {
        try await withTemporaryDirectory { directory in
            let file = try await convert("truncate -s 2M zeros; \(command)", in: directory) {
                $0.maximumImageBytes = 2 << 20
            }
            #expect(file.rawBytes == 2 << 20 && file.compression == .zstd)
        }
    }

    @Test("what is small in its own packing only is bounded in ours")
    func repacked() async throws {
        try await withTemporaryDirectory { directory in
            do {
                _ = try await convert(
                    "head -c 5M /dev/urandom >r; cat r r r r r | xz -c --lzma2=preset=0,dict=16MiB >$0", in: directory
                ) { $0.maximumBytes = 8 << 20 }
                Issue.record("it was taken")
            } catch let error as FetchError {
                #expect(error.description.contains("fetch_limit_gib"))
            }
            let kept = try FileManager.default.contentsOfDirectory(atPath: directory + "/library")
            #expect(kept.allSatisfy { $0.hasPrefix("fetch-") && !$0.contains(".") }, "\(kept)")
        }
    }

    @Test(
        "an image that is not whole is no image",
        arguments: [
            "gzip -c noise | head -c 1000000 >$0", "xz -c noise | head -c 1000000 >$0",
            "bzip2 -c noise | head -c 1000000 >$0", "zstd -q -c <noise | head -c 1000000 >$0",
        ])
    func cut(command: String) async throws {
        try await withTemporaryDirectory { directory in
            _ = await #expect(throws: FetchError.self) {
                try await convert("head -c 3M /dev/urandom >noise; \(command)", in: directory) { _ in }
            }
        }
    }
}
