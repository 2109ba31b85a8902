import Foundation
import Synchronization

/// A well-known program that is run to its end.
enum Tool {
    /// How it ended.
    struct Outcome: Sendable {
        /// 127: it is not installed; -1: a signal.
        var status: Int32
        var output: String
        /// The end of what it complained of.
        var complaint: String
    }

    /// - Returns: what it wrote to its output.
    /// - Throws: ``FetchError`` with its last words when it is missing or ends badly.
    static func run(_ program: String, _ arguments: [String]) async throws -> String {
        let outcome = try await outcome(program, arguments)
        guard outcome.status == 0 else {
            let why = outcome.status == 127 ? "it is not installed here" : outcome.complaint
            throw FetchError("\(program) ended with \(outcome.status): \(why)")
        }
        return outcome.output
    }

    /// However it ends.
    /// - Throws: `CancellationError`, and what keeps it from being started.
    static func outcome(_ program: String, _ arguments: [String]) async throws -> Outcome {
        let child = Child()
        let outcome = try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                // On a thread of its own: its output is read until it ends.
                Thread.detachNewThread { continuation.resume(with: Result { try child.run(program, arguments) }) }
            }
        } onCancel: {
            child.end()
        }
        // One that was ended because nobody wants it has not failed.
        try Task.checkCancellation()
        return outcome
    }

    /// Lines for `bash`, whose `$1` and so on are `arguments`.
    static func shell(_ line: String, _ arguments: [String]) async throws -> String {
        try await run("bash", ["-c", line, "bash"] + arguments)
    }

    private final class Child: Sendable {
        private let process = Mutex<Process?>(nil)
        private let complaint = Mutex(Data())

        func run(_ program: String, _ arguments: [String]) throws -> Outcome {
            let (child, output, errors) = (Process(), Pipe(), Pipe())
            child.executableURL = URL(filePath: "/usr/bin/env")
            child.arguments = [program] + arguments
            (child.standardOutput, child.standardError) = (output, errors)
            child.standardInput = FileHandle.nullDevice
            try process.withLock { kept in
                try child.run()
                kept = child
            }
            // Both are read as they come: a program waits where one of them is full.
            let isRead = DispatchSemaphore(value: 0)
            Thread.detachNewThread {
                let told = errors.fileHandleForReading.readDataToEndOfFile()
                self.complaint.withLock { $0 = told.suffix(500) }
                isRead.signal()
            }
            let told = output.fileHandleForReading.readDataToEndOfFile()
            isRead.wait()
            child.waitUntilExit()
            return Outcome(
                status: child.terminationReason == .exit ? child.terminationStatus : -1,
                output: String(decoding: told, as: UTF8.self),
                complaint: String(decoding: complaint.withLock { $0 }, as: UTF8.self).trimmingCharacters(
                    in: .whitespacesAndNewlines))
        }

        func end() { process.withLock { $0?.terminate() } }
    }
}
