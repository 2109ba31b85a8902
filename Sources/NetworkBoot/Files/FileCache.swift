import NIOCore
import Synchronization

/// Contents of boot files, each held in memory once however many transfers read it. A changed file is read anew.
final class FileCache: Sendable {
    private struct Key: Hashable {
        var inode: UInt64
        var size: Int64
        var modified: Int
    }

    private let contents = Mutex<[Key: ByteBuffer]>([:])
    /// Bytes kept at most.
    private let capacity: Int

    init(capacity: Int = 256 << 20) { self.capacity = capacity }

    /// The file's bytes, nil when it cannot be read.
    func content(of file: OpenFile) -> ByteBuffer? {
        let key = Key(inode: file.inode, size: file.size, modified: file.modified)
        if let known = contents.withLock({ $0[key] }) { return known }
        guard let bytes = file.read() else { return nil }
        let buffer = ByteBuffer(bytes: bytes)
        contents.withLock { contents in
            // Boot files are few; when they do not fit, what is kept is dropped and filled again by use.
            let held = contents.values.reduce(0) { $0 + $1.readableBytes }
            if held + buffer.readableBytes > capacity { contents = [:] }
            contents[key] = buffer
        }
        return buffer
    }
}
