import Glibc
import Machines

/// A directory that is served and nothing outside it: every lookup is by the kernel's own rule that no step may leave it.
public struct BootFileDirectory: Sendable {
    public let path: String
    /// Names in the directory itself that may be symbolic links to a file elsewhere.
    private let linked: Set<String>

    /// - Parameter linked: file names whose symbolic link is followed wherever it leads: Debian's `ipxe` package keeps
    ///   `ipxe.efi` in /boot. Whoever can write into the directory could serve any file under these names anyway.
    public init(_ path: String, linked: Set<String> = []) { (self.path, self.linked) = (path, linked) }

    /// A regular file below the directory, open for reading; nil when there is none of that name.
    /// Names come as firmware writes them: with `\` for `/`, a leading slash, doubled slashes.
    public func open(_ name: String) -> OpenFile? {
        guard !name.utf8.contains(0) else { return nil }
        let parts = name.split { $0 == "/" || $0 == "\\" }
        guard !parts.isEmpty, parts.allSatisfy({ $0 != ".." && $0 != "." }) else { return nil }
        guard let root = realpath(path, nil) else { return nil }
        defer { free(root) }
        guard let file = realpath(path + "/" + parts.joined(separator: "/"), nil) else { return nil }
        defer { free(file) }
        // Other symbolic links are followed only to files that are inside as well.
        let leavesByName = parts.count == 1 && linked.contains(String(parts[0]))
        guard leavesByName || String(cString: file).hasPrefix(String(cString: root) + "/") else { return nil }
        return OpenFile(path: String(cString: file))
    }
}

/// An open regular file; closed when the last user lets go of it.
public final class OpenFile: Sendable {
    let descriptor: Int32
    let size: Int64
    /// Seconds since 1970.
    let modified: Int
    let inode: UInt64
    /// SHA-256 of the content, where it is known: then it is the file's tag, wherever the file lies.
    let digest: String?
    /// Nil: all of it is there.
    let growth: (any FileGrowth)?

    /// Another one after every change.
    struct Identity: Hashable {
        fileprivate var inode: UInt64
        fileprivate var size: Int64
        fileprivate var modified: Int
    }

    var identity: Identity { Identity(inode: inode, size: size, modified: modified) }

    /// The entity tag (RFC 9110 §8.8.3), with its quotes.
    var tag: String { digest.map { "\"\($0)\"" } ?? "\"\(inode)-\(size)-\(modified)\"" }

    /// Nil when there is no regular file at `path` or it cannot be read.
    init?(path: String, digest: String? = nil, growth: (any FileGrowth)? = nil) {
        (self.digest, self.growth) = (digest, growth)
        descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            return nil
        }
        (size, modified, inode) = (
            growth?.bytes ?? Int64(status.st_size), status.st_mtim.tv_sec, UInt64(status.st_ino)
        )
    }

    deinit { close(descriptor) }

    /// A small file of the kernel's, whose size it does not tell.
    static func text(_ path: String) -> String? {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 8192)
        while case let count = Glibc.read(descriptor, &buffer, buffer.count), count > 0, bytes.count < 1 << 20 {
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The whole content.
    func read() -> [UInt8]? {
        guard let count = Int(exactly: size) else { return nil }
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let step = bytes.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress?.advanced(by: done), count - done, off_t(done))
            }
            guard step > 0 else { return nil }
            done += step
        }
        return bytes
    }
}
