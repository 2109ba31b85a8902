import Glibc
import Machines

/// A kernel and its initramfs, such as those of a system's own installer, fetched into a folder of a file system in memory.
struct InstallerFiles {
    let folder: String

    var kernel: String { folder + "/kernel" }
    var initrd: String { folder + "/initrd" }

    /// Fetches all of it, each file believed by its digest only. The overlay is the last part of the initramfs.
    /// - Throws: ``InstallError``.
    func fetch(_ order: KernelOrder, progress: (Int64, Int64) -> Void) throws {
        mkdir(folder, 0o700)
        let total = order.files.reduce(0) { $0 + $1.bytes }
        var done: Int64 = 0
        func count(_ bytes: Int) {
            done += Int64(bytes)
            progress(done, total)
        }
        let kernelFile = try PartFile(kernel)
        try kernelFile.fetch(order.kernel, count)
        let initrdFile = try PartFile(initrd)
        for part in order.initrds {
            try initrdFile.fetch(part, count)
            try initrdFile.align()
        }
        for part in order.archived {
            guard let bytes = UInt32(exactly: part.file.bytes) else {
                throw InstallError(
                    "\(part.path) has \(part.file.bytes >> 20) MiB, and an initramfs has no room for 4096")
            }
            try initrdFile.put(CPIOArchive.head(of: part.path, mode: 0o644, bytes: bytes))
            try initrdFile.fetch(part.file, count)
            try initrdFile.put(CPIOArchive.tail(after: bytes))
        }
        if !order.overlay.isEmpty { try initrdFile.put(CPIOArchive.make(order.overlay)) }
    }

    /// What it takes: the files, and the kernel's own copy of them beside them; later the same again, unpacked.
    static func memoryBytes(_ order: KernelOrder) -> Int64 {
        2 * order.files.reduce(0) { $0 + $1.bytes } + (64 << 20)
    }
}

/// A file that is written part by part.
private final class PartFile {
    private let path: String
    private let file: Int32
    private var length = 0

    init(_ path: String) throws {
        self.path = path
        file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw InstallError.system("create", path) }
    }

    deinit { close(file) }

    func put(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            guard written > 0 else { throw InstallError.system("write", path) }
            rest = rest.dropFirst(written)
        }
        length += bytes.count
    }

    /// The kernel passes over zeros between archives, and wants the next one at a multiple of four.
    func align() throws { try put([UInt8](repeating: 0, count: (4 - length % 4) % 4)) }

    /// Appends a file that is fetched; what a mirror sent and is something else is cut off again, and fetched from the daemon.
    func fetch(_ remote: KernelOrder.RemoteFile, _ count: (Int) -> Void) throws {
        let start = length
        do {
            try fetch(remote, usesMirror: true, count)
        } catch let error as InstallError where error.isDamage && remote.mirror != nil {
            Console.say("beginning again without the mirror: \(error)")
            guard ftruncate(file, off_t(start)) == 0, lseek(file, off_t(start), SEEK_SET) == off_t(start) else {
                throw InstallError.system("truncate", path)
            }
            count(start - length)
            length = start
            try fetch(remote, usesMirror: false, count)
        }
    }

    private func fetch(_ remote: KernelOrder.RemoteFile, usesMirror: Bool, _ count: (Int) -> Void) throws {
        let chunks = BoundedQueue<[UInt8]>(capacity: 16)
        let download = ImageDownload(file: remote, queue: chunks, usesMirror: usesMirror)
        AgentThread.start("download") { download.run() }
        do {
            while let chunk = try chunks.take() {
                try put(chunk)
                count(chunk.count)
            }
        } catch {
            chunks.fail(error)
            throw error
        }
    }
}
