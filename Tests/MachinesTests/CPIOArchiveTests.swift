import Foundation
import Machines
import TestSupport
import Testing

@Suite struct CPIOArchiveTests {
    @Test("cpio unpacks what was packed, with its modes, and each folder is there once")
    func unpacked() async throws {
        let files = [
            OverlayFile(path: "preseed.cfg", content: "d-i x\n"),
            OverlayFile(path: "slipway/target/etc/a", mode: 0o700, content: ""),
            OverlayFile(path: "slipway/target/etc/b", mode: 0o644, content: String(repeating: "é", count: 4099)),
        ]
        try await withTemporaryDirectory { directory in
            try Data(CPIOArchive.make(files)).write(to: URL(filePath: directory + "/archive"))
            let script = """
                cd '\(directory)' && cpio --quiet --list <archive && mkdir root && cd root && cpio --quiet --extract <../archive &&
                stat -c '%a %s' preseed.cfg slipway/target/etc/a slipway/target/etc/b && cat preseed.cfg
                """
            let (status, output) = try await ChildProcess.run("sh", ["-c", script])
            #expect(status == 0)
            #expect(
                output.split(separator: "\n").map(String.init) == [
                    "preseed.cfg", "slipway", "slipway/target", "slipway/target/etc", "slipway/target/etc/a",
                    "slipway/target/etc/b", "600 6", "700 0", "644 8198", "d-i x",
                ])
        }
    }

    @Test("the same files give the same bytes, a multiple of four")
    func stable() {
        let files = [OverlayFile(path: "a/b", content: "c")]
        #expect(CPIOArchive.make(files) == CPIOArchive.make(files))
        #expect(CPIOArchive.make(files).count % 4 == 0)
    }

    @Test("a large file is an archive of its own: head, content, tail", arguments: [0, 1, 2, 3, 4, 4099])
    func streamed(bytes: Int) async throws {
        let content = [UInt8](repeating: 0x61, count: bytes)
        let archive =
            CPIOArchive.head(of: "slipway/rootfs.img", mode: 0o644, bytes: UInt32(bytes)) + content
            + CPIOArchive.tail(after: UInt32(bytes))
        #expect(archive.count % 4 == 0)
        try await withTemporaryDirectory { directory in
            try Data(archive).write(to: URL(filePath: directory + "/archive"))
            let (status, output) = try await ChildProcess.run(
                "sh",
                [
                    "-c",
                    "cd '\(directory)' && cpio --quiet --extract --make-directories <archive && stat -c '%a %s' slipway/rootfs.img",
                ])
            #expect(status == 0 && output.split(separator: "\n") == ["644 \(bytes)"], "\(output)")
        }
    }
}
