/// An archive that Linux unpacks into its initramfs after those before it (Documentation/driver-api/early-userspace/buffer-format.rst: `newc`).
public enum CPIOArchive {
    /// A file's directories come before it, each once. Everything belongs to root and is of 1970: the same files give the same bytes.
    public static func make(_ files: [OverlayFile]) -> [UInt8] {
        var archive: [UInt8] = []
        var made: Set<String> = []
        for file in files {
            let content = Array(file.content.utf8)
            archive += head(of: file.path, mode: file.mode, bytes: UInt32(content.count), &made)
            archive += content
            pad(&archive)
        }
        return archive + trailer
    }

    /// What comes before the content of a file that is an archive of its own.
    /// - Parameter bytes: of the content; the format has no room for 4 GiB.
    public static func head(of path: String, mode: UInt32, bytes: UInt32) -> [UInt8] {
        var made: Set<String> = []
        return head(of: path, mode: mode, bytes: bytes, &made)
    }

    /// What comes after that content.
    public static func tail(after bytes: UInt32) -> [UInt8] {
        [UInt8](repeating: 0, count: Int((4 - bytes % 4) % 4)) + trailer
    }

    private static var trailer: [UInt8] { entry("TRAILER!!!", inode: 0, mode: 0, links: 1, bytes: 0) }

    private static func head(of path: String, mode: UInt32, bytes: UInt32, _ made: inout Set<String>) -> [UInt8] {
        var head: [UInt8] = []
        let parts = path.split(separator: "/").map(String.init)
        for end in 1..<max(1, parts.count) {
            let folder = parts[..<end].joined(separator: "/")
            // S_IFDIR; those that are there already keep their files.
            if made.insert(folder).inserted { head += entry(folder, inode: 0, mode: 0o040_755, links: 2, bytes: 0) }
        }
        return head
            + entry(parts.joined(separator: "/"), inode: 0, mode: 0o100_000 | mode & 0o7777, links: 1, bytes: bytes)
    }

    /// Inode numbers matter among several links of one file only, of which there are none.
    private static func entry(_ path: String, inode: UInt32, mode: UInt32, links: UInt32, bytes: UInt32) -> [UInt8] {
        let name = Array(path.utf8) + [0]
        let fields: [UInt32] = [inode, mode, 0, 0, links, 0, bytes, 0, 0, 0, 0, UInt32(name.count), 0]
        var entry = Array("070701".utf8) + fields.flatMap(hex) + name
        pad(&entry)
        return entry
    }

    private static func pad(_ bytes: inout [UInt8]) {
        bytes += [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4)
    }

    private static func hex(_ value: UInt32) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return (0..<8).map { digits[Int(value >> UInt32(28 - 4 * $0) & 15)] }
    }
}
