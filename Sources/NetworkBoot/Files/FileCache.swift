import NIOCore
import Synchronization

/// Contents of boot files, each held in memory once however many transfers read it. A changed file is read anew.
final class FileCache: Sendable {
    private let contents = Mutex<[OpenFile.Identity: ByteBuffer]>([:])
    /// Bytes kept at most.
    private let capacity: Int

    init(capacity: Int = 256 << 20) { self.capacity = capacity }

    /// The file's bytes, nil when it cannot be read.
    func content(of file: OpenFile) -> ByteBuffer? {
        if let known = contents.withLock({ $0[file.identity] }) { return known }
        guard let bytes = file.read() else { return nil }
        let buffer = ByteBuffer(bytes: bytes)
        contents.withLock { contents in
            // Boot files are few; when they do not fit, what is kept is dropped and filled again by use.
            let held = contents.values.reduce(0) { $0 + $1.readableBytes }
            if held + buffer.readableBytes > capacity { contents = [:] }
            contents[file.identity] = buffer
        }
        return buffer
    }
}

/// Who signed the boot programs that were fetched, each looked at once.
final class SignerCache: Sendable {
    private let known = Mutex<[OpenFile.Identity: [String]?]>([:])
    private static let capacity = 256
    private static let largest: Int64 = 16 << 20

    /// - Returns: see ``ProgramSignature``; nil by its name too, for what is no program of UEFI's.
    func signers(of file: OpenFile, named name: String) -> [String]? {
        guard name.hasSuffix(".efi"), file.size <= Self.largest else { return nil }
        if let found = known.withLock({ $0[file.identity] }) { return found }
        let signers = file.read().flatMap { ProgramSignature.authorities(of: $0) }
        known.withLock { known in
            if known.count >= Self.capacity { known = [:] }
            known[file.identity] = .some(signers)
        }
        return signers
    }
}
