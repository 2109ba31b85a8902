import Foundation
import TestSupport
import Testing

@testable import AgentCore

@Suite struct FileSystemLabelTests {
    @Test(
        "labels as the makers of file systems write them",
        arguments: [
            ("mkfs.ext4 -q -L cloudimg-rootfs", 4, "cloudimg-rootfs"), ("mkfs.ext4 -q", 4, nil),
            ("mkfs.vfat -n CIDATA", 4, "CIDATA"), ("mkfs.vfat -F 32 -n ESP", 64, "ESP"),
        ] as [(String, Int, String?)])
    func labels(command: String, mebibytes: Int, label: String?) async throws {
        try await withTemporaryDirectory { directory in
            let file = directory + "/disk"
            let (status, output) = try await ChildProcess.run(
                "sh", ["-c", "truncate -s \(mebibytes)M '\(file)' && \(command) '\(file)'"])
            try #require(status == 0, "\(output)")
            let handle = try #require(FileHandle(forReadingAtPath: file))
            let head = try handle.read(upToCount: FileSystemLabel.bytes) ?? Data()
            #expect(FileSystemLabel.of(Array(head)) == label)
        }
    }

    @Test("XFS and btrfs by their superblocks, and nothing by noise or by too few bytes")
    func others() {
        var head = [UInt8](repeating: 0, count: FileSystemLabel.bytes)
        head.replaceSubrange(0..<4, with: Array("XFSB".utf8))
        head.replaceSubrange(108..<112, with: Array("root".utf8))
        #expect(FileSystemLabel.of(head) == "root")
        head = [UInt8](repeating: 0, count: FileSystemLabel.bytes)
        head.replaceSubrange(0x1_0040..<0x1_0048, with: Array("_BHRfS_M".utf8))
        head.replaceSubrange(0x1_012b..<0x1_012e, with: Array("OEM".utf8))
        #expect(FileSystemLabel.of(head) == "OEM")
        for count in [0, 1, 80, 0x438, 0x43a, 0x1_0048] {
            #expect(FileSystemLabel.of(Array(head.prefix(count))) == nil)
        }
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<200 {
            _ = FileSystemLabel.of((0..<2048).map { _ in UInt8.random(in: 0...255, using: &generator) })
        }
    }

    @Test("sgdisk's GUID of a partition is the text that the kernel takes for it")
    func uniqueText() async throws {
        try await withTemporaryDirectory { directory in
            let file = directory + "/disk"
            let script = """
                truncate -s 8M '\(file)' && sgdisk --clear --new=1:1M:+2M --typecode=1:ef00 \
                --partition-guid=1:01234567-89AB-CDEF-0123-456789ABCDEF '\(file)' >/dev/null
                """
            let (status, output) = try await ChildProcess.run("sh", ["-c", script])
            try #require(status == 0, "\(output)")
            let handle = try #require(FileHandle(forReadingAtPath: file))
            let entry = try #require(try GPT(head: Array(try handle.read(upToCount: 1 << 20) ?? Data())).entries.first)
            #expect(entry.uniqueText == "01234567-89ab-cdef-0123-456789abcdef")
            #expect(entry.type == GPT.Entry.efiSystem)
        }
    }
}
