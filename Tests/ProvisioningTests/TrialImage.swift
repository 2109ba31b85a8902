import Foundation
import TestSupport
import Testing

/// A disk image with the reference OS's partitions and noise for content: nothing of it boots, all of it is written.
enum TrialImage {
    /// - Parameter packed: by zstd, which finds most damage by itself; else only the SHA-256 stands between it and the disk.
    /// - Returns: path of its `release.json`.
    static func make(in directory: String, mebibytes: Int = 24, packed: Bool = true) async throws -> String {
        let raw = directory + "/trial.raw"
        let image = packed ? raw + ".zst" : raw
        let script = """
            set -eu
            rm -f '\(raw)'
            truncate -s \(mebibytes)M '\(raw)'
            sgdisk --clear --new=1:1M:+8M --change-name=1:ESP --new=2:9M:+4M --change-name=2:slipway-state '\(raw)' >/dev/null
            dd if=/dev/urandom of='\(raw)' bs=1M seek=2 count=\(mebibytes - 4) conv=notrunc status=none
            zstd -q -f -1 '\(raw)' -o '\(raw).zst'
            sha256sum <'\(image)' | cut -c 1-64
            stat -c %s '\(image)'
            """
        let (status, output) = try await ChildProcess.run("bash", ["-c", script])
        try #require(status == 0, "\(output)")
        let lines = output.split(separator: "\n")
        let release: [String: Any] = [
            "os": "slipway-reference", "version": "1", "architecture": "amd64",
            "image": packed ? "trial.raw.zst" : "trial.raw",
            "compression": packed ? "zstd" : "none", "sha256": String(lines[0]), "compressedBytes": Int(lines[1]) ?? 0,
            "rawBytes": mebibytes << 20, "minimumDiskBytes": mebibytes << 20,
        ]
        let file = directory + "/release.json"
        try JSONSerialization.data(withJSONObject: release).write(to: URL(fileURLWithPath: file))
        return file
    }
}
