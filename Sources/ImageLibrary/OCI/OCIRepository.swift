import AsyncHTTPClient
import Crypto
import Foundation
import Machines
import NIOCore
import NIOHTTP1
import Synchronization

/// A repository of a registry, read as everybody may read it (OCI distribution specification 1.1, "Pull").
final class OCIRepository: Sendable {
    private let reference: OCIReference
    private let fetcher: ImageFetcher
    /// For this registry alone: nobody whom it sends us to is told.
    private let token = Mutex<String?>(nil)

    /// Bytes of a token server's answer.
    private static let largestAnswer = 64 << 10

    init(_ reference: OCIReference, _ fetcher: ImageFetcher) { (self.reference, self.fetcher) = (reference, fetcher) }

    /// - Parameter expected: what it has to be; nil: whatever the reference's tag means.
    /// - Throws: ``FetchError``.
    func manifest(_ expected: FileDigest?) async throws -> (OCIManifest, FileDigest) {
        let name = expected?.qualified ?? reference.tag ?? ""
        let path = "/manifests/" + name
        var request = FetchRequest(url(path))
        request.accept = OCIManifest.mediaTypes.joined(separator: ", ")
        let bytes = try await ask(request) { response, final in
            try await ImageFetcher.body(of: response, from: final, limit: OCIManifest.limit)
        }
        let data = Data(bytes.readableBytesView)
        let algorithm = expected?.algorithm ?? .sha256
        let found = FileDigest(
            algorithm,
            Credential.hex(algorithm == .sha256 ? Array(SHA256.hash(data: data)) : Array(SHA512.hash(data: data))))
        guard expected == nil || found == expected else {
            throw FetchError("\(url(path)) has the digest \(found.qualified): it is not what was asked for")
        }
        do {
            return (try OCIManifest(data), found)
        } catch let error as FetchError {
            throw FetchError("\(url(path)): \(error)")
        }
    }

    func url(_ path: String) -> String { "\(reference.origin)/v2/\(reference.repository)\(path)" }

    /// Asks as nobody, and once more with the token that nobody gets where the registry wants one.
    func ask<Result: Sendable>(
        _ request: FetchRequest, _ body: @escaping @Sendable (HTTPClientResponse, String) async throws -> Result
    ) async throws -> Result {
        let first = request.authorized(by: token.withLock { $0 })
        let origin = reference.origin + "/"
        let answer: Answer<Result> = try await fetcher.ask(first) { response, final in
            guard response.status == .unauthorized, final.hasPrefix(origin) else {
                return .done(try await body(response, final))
            }
            let challenges = response.headers["WWW-Authenticate"]
            guard let challenge = challenges.lazy.compactMap(BearerChallenge.init).first else {
                throw FetchError("\(final) is for those who have a name there: only what everybody may pull is fetched")
            }
            return .challenged(challenge)
        }
        switch answer {
        case .done(let result): return result
        case .challenged(let challenge):
            let found = try await fetchToken(challenge)
            token.withLock { $0 = found }
            return try await fetcher.ask(request.authorized(by: found), body)
        }
    }

    private enum Answer<Result: Sendable>: Sendable {
        case done(Result)
        case challenged(BearerChallenge)
    }

    private func fetchToken(_ challenge: BearerChallenge) async throws -> String {
        guard let url = challenge.url(repository: reference.repository) else {
            throw FetchError(
                "\(reference.registry) sends for a token to \(challenge.realm.debugDescription), which is no URL")
        }
        guard !reference.isEncrypted || url.hasPrefix("https:") else {
            throw FetchError("\(reference.registry) sends for a token away from https, to \(url)")
        }
        let answer = try await fetcher.bytes(at: url, limit: Self.largestAnswer)
        guard let token = BearerChallenge.token(in: Data(answer.readableBytesView)) else {
            throw FetchError("\(url) gives no token for \(reference.repository) to those without a name there")
        }
        return token
    }
}
