import CZstd
import Glibc

/// A kernel module in the initramfs. It is packed by itself there: the kernel then unpacks a third of the bytes before it
/// starts the agent, and the agent unpacks the few modules that the machine needs.
enum ModuleFile {
    /// No module of Linux 6 comes near.
    private static let limit = 64 << 20

    /// The module at `path`, or packed at `path.zst`; nil when there is neither.
    static func read(_ path: String) -> [UInt8]? {
        let files = SystemFiles()
        if let packed = files.bytes(path + ".zst", limit: limit) { return unpacked(packed) }
        return files.bytes(path, limit: limit)
    }

    /// One zstd frame that states its size; nil for anything else.
    static func unpacked(_ packed: [UInt8]) -> [UInt8]? {
        let size = ZSTD_getFrameContentSize(packed, packed.count)
        // Unknown sizes and errors are the two highest numbers.
        guard size <= UInt64(limit) else { return nil }
        var failed = false
        let module = [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
            let written = ZSTD_decompress(buffer.baseAddress, buffer.count, packed, packed.count)
            failed = ZSTD_isError(written) != 0 || written != buffer.count
            count = failed ? 0 : written
        }
        return failed ? nil : module
    }
}
