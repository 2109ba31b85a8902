import Crypto
import Foundation
import Inventory
import Machines
import TestSupport
import Testing

@testable import AgentCore

/// Images from nginx, written to plain files.
@Suite(.timeLimit(.minutes(2))) struct ImageWriterTests {
    /// 16 MiB with a partition table, noise from 2 to 5 MiB and at the end, and zeros for the rest.
    private static func image(_ directory: String) async throws -> Data {
        let file = directory + "/raw"
        let made = try await ChildProcess.run(
            "sh", ["-c", "truncate -s 16M $0 && sgdisk --clear --new=1:1M:+12M $0", file])
        try #require(made.status == 0, "\(made.output)")
        var image = try Data(contentsOf: URL(filePath: file))
        image.replaceSubrange(2 << 20..<5 << 20, with: ImageDownloadTests.noise(3 << 20, seed: 5))
        image.replaceSubrange(13 << 20..<14 << 20, with: ImageDownloadTests.noise(1 << 20, seed: 6))
        return image
    }

    private static func order(_ image: Data, at url: String, mirror: String? = nil) -> InstallOrder {
        let bytes = Int64(image.count)
        var file = InstallOrder.Image(
            url: url, sha256: Credential.hex(Array(SHA256.hash(data: image))), compression: .none,
            compressedBytes: bytes, rawBytes: bytes)
        file.mirror = mirror
        return InstallOrder(
            release: "trial", image: file, disk: DiskTarget(serial: "s", wwn: nil, sizeBytes: bytes), files: [],
            readBack: .full, entry: .reboot, bootOrder: .networkFirst)
    }

    /// A disk of 32 MiB.
    private static func disk(_ directory: String, _ name: String, holds byte: UInt8?) throws -> String {
        let path = directory + "/" + name
        try Data(byte.map { [UInt8](repeating: $0, count: 32 << 20) } ?? []).write(to: URL(filePath: path))
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.truncate(atOffset: 32 << 20)
        try handle.close()
        return path
    }

    private static func write(_ order: InstallOrder, to path: String, isBlank: Bool) async throws {
        try await AgentThread.perform("test") {
            _ = try ImageWriter(
                order: order, target: try BlockTarget(path: path), isBlank: isBlank, progress: { _, _, _ in }
            ).run()
        }
    }

    /// Bytes that the file takes on its file system.
    private static func allocated(_ path: String) async throws -> Int {
        (Int(try await ChildProcess.run("stat", ["-c", "%b", path]).output) ?? -1) * 512
    }

    @Test("zeros are not written where the disk is known to have them, and are wherever it is not")
    func zeros() async throws {
        try await withTemporaryDirectory { directory in
            let site = NginxSite(directory: directory)
            let image = try await Self.image(directory)
            try site.put(image)
            let nginx = try await site.start()
            defer { nginx.kill() }
            let order = Self.order(image, at: site.url)
            let blank = try Self.disk(directory, "blank", holds: nil)
            try await Self.write(order, to: blank, isBlank: true)
            let unknown = try Self.disk(directory, "unknown", holds: nil)
            try await Self.write(order, to: unknown, isBlank: false)
            let used = try Self.disk(directory, "used", holds: 0xa5)
            try await Self.write(order, to: used, isBlank: false)
            // Four of noise, both ends, and a little of the file system's; against all sixteen.
            let (little, all) = (try await Self.allocated(blank), try await Self.allocated(unknown))
            #expect(little < 8 << 20 && all >= 16 << 20, "\(little) \(all)")
            let body = 1 << 20..<16 << 20
            for path in [blank, unknown, used] {
                #expect(try Data(contentsOf: URL(filePath: path))[body] == image[body], "\(path)")
            }
            // One that was thought to be blank and is not: reading it back tells.
            let wrong = try Self.disk(directory, "wrong", holds: 0xa5)
            let error = await #expect(throws: InstallError.self) {
                try await Self.write(order, to: wrong, isBlank: true)
            }
            #expect(error?.description.contains("reads back something else") ?? false, "\(error?.description ?? "")")
        }
    }

    @Test("what a mirror that lied left on a blank disk is written over")
    func lie() async throws {
        try await withTemporaryDirectory { directory in
            let (daemon, mirror) = (NginxSite(directory: directory + "/d"), NginxSite(directory: directory + "/m"))
            for site in [daemon, mirror] {
                try FileManager.default.createDirectory(atPath: site.directory, withIntermediateDirectories: true)
            }
            let image = try await Self.image(directory)
            try daemon.put(image)
            try mirror.put(Data(repeating: 7, count: image.count))
            let (first, second) = (try await daemon.start(), try await mirror.start())
            defer {
                first.kill()
                second.kill()
            }
            let disk = try Self.disk(directory, "disk", holds: nil)
            try await Self.write(Self.order(image, at: daemon.url, mirror: mirror.url), to: disk, isBlank: true)
            let body = 1 << 20..<16 << 20
            #expect(try Data(contentsOf: URL(filePath: disk))[body] == image[body])
        }
    }

    /// Method, how it was read, what was found; erased or not.
    @Test(
        "a disk is blank after a proof that says so, once",
        arguments: [
            (.overwrite, .sampled, "all zeros", true, true), (.overwrite, .full, "all zeros", true, true),
            (.ataSanitizeOverwrite, .full, "all zeros", true, true),
            (.ataSanitizeOverwrite, .sampled, "all zeros", true, false),
            (.nvmeFormat, .full, "none of 9 marks left", true, false), (.quick, .full, "all zeros", true, false),
            (.overwrite, .full, "all zeros", false, false),
        ] as [(EraseMethod, WipePolicy.Verification, String, Bool, Bool)])
    func blank(
        method: EraseMethod, kind: WipePolicy.Verification, finding: String, isErased: Bool, isBlank: Bool
    ) {
        let disk = WipeEngineTests.disk("/dev/sda", .sata)
        let evidence = DiskEvidence(
            disk, method: method, startedAt: Date(), endedAt: Date(),
            readBack: .init(kind: kind, bytes: 1, finding: finding), outcome: isErased ? .erased : .failed("x"))
        let blank = BlankDisks()
        blank.note([evidence])
        #expect(!blank.take(WipeEngineTests.disk("/dev/sdb", .sata)))
        #expect(blank.take(disk) == isBlank)
        #expect(!blank.take(disk))
        blank.note([evidence])
        blank.forget()
        #expect(!blank.take(disk))
    }
}
