import ArgumentParser
import Foundation

/// A Butane config, which people write, as the Ignition config that machines read. https://coreos.github.io/butane/
enum ButaneFile {
    /// - Returns: nil: it is none.
    /// - Throws: `ValidationError` when the tool is not here, or finds a fault.
    static func ignition(_ text: String, file: String) throws -> String? {
        guard text.contains(/(?m)^variant:/) else { return nil }
        let (tool, input, output, errors) = (Process(), Pipe(), Pipe(), Pipe())
        tool.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        tool.arguments = ["butane", "--strict"]
        (tool.standardInput, tool.standardOutput, tool.standardError) = (input, output, errors)
        do {
            try tool.run()
        } catch {
            throw ValidationError("butane cannot be run: \(error.localizedDescription)")
        }
        // A pipe holds 64 KiB, and it reads all before it writes.
        try? input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
        try? input.fileHandleForWriting.close()
        let made = output.fileHandleForReading.readDataToEndOfFile()
        let words = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        tool.waitUntilExit()
        guard tool.terminationStatus != 127 else {
            throw ValidationError(
                "\(file) is a Butane config: install butane, or give the Ignition config that it makes")
        }
        guard tool.terminationStatus == 0 else {
            throw ValidationError("\(file): \(words.trimmingCharacters(in: .whitespacesAndNewlines))")
        }
        return String(decoding: made, as: UTF8.self)
    }
}
