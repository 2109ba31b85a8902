import APIModel
import FoundationEssentials
import Machines
import OperatingSystems

/// Where the files of a release are: published by its makers, made by a factory, or where a person says.
extension ReleaseFetcher {
    static func factory(of request: ReleaseFetchRequest) throws -> ImageFactory? {
        guard request.files == nil || (request.factory == nil && request.digests == nil) else {
            throw ServiceError(
                .invalid, "files that a person names are neither of a factory nor compared with other digests",
                field: "files")
        }
        guard let source = request.factory else { return nil }
        guard request.os == "talos" else {
            throw ServiceError(.invalid, "a factory makes Talos, and not \(request.os)", field: "factory")
        }
        return try factory(source)
    }

    static func factory(_ source: ReleaseFetch.Factory) throws -> ImageFactory {
        do {
            return try ImageFactory(source)
        } catch {
            throw ServiceError(.invalid, error.reason, field: error.field)
        }
    }

    static func published(
        _ request: ReleaseFetchRequest, _ driver: any OperatingSystem, by factory: ImageFactory?
    ) throws -> PublishedRelease {
        guard
            let published = driver.published(
                version: request.version, architecture: request.architecture, by: factory)
        else {
            throw ServiceError(
                .invalid,
                "\(request.os) \(request.version) for \(request.architecture) is not published under names that Slipway knows: add its files by a release.json",
                field: "version")
        }
        return published
    }

    /// What a person says of files, which have to be files of the release.
    static func digests(
        _ said: [String: String], of files: [PublishedFile]
    ) throws -> [String: FileDigest] {
        var digests: [String: FileDigest] = [:]
        for (name, hex) in said {
            guard files.contains(where: { $0.name == name }) else {
                throw ServiceError(
                    .invalid,
                    "\(name.debugDescription) is no file of this release: \(files.map(\.name).joined(separator: ", "))",
                    field: "digests")
            }
            guard let digest = FileDigest(hex: hex) else {
                throw ServiceError(
                    .invalid, "what is said of \(name) is neither a SHA-256 nor a SHA-512 in hex", field: "digests")
            }
            digests[name] = digest
        }
        return digests
    }

    /// What a person says where files are.
    static func files(
        _ request: ReleaseFetchRequest.Files, _ images: any ImageFetching
    ) async throws -> [ReleaseFetch.File] {
        func order<Value>(_ files: [ArtifactRole: Value]) -> [(key: ArtifactRole, value: Value)] {
            files.sorted { $0.key.rawValue < $1.key.rawValue }
        }
        var files = order(request.artifacts ?? [:]).map { ReleaseFetch.File(role: $0.key, url: "", artifact: $0.value) }
        for (role, text) in order(request.references) {
            let field = "files.references.\(role.rawValue)"
            guard request.artifacts?[role] == nil else {
                throw ServiceError(.invalid, "\(role.rawValue) is named twice", field: field)
            }
            let reference: OCIReference
            do {
                reference = try OCIReference(parsing: text)
            } catch {
                throw ServiceError(.invalid, "\(error)", field: field)
            }
            guard reference.digest != nil else { throw try await Self.unpinned(reference, images, field: field) }
            files.append(.init(role: role, url: text))
        }
        return files
    }

    /// A tag may mean another file tomorrow, with other machines.
    private static func unpinned(
        _ reference: OCIReference, _ images: any ImageFetching, field: String
    ) async throws -> ServiceError {
        var pinned = reference
        do {
            pinned.digest = try await images.digest(of: reference)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            return ServiceError(
                .invalid, "\(reference) has no digest (@sha256:HEX), and what it means now cannot be said: \(error)",
                field: field)
        }
        return ServiceError(
            .invalid, "\(reference) has no digest, and may mean something else the next time: now it is \(pinned)",
            field: field)
    }
}
