import Crypto
import FoundationEssentials
import Machines
import OperatingSystems

/// Digests of the files of one release, and who signed them where the operator gave the keys of its makers.
struct PublishedDigests {
    let images: any ImageFetching
    /// Whose keys count.
    let system: String
    /// What a person says of files, by their names: it stands in for what is published beside them.
    let said: [String: FileDigest]
    let factory: ImageFactory?
    private var lists: [String: FetchedText] = [:]

    init(
        images: any ImageFetching, system: String, said: [String: FileDigest] = [:], factory: ImageFactory? = nil
    ) {
        (self.images, self.system) = (images, system)
        (self.said, self.factory) = (said, factory)
    }

    /// The signature of the file itself, where that is what its makers sign.
    func signature(of file: PublishedFile) -> DetachedSignature? {
        guard case .file(let url) = file.signature, images.hasKeys(of: system) else { return nil }
        return DetachedSignature(url, by: system)
    }

    /// - Returns: what the file is compared with, and the fingerprint of the key that signed that.
    /// - Throws: an error whose description is for a person.
    mutating func digest(of file: PublishedFile) async throws -> (FileDigest, signer: String?) {
        if let said = said[file.name] { return (said, nil) }
        let list: FetchedText
        if let known = lists[file.digests] {
            list = known
        } else {
            do {
                list = try await fetchList(of: file)
            } catch let error where !(error is CancellationError) {
                throw factory.map { Self.silent($0, about: file, error) } ?? error
            }
            lists[file.digests] = list
        }
        return (try Self.digest(of: file.listedAs, in: list.text, at: file.digests), list.signer)
    }

    private static func silent(_ factory: ImageFactory, about file: PublishedFile, _ error: any Error) -> ServiceError {
        ServiceError(
            .notFound,
            "\(error): without a digest nothing is believed. Where this factory tells none, as \(ImageFactory.preset) does, say what you know the file to have: --sha256 \(file.name)=HEX; \(factory.advice)"
        )
    }

    private func fetchList(of file: PublishedFile) async throws -> FetchedText {
        let limit = DigestList.limit
        switch file.signature {
        case .list(let url) where images.hasKeys(of: system):
            return try await images.text(
                at: file.digests, limit: limit, signature: .detached(DetachedSignature(url, by: system)))
        case .index(let url, let name) where images.hasKeys(of: system):
            let index = try await images.text(at: url, limit: limit, signature: .clear(by: system))
            let expected = try Self.digest(of: name, in: index.text, at: url)
            let list = try await images.text(at: file.digests, limit: limit, signature: nil)
            let bytes = Data(list.text.utf8)
            let found =
                expected.algorithm == .sha256 ? Array(SHA256.hash(data: bytes)) : Array(SHA512.hash(data: bytes))
            guard Credential.hex(found) == expected.hex else {
                throw ServiceError(
                    .conflict,
                    "\(file.digests) is not what \(url) says that it is: ask again later, it may be changing just now")
            }
            return FetchedText(list.text, signer: index.signer)
        case .list, .index, .file, nil:
            return try await images.text(at: file.digests, limit: limit, signature: nil)
        }
    }

    private static func digest(of name: String, in text: String, at url: String) throws -> FileDigest {
        guard let digest = DigestList.digest(of: name, in: text) else {
            throw ServiceError(
                .notFound, "\(url) has no SHA-256 or SHA-512 of \(name): nothing is believed without")
        }
        return digest
    }
}
