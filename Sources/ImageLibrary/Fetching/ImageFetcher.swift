import AsyncHTTPClient
import Crypto
import Foundation
import Logging
import Machines
import NIOCore
import NIOHTTP1
import NIOPosix
import NetworkAddresses

/// Fetches files by http and https into the library, and goes on with what a cut left.
public struct ImageFetcher: ImageFetching {
    let library: Library
    let policy: FetchPolicy
    let keys: SigningKeys
    let logger: Logger

    public init(library: Library, policy: FetchPolicy, keys: SigningKeys, logger: Logger) {
        (self.library, self.policy, self.keys, self.logger) = (library, policy, keys, logger)
    }

    /// All that is there, in memory.
    func bytes(at url: String, limit: Int) async throws -> ByteBuffer {
        try await ask(FetchRequest(url)) { response, final in
            try await Self.body(of: response, from: final, limit: limit)
        }
    }

    static func body(of response: HTTPClientResponse, from url: String, limit: Int) async throws -> ByteBuffer {
        guard response.status == .ok else { throw FetchError("\(url) answers \(response.status)") }
        var bytes = ByteBuffer()
        for try await part in response.body {
            guard bytes.readableBytes + part.readableBytes <= limit else {
                throw FetchError("\(url) has more than \(limit >> 10) KiB")
            }
            bytes.writeImmutableBuffer(part)
        }
        return bytes
    }

    public func fetch(
        _ url: String, expecting digest: FileDigest, signature: DetachedSignature?, asImage: Bool,
        progress: @escaping @Sendable (Int64, Int64?) -> Void
    ) async throws -> FetchedFile {
        // First, as the smaller one: nothing is fetched whose signature is not there.
        let seal = try await seal(signature, of: url)
        let source = FileSource(name: url, digest: digest, limit: policy.maximumBytes) { start, body in
            try await ask(FetchRequest(url, start: start), body)
        }
        return try await take(source, seal: seal, asImage: asImage, progress: progress)
    }

    /// Where a file comes from.
    struct FileSource: Sendable {
        /// For people, and what tells it from others: a URL.
        var name: String
        var digest: FileDigest
        /// Bytes that it may have.
        var limit: Int64
        /// Asks for it from a byte on; nil: for all of it.
        var ask:
            @Sendable (
                _ start: Int64?, _ body: @escaping @Sendable (HTTPClientResponse, String) async throws -> Void
            ) async throws -> Void
    }

    func take(
        _ source: FileSource, seal: Seal?, asImage: Bool, progress: @escaping @Sendable (Int64, Int64?) -> Void
    ) async throws -> FetchedFile {
        let (url, digest) = (source.name, source.digest)
        if !asImage, digest.algorithm == .sha256, let path = await library.path(ofImage: digest.hex) {
            let bytes = try Library.size(of: path)
            progress(bytes, bytes)
            var file = FetchedFile(sha256: digest.hex, bytes: bytes)
            file.signer = try await signer(of: path, seal)
            return file
        }
        let partial = try PartialFile(library.partialPath(for: "\(url)\n\(digest.hex)"))
        var lastError: (any Error)?
        // What was cut off is asked for again, from where it ended.
        for attempt in 0..<5 {
            if attempt > 0 { try await Task.sleep(for: .seconds(min(60, 2 << attempt))) }
            do {
                try await download(source, to: partial, progress)
                lastError = nil
                break
            } catch let error as FetchError {
                throw error
            } catch let error as CancellationError {
                throw error
            } catch {
                lastError = error
                logger.warning(
                    "a fetch was cut off, and is gone on with",
                    metadata: ["url": "\(url)", "bytes": "\(partial.length)", "error": "\(error)"])
            }
        }
        if let lastError {
            throw FetchError(
                "\(url) was cut off five times, the last time after \(partial.length) bytes: \(lastError); ask again to go on from there"
            )
        }
        let found = try await partial.digests()
        guard found[digest.algorithm] == digest.hex else {
            partial.remove()
            throw FetchError(
                "\(url) has the \(digest.algorithm.rawValue) \(found[digest.algorithm] ?? "-"), and its makers say \(digest.hex): nothing was kept"
            )
        }
        let signer: String?
        do {
            signer = try await self.signer(of: partial.path, seal)
        } catch let error as FetchError {
            partial.remove()
            throw error
        }
        if asImage,
            var file = try await ImageConverter(library: library, policy: policy).convert(
                partial.path, progress: progress)
        {
            partial.remove()
            file.signer = signer
            return file
        }
        let sha256 = found[.sha256] ?? ""
        try library.adopt(partial.path, as: sha256)
        var file = FetchedFile(sha256: sha256, bytes: partial.length)
        file.signer = signer
        return file
    }

