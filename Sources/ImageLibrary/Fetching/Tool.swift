import Foundation
import Synchronization

/// A well-known program that is run to its end.
enum Tool {
    /// - Returns: what it wrote to its output.
    /// - Throws: ``FetchError`` with its last words when it is missing or ends badly.
    static func run(_ program: String, _ arguments: [String]) async throws -> String {
        let child = Child()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                // On a thread of its own: its output is read until it ends.
                Thread.detachNewThread { continuation.resume(with: Result { try child.run(program, arguments) }) }
            }
        } onCancel: {
            child.end()
        }
    }

    /// Lines for `bash`, whose `$1` and so on are `arguments`.
    static func shell(_ line: String, _ arguments: [String]) async throws -> String {
        try await run("bash", ["-c", line, "bash"] + arguments)
    }

    private final class Child: Sendable {
        private let process = Mutex<Process?>(nil)

        func run(_ program: String, _ arguments: [String]) throws -> String {
            let (child, output, errors) = (Process(), Pipe(), Pipe())
            child.executableURL = URL(filePath: "/usr/bin/env")
            child.arguments = [program] + arguments
            (child.standardOutput, child.standardError) = (output, errors)
            child.standardInput = FileHandle.nullDevice
            try process.withLock { kept in
                try child.run()
                kept = child
            }
            // A few words at most; the other pipe is read until its end.
            let told = output.fileHandleForReading.readDataToEndOfFile()
            let complaint = errors.fileHandleForReading.readDataToEndOfFile()
            child.waitUntilExit()
            guard child.terminationReason == .exit, child.terminationStatus == 0 else {
                let words = String(decoding: complaint.suffix(500), as: UTF8.self).trimmingCharacters(
                    in: .whitespacesAndNewlines)
                let why = child.terminationStatus == 127 ? "it is not installed here" : words
                throw FetchError("\(program) ended with \(child.terminationStatus): \(why)")
            }
            return String(decoding: told, as: UTF8.self)
        }

        func end() { process.withLock { $0?.terminate() } }
    }
}
