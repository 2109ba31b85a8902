import Glibc

/// Reads small files of the kernel, below a root that tests replace.
public struct SystemFiles: Sendable {
    public let root: String

    public init(root: String = "") { self.root = root }

    public func bytes(_ path: String, limit: Int = 1 << 20) -> [UInt8]? {
        let file = open(root + path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while content.count < limit {
            let count = read(file, &chunk, chunk.count)
            guard count >= 0 else { return nil }
            guard count > 0 else { break }
            content += chunk.prefix(count)
        }
        return content
    }

    /// The file's text without blanks around it; nil when it is not there or empty.
    public func text(_ path: String) -> String? {
        guard let bytes = bytes(path) else { return nil }
        let blanks = Set(" \n\t\0".utf8)
        let trimmed = bytes.drop { blanks.contains($0) }.reversed().drop { blanks.contains($0) }.reversed()
        return trimmed.isEmpty ? nil : String(decoding: Array(trimmed), as: UTF8.self)
    }

    /// Bytes that programs can have without anything being swapped; nil: the kernel does not tell.
    var availableMemory: Int64? {
        let line = text("/proc/meminfo")?.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int64($0) }.map { $0 << 10 }
    }

    public func number(_ path: String) -> Int64? { text(path).flatMap { Int64($0) } }

    /// Names in a directory, sorted.
    public func list(_ path: String) -> [String] {
        guard let directory = opendir(root + path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    public func exists(_ path: String) -> Bool { access(root + path, F_OK) == 0 }

    /// Where a symbolic link leads, with all links on the way followed.
    public func resolve(_ path: String) -> String? {
        guard let resolved = realpath(root + path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
