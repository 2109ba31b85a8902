import APIClient
import Foundation
import Machines

/// `release.json` beside the files of a release, as image builds leave it. One with an image alone may name it by `image`, `sha256`,
/// `compression`, `compressedBytes` and `rawBytes` at its top.
struct ReleaseFile {
    var os: String
    var version: String
    var architecture: String
    /// Nil: the best one that there are files for.
    var route: InstallRoute?
    var artifacts: [ArtifactRole: LocalFile]
    /// Of files that the daemon fetches from a registry.
    var references: [ArtifactRole: String]
    var parameters: [String: String]?
    var minimumDiskBytes: Int64

    struct LocalFile: Sendable {
        var path: String
        var artifact: Artifact
    }

    private struct Content: Decodable {
        struct File: Decodable {
            /// File name, beside this file; or a reference such as `oci://REGISTRY/REPOSITORY@sha256:HEX`, by itself.
            var file: String
            var sha256: String?
            var bytes: Int64?
            var compression: InstallOrder.Compression?
            var rawBytes: Int64?
        }

        var os: String
        var version: String
        var architecture: String
        var route: InstallRoute?
        var parameters: [String: String]?
        var minimumDiskBytes: Int64?
        var artifacts: [ArtifactRole: File]?
        var image: String?
        var sha256: String?
        var compression: InstallOrder.Compression?
        var compressedBytes: Int64?
        var rawBytes: Int64?
    }

    /// A file itself, or every release.json in a folder and below.
    /// - Throws: ``ClientError`` when there is none.
    static func files(_ path: String) throws -> [String] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
            return [path]
        }
        let found = (FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? [])
            .filter { $0.split(separator: "/").last == "release.json" }.sorted()
        guard !found.isEmpty else { throw ClientError("there is no release.json in \(path), nor below") }
        return found.map { path + "/" + $0 }
    }

    /// - Throws: ``ClientError``.
    static func read(_ file: String) throws -> Self {
        let content: Content
        do {
            content = try JSONDecoder().decode(Content.self, from: Data(contentsOf: URL(fileURLWithPath: file)))
        } catch {
            throw ClientError("the release file \(file) cannot be read: \(error)")
        }
        var files = content.artifacts ?? [:]
        if let image = content.image {
            guard let sha256 = content.sha256, let bytes = content.compressedBytes else {
                throw ClientError("\(file): an image has its sha256 and compressedBytes beside it")
            }
            files[.image] = .init(
                file: image, sha256: sha256, bytes: bytes, compression: content.compression, rawBytes: content.rawBytes)
        }
        guard !files.isEmpty else { throw ClientError("\(file) names no files: neither artifacts nor image") }
        let folder = URL(fileURLWithPath: file).deletingLastPathComponent()
        let references = files.filter { OCIReference.isOne($0.value.file) }
        for (role, named) in references {
            guard named.sha256 == nil, named.bytes == nil, named.compression == nil, named.rawBytes == nil else {
                throw ClientError(
                    "\(file): the digest of \(role.rawValue) stands in its reference, and nothing beside it")
            }
            do {
                _ = try OCIReference(parsing: named.file)
            } catch {
                throw ClientError("\(file): \(error)")
            }
        }
        let artifacts = try files.filter { references[$0.key] == nil }.map { role, named in
            guard !named.file.contains("/") else {
                throw ClientError("\(file): \(named.file) is not a file name, but a path")
            }
            guard let sha256 = named.sha256, let bytes = named.bytes else {
                throw ClientError("\(file): \(role.rawValue) has its sha256 and bytes beside it")
            }
            let artifact = Artifact(
                sha256: sha256, bytes: bytes, compression: named.compression ?? .none,
                rawBytes: named.rawBytes, name: named.file)
            return (role, LocalFile(path: folder.appendingPathComponent(named.file).path, artifact: artifact))
        }
        return Self(
            os: content.os, version: content.version, architecture: content.architecture, route: content.route,
            artifacts: Dictionary(artifacts) { $1 }, references: references.mapValues(\.file),
            parameters: content.parameters,
            minimumDiskBytes: content.minimumDiskBytes ?? 0)
    }
}
