import Foundation
import Machines

/// A manifest or an index of manifests (OCI image specification 1.1; Docker's of schema 2 have the same fields), as much of it as says where a file is.
enum OCIManifest: Equatable {
    /// Bytes of one: what registries take (distribution specification, "Pushing Manifests").
    static let limit = 4 << 20

    static let mediaTypes = [
        "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    ]

    case layers([OCIDescriptor], isContainerImage: Bool)
    case index([OCIDescriptor])

    private struct Content: Decodable {
        struct Config: Decodable { var mediaType: String? }

        var schemaVersion: Int
        var config: Config?
        var layers: [OCIDescriptor]?
        var manifests: [OCIDescriptor]?
    }

    /// - Throws: ``FetchError``.
    init(_ bytes: Data) throws {
        guard let content = try? JSONDecoder().decode(Content.self, from: bytes), content.schemaVersion == 2 else {
            throw FetchError("it is no manifest of an OCI artifact")
        }
        switch (content.layers, content.manifests) {
        case (let layers?, nil):
            let containers = [
                "application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json",
            ]
            self = .layers(layers, isContainerImage: containers.contains(content.config?.mediaType ?? ""))
        case (nil, let manifests?): self = .index(manifests)
        // One that is both means one thing here and another there.
        default: throw FetchError("it is no manifest of an OCI artifact: it has to have layers or manifests")
        }
    }

    /// The manifest for Linux on a machine.
    /// - Throws: ``FetchError``.
    static func manifest(in index: [OCIDescriptor], architecture: String) throws -> OCIDescriptor {
        let fitting = index.filter { $0.platform?.os == "linux" && $0.platform?.architecture == architecture }
        guard let found = fitting.first else {
            let known = index.compactMap { $0.platform.map { "\($0.os)/\($0.architecture)" } }.prefix(10)
            throw FetchError(
                "the index has nothing for linux/\(architecture), only \(known.isEmpty ? "what is for no platform" : known.joined(separator: ", "))"
            )
        }
        guard fitting.count == 1 else {
            throw FetchError("the index has several for linux/\(architecture): name one of them by its digest")
        }
        return found
    }

    /// The layer that is the file.
    /// - Throws: ``FetchError``.
    static func layer(in layers: [OCIDescriptor], title: String?, isContainerImage: Bool) throws -> OCIDescriptor {
        let titles = layers.compactMap(\.title).prefix(20).joined(separator: ", ")
        if let title {
            let fitting = layers.filter { $0.title == title }
            guard let found = fitting.first, fitting.count == 1 else {
                throw FetchError(
                    "it has \(fitting.count) files called \(title); there is \(titles.isEmpty ? "none with a title" : titles)"
                )
            }
            return found
        }
        guard let only = layers.first, layers.count == 1 else {
            throw FetchError(
                layers.isEmpty
                    ? "it has no files"
                    : "it has \(layers.count) files: say which behind #, of \(titles.isEmpty ? "which none has a title" : titles)"
            )
        }
        guard only.title != nil || !isContainerImage else {
            throw FetchError("it is a container image, whose layers are file systems, and no file")
        }
        return only
    }
}

/// What points to something in a registry (OCI image specification, descriptors).
struct OCIDescriptor: Equatable, Decodable {
    struct Platform: Equatable, Decodable {
        var os: String
        var architecture: String
    }

    var digest: FileDigest
    /// Bytes.
    var size: Int64
    var platform: Platform?
    var title: String?

    private enum Key: String, CodingKey { case digest, size, platform, annotations }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        let text = try values.decode(String.self, forKey: .digest)
        size = try values.decode(Int64.self, forKey: .size)
        guard let digest = FileDigest(qualified: text), size >= 0 else {
            throw DecodingError.dataCorruptedError(forKey: .digest, in: values, debugDescription: "no descriptor")
        }
        self.digest = digest
        platform = try values.decodeIfPresent(Platform.self, forKey: .platform)
        let annotations = try values.decodeIfPresent([String: String].self, forKey: .annotations)
        title = annotations?["org.opencontainers.image.title"]
    }
}
