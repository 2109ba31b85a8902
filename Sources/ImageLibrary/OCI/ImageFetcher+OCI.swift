import Foundation
import Machines

extension ImageFetcher {
    public func digest(of reference: OCIReference) async throws -> FileDigest {
        try await OCIRepository(reference, self).manifest(nil).1
    }

    public func fetch(
        _ reference: OCIReference, architecture: String, asImage: Bool,
        progress: @escaping @Sendable (Int64, Int64?) -> Void
    ) async throws -> FetchedFile {
        guard let digest = reference.digest else {
            throw FetchError("\(reference) has no digest, and may mean something else the next time")
        }
        let repository = OCIRepository(reference, self)
        let layer: OCIDescriptor
        do {
            var (manifest, _) = try await repository.manifest(digest)
            if case .index(let manifests) = manifest {
                let chosen = try OCIManifest.manifest(in: manifests, architecture: architecture)
                manifest = try await repository.manifest(chosen.digest).0
            }
            guard case .layers(let layers, let isContainerImage) = manifest else {
                throw FetchError("the index names another index")
            }
            layer = try OCIManifest.layer(in: layers, title: reference.title, isContainerImage: isContainerImage)
        } catch let error as FetchError {
            throw FetchError("\(reference): \(error)")
        }
        guard layer.size <= policy.maximumBytes else { throw tooLarge("\(reference)", policy.maximumBytes) }
        let url = repository.url("/blobs/" + layer.digest.qualified)
        let source = FileSource(name: url, digest: layer.digest, limit: layer.size) { start, body in
            try await repository.ask(FetchRequest(url, start: start), body)
        }
        var file = try await take(source, seal: nil, asImage: asImage, progress: progress)
        let name = layer.title.flatMap { $0.split(separator: "/").last.map(String.init) }
        file.name = name.flatMap { Artifact.isFileName($0) ? $0 : nil }
        return file
    }
}
