import Foundation

/// Files that only root may read.
enum PrivateFile {
    /// Writes `text` so that at no moment a half-written or readable file is there: a temporary one, synced, then renamed.
    static func write(_ text: String, to path: String, mode: mode_t = 0o600) throws {
        let temporary = path + ".new"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw FileFault(path: temporary, doing: "create", code: errno) }
        defer { close(descriptor) }
        guard fchmod(descriptor, mode) == 0 else { throw FileFault(path: temporary, doing: "protect", code: errno) }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            guard written > 0 else { throw FileFault(path: temporary, doing: "write", code: errno) }
            rest = rest.dropFirst(written)
        }
        guard fsync(descriptor) == 0 else { throw FileFault(path: temporary, doing: "sync", code: errno) }
        guard rename(temporary, path) == 0 else { throw FileFault(path: path, doing: "rename into place", code: errno) }
    }

    /// 32 bytes from `path`, made at first use.
    static func key(at path: String, make: () -> Data) throws -> Data {
        if let text = try? String(contentsOfFile: path, encoding: .utf8) {
            let line = text.trimmingCharacters(in: .whitespacesAndNewlines)
            guard let bytes = Data(base64Encoded: line), bytes.count == 32 else {
                throw FileFault(path: path, doing: "read a 32-byte key from", code: EINVAL)
            }
            return bytes
        }
        let bytes = make()
        try write(bytes.base64EncodedString() + "\n", to: path)
        return bytes
    }
}

/// A file operation that failed, in words.
struct FileFault: Error, CustomStringConvertible {
    var path: String
    var doing: String
    var code: Int32

    var description: String { "cannot \(doing) \(path): \(String(cString: strerror(code)))" }
}
