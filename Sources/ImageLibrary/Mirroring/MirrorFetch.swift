import AsyncHTTPClient
import Crypto
import Foundation
import Machines
import NIOCore
import NIOHTTP1
import Synchronization

/// A file on its way from the main daemon, and already on its way to machines. Its last byte leaves only once its digest is right: a machine
/// that got something else is cut off before the end, and asks the main daemon.
final class MirrorFetch: FileGrowth, Sendable {
    private struct State {
        /// Of all of it; nil: no answer yet.
        var bytes: Int64?
        /// Bytes that may be sent on.
        var length: Int64 = 0
        var end: Result<Void, FetchError>?
        var waiting: [(wants: Int64, continuation: CheckedContinuation<Int64, any Error>)] = []
    }

    /// Where it grows.
    let path: String
    private let digest: String
    private let url: String
    private let state = Mutex(State())

    /// Connections tried one after another without a byte.
    private static let attempts = 5

    init(_ digest: String, from origin: String, in directory: String) {
        self.digest = digest
        url = origin + "/images/" + digest
        path = directory + "/" + digest + "." + Credential.random().prefix(8) + Library.partial
    }

    var bytes: Int64 { state.withLock { $0.bytes ?? 0 } }

    /// Waits until it is known how large the file is.
    func begun() async throws { _ = try await length(beyond: -1) }

    func length(beyond offset: Int64) async throws -> Int64 {
        try await withCheckedThrowingContinuation { continuation in
            let now: Result<Int64, any Error>? = state.withLock { state in
                if state.bytes != nil, state.length > offset { return .success(state.length) }
                if case .failure(let error)? = state.end { return .failure(error) }
                state.waiting.append((offset, continuation))
                return nil
            }
            if let now { continuation.resume(with: now) }
        }
    }

    private func change(_ body: (inout State) -> Void) {
        let due = state.withLock { state in
            body(&state)
            var failure: FetchError?
            if case .failure(let error)? = state.end { failure = error }
            let (length, hasBegun) = (state.length, state.bytes != nil)
            let due = state.waiting.filter { failure != nil || (hasBegun && length > $0.wants) }
            state.waiting.removeAll { failure != nil || (hasBegun && length > $0.wants) }
            return due.map {
                ($0.continuation, failure.map { Result<Int64, any Error>.failure($0) } ?? .success(length))
            }
        }
        for (continuation, result) in due { continuation.resume(with: result) }
    }

    /// Fetches all of it into ``path``.
    /// - Parameter makeRoom: for so many bytes.
    /// - Throws: ``FetchError``; then nothing is left of it.
    func run(_ client: HTTPClient, makeRoom: @Sendable (Int64) async throws -> Void) async throws(FetchError) {
        do {
            try await fetch(client, makeRoom)
            change { state in
                state.length = state.bytes ?? 0
                state.end = .success(())
            }
        } catch {
            unlink(path)
            let failure = error as? FetchError ?? FetchError("\(url): \(error)")
            change { $0.end = .failure(failure) }
            throw failure
        }
    }

    private func fetch(_ client: HTTPClient, _ makeRoom: (Int64) async throws -> Void) async throws {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw ImageError.fileSystem("create", path) }
        defer { close(file) }
        var (hash, done, failures) = (SHA256(), Int64(0), 0)
        while true {
            let before = done
            do {
                let response = try await ask(client, from: done)
                if bytes == 0 {
                    let total = try Self.total(response, url)
                    try await makeRoom(total)
                    change { $0.bytes = total }
                }
                for try await part in response.body {
                    guard done + Int64(part.readableBytes) <= bytes else { throw FetchError("\(url) goes on for ever") }
                    try Self.write(part, to: file, path)
                    part.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
                    done += Int64(part.readableBytes)
                    let there = min(done, bytes - 1)
                    change { $0.length = there }
                }
            } catch let error as FetchError {
                throw error
            } catch let error as ImageError {
                throw error
            } catch {
                // Cut off: it is asked for again, from where it ended.
                failures = done > before ? 1 : failures + 1
                guard failures < Self.attempts else { throw error }
            }
            if bytes > 0, done == bytes { break }
            try await Task.sleep(for: .milliseconds(250 << failures))
        }
        let found = Credential.hex(Array(hash.finalize()))
        guard found == digest else { throw FetchError("\(url) has SHA-256 \(found): it was not kept") }
        guard fsync(file) == 0 else { throw ImageError.fileSystem("sync", path) }
    }

    private func ask(_ client: HTTPClient, from start: Int64) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "User-Agent", value: "slipwayd-mirror")
        if start > 0 {
            request.headers.add(name: "Range", value: "bytes=\(start)-")
            // What the main daemon tags its images with.
            request.headers.add(name: "If-Range", value: "\"\(digest)\"")
        }
        let response = try await client.execute(request, timeout: .hours(24))
        switch response.status {
        case .ok where start == 0: return response
        case .partialContent
        where start > 0 && response.headers.first(name: "Content-Range")?.hasPrefix("bytes \(start)-") == true:
            return response
        case .ok, .partialContent: throw FetchError("\(url) does not go on at byte \(start)")
        default: throw FetchError("\(url) answers \(response.status)")
        }
    }

    private static func total(_ response: HTTPClientResponse, _ url: String) throws -> Int64 {
        guard let total = response.headers.first(name: "Content-Length").flatMap({ Int64($0) }), total > 0 else {
            throw FetchError("\(url) does not say how long it is")
        }
        return total
    }

    private static func write(_ part: ByteBuffer, to file: Int32, _ path: String) throws {
        try part.withUnsafeReadableBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let written = Foundation.write(file, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                guard written > 0 else { throw ImageError.fileSystem("write", path) }
                rest = rest.dropFirst(written)
            }
        }
    }
}
