import APIClient
import Foundation

/// How to reach one daemon: `{"server": …, "token": …, "ca": …}`.
struct ContextFile: Codable, Equatable {
    var server: String?
    var token: String?
    var ca: String?
}

/// `~/.config/slipway`: `contexts/NAME.json` with mode 0600 for each context, `current` with the name of the one in use, and
/// `context.json`, which is the context `default`.
struct ContextStore {
    /// The name of `context.json`.
    static let plain = "default"

    let directory: String

    init(_ environment: [String: String]) {
        // Its neighbours belong to the file that is named.
        let base = environment["XDG_CONFIG_HOME"].flatMap { $0.isEmpty ? nil : $0 }
        directory = (base ?? (environment["HOME"] ?? "/root") + "/.config") + "/slipway"
    }

    /// The context that commands use.
    /// - Parameter name: what `--context` says. Without it SLIPWAY_CONTEXT (a file's path, or a name), then the one that was chosen with
    ///   `context use`, then `context.json`.
    func load(_ name: String?, _ environment: [String: String]) throws -> (name: String, context: ContextFile) {
        if let name { return (name, try self.context(name)) }
        if let variable = environment["SLIPWAY_CONTEXT"], !variable.isEmpty {
            if isName(variable), exists(variable) { return (variable, try self.context(variable)) }
            return (variable, try Self.read(variable) ?? ContextFile())
        }
        guard let current else { return (Self.plain, try Self.read(path(Self.plain)) ?? ContextFile()) }
        return (current, try self.context(current))
    }

    /// A context that there is.
    func context(_ name: String) throws -> ContextFile {
        try check(name)
        guard let context = try Self.read(path(name)) else {
            let names = try names()
            throw ClientError(
                "there is no context \(name); "
                    + (names.isEmpty
                        ? "try: slipway context add \(name) --server https://HOST:8443"
                        : "there are \(names.joined(separator: ", "))"))
        }
        return context
    }

    func names() throws -> [String] {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: directory + "/contexts")) ?? []
        let named = files.filter { $0.hasSuffix(".json") && !$0.hasPrefix(".") }.map { String($0.dropLast(5)) }
        return (named.filter(isName) + (FileManager.default.fileExists(atPath: path(Self.plain)) ? [Self.plain] : []))
            .sorted()
    }

    /// What `context use` chose; nil: nothing.
    var current: String? {
        guard let text = try? String(contentsOfFile: directory + "/current", encoding: .utf8) else { return nil }
        let name = text.trimmingCharacters(in: .whitespacesAndNewlines)
        return isName(name) ? name : nil
    }

    func use(_ name: String) throws {
        _ = try context(name)
        try write(Data((name + "\n").utf8), to: directory + "/current")
    }

    func add(_ name: String, _ context: ContextFile, replace: Bool) throws {
        try check(name)
        guard replace || !exists(name) else {
            throw ClientError("there is a context \(name) already; --replace overwrites it")
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        try write(try encoder.encode(context), to: path(name))
    }

    func remove(_ name: String) throws {
        _ = try context(name)
        try FileManager.default.removeItem(atPath: path(name))
        if current == name { try? FileManager.default.removeItem(atPath: directory + "/current") }
    }

    func path(_ name: String) -> String {
        name == Self.plain ? directory + "/context.json" : directory + "/contexts/\(name).json"
    }

    private func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

    private func isName(_ text: String) -> Bool {
        (1...63).contains(text.utf8.count) && text.first != "." && text.first != "-"
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                    || byte == 0x2d || byte == 0x2e || byte == 0x5f
            }
    }

    private func check(_ name: String) throws {
        guard isName(name) else {
            throw ClientError(
                "\(name.debugDescription) is not a context's name: 1 to 63 letters, digits, '-', '_' and '.'")
        }
    }

    /// Nil: there is no such file.
    private static func read(_ path: String) throws -> ContextFile? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        do {
            return try JSONDecoder().decode(ContextFile.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            // The error may quote the file, and so the token.
            throw ClientError(
                "the context file \(path) cannot be read: it is no {\"server\": …, \"token\": …, \"ca\": …}")
        }
    }

    /// Whole or not at all, and never readable by others.
    private func write(_ data: Data, to path: String) throws {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw ClientError("\(folder) cannot be made: \(error.localizedDescription)")
        }
        let temporary =
            folder + "/.new-\(ProcessInfo.processInfo.processIdentifier)-\(UInt32.random(in: 0...UInt32.max))"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw ClientError("\(folder) cannot be written to: \(String(cString: strerror(errno)))")
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try file.write(contentsOf: data)
            try file.synchronize()
            try file.close()
        } catch {
            unlink(temporary)
            throw ClientError("\(path) cannot be written: \(error.localizedDescription)")
        }
        guard rename(temporary, path) == 0 else {
            let reason = String(cString: strerror(errno))
            unlink(temporary)
            throw ClientError("\(path) cannot be written: \(reason)")
        }
    }
}
