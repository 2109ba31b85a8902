import Glibc
import Machines

/// Kernel and initramfs of a system's own installer, fetched into a folder of a file system in memory.
struct InstallerFiles {
    let folder: String

    var kernel: String { folder + "/kernel" }
    var initrd: String { folder + "/initrd" }

    /// Fetches both, each file of them believed by its digest only, with the overlay as the last part of the initramfs.
    /// - Throws: ``InstallError``.
    func fetch(_ order: InstallerOrder, progress: (Int64, Int64) -> Void) throws {
        mkdir(folder, 0o700)
        let total = order.initrds.reduce(order.kernel.bytes) { $0 + $1.bytes }
        var done: Int64 = 0
        func write(_ files: [InstallerOrder.RemoteFile], _ tail: [UInt8], to path: String) throws {
            let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
            guard file >= 0 else { throw InstallError.system("create", path) }
            defer { close(file) }
            var length = 0
            func put(_ bytes: [UInt8]) throws {
                var rest = bytes[...]
                while !rest.isEmpty {
                    let written = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
                    guard written > 0 else { throw InstallError.system("write", path) }
                    rest = rest.dropFirst(written)
                }
                length += bytes.count
            }
            for remote in files {
                let chunks = BoundedQueue<[UInt8]>(capacity: 16)
                let download = ImageDownload(file: remote, queue: chunks)
                AgentThread.start("download") { download.run() }
                do {
                    while let chunk = try chunks.take() {
                        try put(chunk)
                        done += Int64(chunk.count)
                        progress(done, total)
                    }
                } catch {
                    chunks.fail(error)
                    throw error
                }
                // The kernel passes over zeros between archives, and wants the next one at a multiple of four.
                try put([UInt8](repeating: 0, count: (4 - length % 4) % 4))
            }
            try put(tail)
        }
        try write([order.kernel], [], to: kernel)
        try write(order.initrds, order.overlay.isEmpty ? [] : CPIOArchive.make(order.overlay), to: initrd)
    }

    /// What it takes: the files, and the kernel's own copy of them beside them.
    static func memoryBytes(_ order: InstallerOrder) -> Int64 {
        2 * order.initrds.reduce(order.kernel.bytes) { $0 + $1.bytes } + (64 << 20)
    }
}
