import Crypto
import Foundation
import Machines

/// Makes a raw disk image in zstd of what it is published as, once, with the tools that everybody has: `gzip`, `xz`, `bzip2`, `lz4`, `qemu-img`, `zstd`.
struct ImageConverter {
    let library: Library
    let policy: FetchPolicy

    /// What a file is packed with, by its first bytes.
    enum Packing: Equatable {
        case none, zstd, gzip, xz, bzip2, lz4, qcow2, vhd

        init(_ head: [UInt8], tail: [UInt8] = []) {
            func begins(_ bytes: [UInt8]) -> Bool { head.starts(with: bytes) }
            self =
                if begins([0x28, 0xb5, 0x2f, 0xfd]) {
                    .zstd
                } else if begins([0x1f, 0x8b]) {
                    .gzip
                } else if begins([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]) {
                    .xz
                } else if begins(Array("BZh".utf8)) {
                    .bzip2
                } else if begins([0x04, 0x22, 0x4d, 0x18]) {
                    .lz4
                } else if begins([0x51, 0x46, 0x49, 0xfb]) {
                    .qcow2
                } else if begins(Array("conectix".utf8)) || tail.starts(with: Array("conectix".utf8)) {
                    .vhd
                } else { .none }
        }

        /// The program that unpacks it to its output, where one does.
        var unpacker: String? {
            switch self {
            case .none, .qcow2, .vhd: nil
            case .zstd: "zstd"
            case .gzip: "gzip"
            case .xz: "xz"
            case .bzip2: "bzip2"
            case .lz4: "lz4"
            }
        }
    }

    /// What it unpacks to is never written out where its tool has an output to count, and counted before it is where not: a few bytes may become
    /// an endless file.
    /// - Returns: nil: it is a raw image already, and stays as it is.
    /// - Throws: ``FetchError``, ``ImageError``.
    func convert(_ path: String, progress: @escaping @Sendable (Int64, Int64?) -> Void) async throws -> FetchedFile? {
        let packing = try Self.packing(of: path)
        let (raw, packed) = (path + ".raw", path + ".zst")
        defer {
            unlink(raw)
            unlink(packed)
        }
        let rawBytes: Int64
        switch packing {
        case .none: return nil
        case .zstd:
            rawBytes = try await unpackedBytes(of: path)
            let bytes = try Library.size(of: path)
            return FetchedFile(
                sha256: try await library.adopt(hashing: path), bytes: bytes, compression: .zstd, rawBytes: rawBytes)
        case .qcow2, .vhd:
            let format = packing == .qcow2 ? "qcow2" : "vpc"
            try await check(disk: path, format)
            _ = try await Tool.run("qemu-img", ["convert", "-f", format, "-O", "raw", path, raw])
            rawBytes = try Library.size(of: raw)
            _ = try await Tool.run("zstd", ["-q", "-f", "-3", "-T0", raw, "-o", packed])
        case .gzip, .xz, .bzip2, .lz4:
            // Each of the three ends well, or the image has as many bytes as are too many.
            _ = try await Tool.shell(
                """
                ulimit -f "$5"; "$3" -dc -- "$1" | head -c "$4" | zstd -q -f -3 -T0 -o "$2"; ends="${PIPESTATUS[*]}"
                [ "$(wc -c <"$2")" -lt $(($5 << 10)) ] || { echo "it has more than $5 KiB in zstd (fetch_limit_gib)" >&2; exit 1; }
                [ "$ends" = "0 0 0" ] || [ "$(zstd -dcq -- "$2" | wc -c)" = "$4" ]
                """, [path, packed, packing.unpacker ?? "", "\(limit)", "\(policy.maximumBytes >> 10)"])
            rawBytes = try await unpackedBytes(of: packed)
        }
        progress(rawBytes, rawBytes)
        let bytes = try Library.size(of: packed)
        guard bytes <= policy.maximumBytes else {
            throw FetchError("the image has more than \(policy.maximumBytes >> 30) GiB in zstd (fetch_limit_gib)")
        }
        return FetchedFile(
            sha256: try await library.adopt(hashing: packed), bytes: bytes, compression: .zstd, rawBytes: rawBytes)
    }

    /// The first number of bytes that is too large.
    private var limit: Int64 { policy.maximumImageBytes + 1 }

    /// - Throws: ``FetchError`` for an image that is not whole, or too large.
    private func unpackedBytes(of path: String) async throws -> Int64 {
        let counted = try await Tool.shell(
            """
            count=$(zstd -dcq -- "$1" | head -c "$2" | wc -c; exit "${PIPESTATUS[0]}"); end=$?
            echo "$count"; [ "$end" = 0 ] || [ "$count" = "$2" ]
            """, [path, "\(limit)"])
        guard let bytes = Int64(counted.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw FetchError("zstd does not say how large the image is")
        }
        guard bytes < limit else { throw tooLarge }
        return bytes
    }

    private var tooLarge: FetchError {
        FetchError(
            "the image unpacks to more than \(policy.maximumImageBytes >> 30) GiB, and no disk image is so large")
    }

    private static func packing(of path: String) throws -> Packing {
        guard let handle = FileHandle(forReadingAtPath: path) else { throw ImageError.fileSystem("open", path) }
        defer { try? handle.close() }
        let head = try handle.read(upToCount: 8) ?? Data()
        let end = try handle.seekToEnd()
        guard end >= 512 else { return Packing(Array(head)) }
        // The footer of a fixed VHD is its last sector.
        try handle.seek(toOffset: end - 512)
        return Packing(Array(head), tail: Array(try handle.read(upToCount: 8) ?? Data()))
    }

    /// An image may name a file behind it, which may be any file of this host, and any size.
    private func check(disk path: String, _ format: String) async throws {
        struct Facts: Decodable {
            var bytes: Int64
            enum CodingKeys: String, CodingKey { case bytes = "virtual-size" }
        }
        let told = Data(try await Tool.run("qemu-img", ["info", "-f", format, "--output=json", path]).utf8)
        let facts = try? JSONSerialization.jsonObject(with: told) as? [String: Any]
        guard let facts, facts["backing-filename"] == nil, facts["data-file"] == nil,
            ((facts["format-specific"] as? [String: Any])?["data"] as? [String: Any])?["data-file"] == nil
        else { throw FetchError("the \(format) image stands on another file, which it does not bring") }
        guard let size = try? JSONDecoder().decode(Facts.self, from: told).bytes, size < limit else { throw tooLarge }
        var room = statvfs()
        guard statvfs(path, &room) == 0 else { throw ImageError.fileSystem("look at", path) }
        guard UInt64(size) <= UInt64(room.f_bavail) * UInt64(room.f_frsize) else {
            throw FetchError(
                "the \(format) image unpacks to \(size >> 20) MiB, and there is no room for that in \(library.directory)"
            )
        }
    }
}
