import Foundation
import Machines
import NIOCore

extension ImageFetcher {
    /// Bytes of a signature: a few hundred each.
    private static let largestSignature = 64 << 10

    public func place(ofKeysOf system: String) -> String { keys.path(of: system) }

    public func hasKeys(of system: String) -> Bool { keys.has(system) }

    public func text(at url: String, limit: Int, signature: TextSignature?) async throws -> FetchedText {
        switch signature {
        case nil:
            return FetchedText(String(buffer: try await bytes(at: url, limit: limit)))
        case .detached(let detached):
            let seal = try await seal(detached, of: url)
            let text = try await bytes(at: url, limit: limit)
            let signer = try await library.withScratchFile(text) { try await self.signer(of: $0, seal) }
            return FetchedText(String(buffer: text), signer: signer)
        case .clear(let system):
            let text = try await bytes(at: url, limit: limit)
            return try await library.withScratchFile(text) { path in
                try await library.withScratchFile(ByteBuffer()) { output in
                    let signer = try await Self.explaining(url) {
                        try await keys.signer(ofText: path, by: system, to: output)
                    }
                    let signed = try Data(contentsOf: URL(filePath: output))
                    return FetchedText(String(decoding: signed, as: UTF8.self), signer: signer)
                }
            }
        }
    }

    /// A signature that was fetched.
    struct Seal: Sendable {
        var source: DetachedSignature
        var bytes: ByteBuffer
    }

    /// - Parameter url: of what it is to have signed.
    func seal(_ source: DetachedSignature?, of url: String) async throws -> Seal? {
        guard let source else { return nil }
        do {
            return Seal(source: source, bytes: try await bytes(at: source.url, limit: Self.largestSignature))
        } catch let error as FetchError {
            throw FetchError(
                "\(url) is not taken without its signature, for there is \(keys.path(of: source.system)): \(error)")
        }
    }

    /// - Returns: nil: nobody asked.
    /// - Throws: ``FetchError``.
    func signer(of path: String, _ seal: Seal?) async throws -> String? {
        guard let seal else { return nil }
        return try await library.withScratchFile(seal.bytes) { signature in
            try await Self.explaining(seal.source.url) {
                try await keys.signer(of: path, by: seal.source.system, signature: signature)
            }
        }
    }

    private static func explaining(_ url: String, _ body: () async throws -> String) async throws -> String {
        do {
            return try await body()
        } catch let error as FetchError {
            throw FetchError("\(url): \(error); nothing was kept")
        }
    }
}
