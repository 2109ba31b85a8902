import Crypto
import Foundation
import Machines

/// Makes a raw disk image in zstd of what it is published as, once, with the tools that everybody has: `gzip`, `xz`, `bzip2`, `lz4`, `qemu-img`, `zstd`.
struct ImageConverter {
    let library: Library

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

    /// - Returns: nil: it is a raw image already, and stays as it is.
    /// - Throws: ``FetchError``, ``ImageError``.
    func convert(_ path: String, progress: @escaping @Sendable (Int64, Int64?) -> Void) async throws -> FetchedFile? {
        let packing = try Self.packing(of: path)
        let (raw, packed) = (path + ".raw", path + ".zst")
        defer {
            unlink(raw)
            unlink(packed)
        }
        switch packing {
        case .none: return nil
        case .zstd:
            let counted = try await Tool.shell("zstd -tq -- \"$1\" && zstd -dcq -- \"$1\" | wc -c", [path])
            guard let rawBytes = Int64(counted.trimmingCharacters(in: .whitespacesAndNewlines)) else {
                throw FetchError("zstd does not say how large the image is")
            }
            let bytes = try Self.size(of: path)
            return FetchedFile(
                sha256: try library.adopt(hashing: path), bytes: bytes, compression: .zstd, rawBytes: rawBytes)
        case .qcow2, .vhd:
            let format = packing == .qcow2 ? "qcow2" : "vpc"
            // An image may name a file behind it, which may be any file of this host.
            try await Self.refuseBackingFile(path, format)
            _ = try await Tool.run("qemu-img", ["convert", "-f", format, "-O", "raw", path, raw])
        case .gzip, .xz, .bzip2, .lz4:
            // A small file may become an endless one: 256 GiB, in blocks of 512 bytes.
            _ = try await Tool.shell(
                "ulimit -f 536870912; exec \"$3\" -dc -- \"$1\" >\"$2\"", [path, raw, packing.unpacker ?? ""])
        }
        let rawBytes = try Self.size(of: raw)
        progress(rawBytes, rawBytes)
        _ = try await Tool.run("zstd", ["-q", "-f", "-3", "-T0", raw, "-o", packed])
        let bytes = try Self.size(of: packed)
        return FetchedFile(
            sha256: try library.adopt(hashing: packed), bytes: bytes, compression: .zstd, rawBytes: rawBytes)
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

    private static func refuseBackingFile(_ path: String, _ format: String) async throws {
        let told = try await Tool.run("qemu-img", ["info", "-f", format, "--output=json", path])
        let facts = try? JSONSerialization.jsonObject(with: Data(told.utf8)) as? [String: Any]
        guard let facts, facts["backing-filename"] == nil, facts["data-file"] == nil,
            ((facts["format-specific"] as? [String: Any])?["data"] as? [String: Any])?["data-file"] == nil
        else { throw FetchError("the \(format) image stands on another file, which it does not bring") }
    }

    private static func size(of path: String) throws -> Int64 {
        var status = stat()
        guard stat(path, &status) == 0 else { throw ImageError.fileSystem("look at", path) }
        return Int64(status.st_size)
    }
}
