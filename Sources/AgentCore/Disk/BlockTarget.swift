import CAgent
import Glibc

/// The disk that is written: a block device, or a plain file that stands for one in tests. Writing goes past the page cache.
final class BlockTarget: @unchecked Sendable {
    // Sendable because `descriptor` and the rest are never changed after init, and every call is a system call with its own
    // position (pwrite, pread), which the kernel makes safe to use from several threads.
    let path: String
    let sizeBytes: Int64
    private let descriptor: Int32
    private let isDevice: Bool

    /// Buffers and positions are multiples of this.
    static let alignment = 4096

    /// Opens the target, exclusively when it is a device: a mounted or otherwise used one is refused.
    /// - Parameter ofAnyBlockSize: images are for blocks of 512 bytes; an erasure is for any.
    /// - Throws: ``InstallError``.
    init(path: String, ofAnyBlockSize: Bool = false) throws {
        self.path = path
        var status = stat()
        guard stat(path, &status) == 0 else { throw InstallError.system("look at", path) }
        isDevice = status.st_mode & S_IFMT == S_IFBLK
        descriptor = isDevice ? agent_open_direct(path, 1, 1) : open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == EBUSY {
                throw InstallError("\(path) is in use: it is mounted, or part of a RAID or volume group")
            }
            if errno == EROFS || errno == EACCES { throw InstallError("\(path) is read-only") }
            throw InstallError.system("open", path)
        }
        sizeBytes = isDevice ? agent_device_size(descriptor) : Int64(status.st_size)
        if isDevice {
            guard ofAnyBlockSize || agent_block_size(descriptor) == 512 else {
                close(descriptor)
                throw InstallError("\(path) has blocks of \(agent_block_size(descriptor)) bytes; this image is for 512")
            }
            guard agent_device_read_only(descriptor) == 0 else {
                close(descriptor)
                throw InstallError("\(path) is read-only")
            }
        }
    }

    deinit { close(descriptor) }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        var done = 0
        while done < bytes.count {
            let count = pwrite(
                descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done, off_t(offset) + off_t(done))
            guard count > 0 else { throw InstallError.system("write at byte \(offset + Int64(done)) of", path) }
            done += count
        }
    }

    func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int64) throws {
        var done = 0
        while done < bytes.count {
            let count = pread(
                descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done, off_t(offset) + off_t(done))
            guard count > 0 else { throw InstallError.system("read at byte \(offset + Int64(done)) of", path) }
            done += count
        }
    }

    /// Zeros, by the device's own means where it has them. Never assumed to be there already.
    func zero(_ length: Int64, at offset: Int64) throws {
        guard length > 0 else { return }
        if isDevice, agent_zero_range(descriptor, UInt64(offset), UInt64(length)) == 0 { return }
        let buffer = AlignedBuffer(1 << 20)
        buffer.zero()
        var done: Int64 = 0
        while done < length {
            let step = min(Int64(buffer.bytes.count), length - done)
            try write(
                UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer.bytes)[..<Int(step)]), at: offset + done)
            done += step
        }
    }

    /// Returns when everything written is on the medium.
    func flush() throws {
        guard fdatasync(descriptor) == 0 else { throw InstallError.system("flush", path) }
        if isDevice { _ = agent_flush_buffers(descriptor) }
    }

    /// Tells the drive that no block is in use; nothing on a plain file.
    func discard() throws {
        guard isDevice else { return }
        guard agent_discard(descriptor, 0, UInt64(sizeBytes)) == 0 else { throw InstallError.system("discard", path) }
    }

    func rereadPartitions() throws {
        guard isDevice else { return }
        for _ in 0..<50 {
            if agent_reread_partitions(descriptor) == 0 { return }
            usleep(100_000)
        }
        throw InstallError.system("read the new partition table of", path)
    }
}

/// Memory at a multiple of 4096, as direct writing needs it.
final class AlignedBuffer: @unchecked Sendable {
    // Sendable because it is owned by one stage of the pipeline at a time: handed on through a queue, never kept.
    let bytes: UnsafeMutableRawBufferPointer
    /// Bytes in use.
    var count = 0

    init(_ capacity: Int) {
        bytes = .allocate(byteCount: capacity, alignment: BlockTarget.alignment)
    }

    deinit { bytes.deallocate() }

    func zero() { _ = bytes.initializeMemory(as: UInt8.self, repeating: 0) }

    var isZero: Bool {
        guard let base = bytes.baseAddress, count > 0 else { return true }
        // The first word is zero and every byte equals the one a word before it.
        let head = min(8, count)
        for index in 0..<head where bytes[index] != 0 { return false }
        return count <= 8 || memcmp(base, base + 8, count - 8) == 0
    }
}

/// An install that failed, in words for a person.
struct InstallError: Error, CustomStringConvertible {
    var description: String
    /// The bytes that came are not those that were ordered.
    var isDamage: Bool

    init(_ description: String, isDamage: Bool = false) { (self.description, self.isDamage) = (description, isDamage) }

    static func system(_ doing: String, _ path: String) -> InstallError {
        InstallError("cannot \(doing) \(path): \(String(cString: strerror(errno)))")
    }
}