    private func download(
        _ source: FileSource, to partial: PartialFile, _ progress: @escaping @Sendable (Int64, Int64?) -> Void
    ) async throws {
        let (start, limit) = (partial.length, source.limit)
        try await source.ask(start > 0 ? start : nil) { response, final in
            switch response.status {
            case .ok: try partial.truncate(to: 0)
            case .partialContent:
                // One that begins elsewhere would be glued on wrongly; the digest would tell, and all of it would be fetched again.
                guard response.headers.first(name: "Content-Range")?.hasPrefix("bytes \(start)-") == true else {
                    try partial.truncate(to: 0)
                    throw CutOff(reason: "the server began at another byte")
                }
            // Nothing is left of it: it is complete, or another file now.
            case .rangeNotSatisfiable where start > 0: return
            default: throw FetchError("\(final) answers \(response.status)")
            }
            let announced = response.headers.first(name: "Content-Length").flatMap(Int64.init).map {
                $0 + partial.length
            }
            if let announced, announced > limit { throw tooLarge(source.name, limit) }
            for try await part in response.body {
                guard partial.length + Int64(part.readableBytes) <= limit else { throw tooLarge(source.name, limit) }
                try partial.append(part)
                progress(partial.length, announced)
            }
            if let announced, partial.length < announced { throw CutOff(reason: "the connection ended") }
        }
    }

    private struct CutOff: Error, CustomStringConvertible {
        var reason: String
        var description: String { reason }
    }

    func tooLarge(_ url: String, _ limit: Int64) -> FetchError {
        FetchError(
            limit < policy.maximumBytes
                ? "\(url) has more than the \(limit) bytes that it is said to have"
                : "\(url) has more than \(limit >> 30) GiB, which is the limit for one file (fetch_limit_gib)")
    }

    /// Asks, and follows at most five redirections, each of them to where the policy allows.
    func ask<Result: Sendable>(
        _ first: FetchRequest, _ body: @Sendable (HTTPClientResponse, String) async throws -> Result
    ) async throws -> Result {
        var request = first
        let origin = try FetchPolicy.target(first.url)
        for _ in 0...5 {
            let target = try FetchPolicy.target(request.url)
            // What was given for one server is for no other.
            if target != origin { request.authorization = nil }
            var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
            configuration.timeout = .init(connect: .seconds(20), read: .seconds(60))
            if let proxy = try policy.proxy(for: target) {
                configuration.proxy = .server(host: proxy.host, port: proxy.port)
                // The proxy looks names up; an address is what it is.
                if let literal = IPAddress(target.host) { try policy.check(literal, of: target.host) }
            } else {
                // The address that was looked at is the one that is asked: a name may mean another the next time.
                let address = try await Self.address(of: target)
                try policy.check(address, of: target.host)
                configuration.dnsOverride = [target.host: "\(address)"]
            }
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
            let outcome: Outcome<Result>
            do {
                outcome = try await step(client, request, body)
            } catch {
                try await client.shutdown()
                throw error
            }
            try await client.shutdown()
            switch outcome {
            case .done(let result): return result
            case .goTo(let next): request.url = next
            }
        }
        throw FetchError("\(first.url) leads from place to place, more than five times")
    }

    private enum Outcome<Result: Sendable>: Sendable {
        case done(Result)
        case goTo(String)
    }

    private func step<Result: Sendable>(
        _ client: HTTPClient, _ asked: FetchRequest,
        _ body: @Sendable (HTTPClientResponse, String) async throws -> Result
    ) async throws -> Outcome<Result> {
        let url = asked.url
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "User-Agent", value: "slipway")
        // What is compared with a digest is what lies there.
        request.headers.add(name: "Accept-Encoding", value: "identity")
        if let start = asked.start { request.headers.add(name: "Range", value: "bytes=\(start)-") }
        if let accept = asked.accept { request.headers.add(name: "Accept", value: accept) }
        if let authorization = asked.authorization {
            request.headers.add(name: "Authorization", value: authorization)
        }
        let response = try await client.execute(request, timeout: .seconds(policy.seconds))
        guard (300..<400).contains(response.status.code), response.status != .notModified else {
            return .done(try await body(response, url))
        }
        guard let location = response.headers.first(name: "Location"),
            let next = URL(string: location, relativeTo: URL(string: url))?.absoluteString
        else { throw FetchError("\(url) answers \(response.status), and not where to") }
        guard !url.hasPrefix("https:") || next.hasPrefix("https:") else {
            throw FetchError("\(url) leads away from https, to \(next)")
        }
        return .goTo(next)
    }

    private static func address(of target: FetchPolicy.Target) async throws -> IPAddress {
        if let literal = IPAddress(target.host) { return literal }
        let found = try await NIOThreadPool.singleton.runIfActive {
            try? SocketAddress.makeAddressResolvingHost(target.host, port: target.port)
        }
        guard let text = found?.ipAddress, let address = IPAddress(text) else {
            throw FetchError(
                "the name \(target.host) is not known here: is there a name server, or is a proxy to be used?")
        }
        return address
    }
}
