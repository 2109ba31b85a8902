/// An archive that Linux unpacks into its initramfs after those before it (Documentation/driver-api/early-userspace/buffer-format.rst: `newc`).
public enum CPIOArchive {
    /// A file's directories come before it, each once. Everything belongs to root and is of 1970: the same files give the same bytes.
    public static func make(_ files: [OverlayFile]) -> [UInt8] {
        var archive: [UInt8] = []
        var made: Set<String> = []
        var inode: UInt32 = 0
        func entry(_ path: String, mode: UInt32, links: UInt32, _ content: [UInt8]) {
            inode += 1
            let name = Array(path.utf8) + [0]
            let fields: [UInt32] = [
                inode, mode, 0, 0, links, 0, UInt32(content.count), 0, 0, 0, 0, UInt32(name.count), 0,
            ]
            archive += Array("070701".utf8) + fields.flatMap(hex) + name
            pad()
            archive += content
            pad()
        }
        func pad() { archive += [UInt8](repeating: 0, count: (4 - archive.count % 4) % 4) }
        for file in files {
            let parts = file.path.split(separator: "/").map(String.init)
            for end in 1..<max(1, parts.count) {
                let folder = parts[..<end].joined(separator: "/")
                // S_IFDIR; those that are there already keep their files.
                if made.insert(folder).inserted { entry(folder, mode: 0o040_755, links: 2, []) }
            }
            entry(
                parts.joined(separator: "/"), mode: 0o100_000 | file.mode & 0o7777, links: 1, Array(file.content.utf8))
        }
        entry("TRAILER!!!", mode: 0, links: 1, [])
        return archive
    }

    private static func hex(_ value: UInt32) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return (0..<8).map { digits[Int(value >> UInt32(28 - 4 * $0) & 15)] }
    }
}
