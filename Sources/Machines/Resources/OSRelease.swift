import FoundationEssentials

/// An operating system, a version and an architecture, with its files.
public struct OSRelease: Codable, Equatable, Sendable, Identifiable {
    public static let kind = "os-release"

    public let id: String
    /// Unique, such as `reference-1.0`.
    public let name: String
    /// Which driver installs it, such as `slipway-reference`.
    public var os: String
    public var version: String
    /// `amd64` or `arm64`.
    public var architecture: String
    public var route: InstallRoute
    /// What machines fetch of it.
    public var artifacts: [ArtifactRole: Artifact]
    /// Settings of the driver, by its names for them.
    public var parameters: [String: String]
    /// Smallest disk it can be installed on, in bytes.
    public var minimumDiskBytes: Int64
    /// Nil: none.
    public var labels: [String: String]?
    /// Nil: a person sent it, with its digests.
    public var proof: ReleaseProof?
    /// Where kexec is forbidden its installer may be started by the machine's boot program: by plain HTTP, where a neighbour on the network can read the
    /// configuration with its secrets, and alter all of it. Nil: no.
    public var allowsPlainHTTP: Bool?
    public let createdAt: Date

    public init(
        id: String, name: String, os: String, version: String, architecture: String, route: InstallRoute = .image,
        artifacts: [ArtifactRole: Artifact], parameters: [String: String] = [:], minimumDiskBytes: Int64,
        labels: [String: String]? = nil, proof: ReleaseProof? = nil, createdAt: Date
    ) {
        (self.id, self.name, self.os, self.version, self.architecture) = (id, name, os, version, architecture)
        (self.route, self.artifacts, self.parameters) = (route, artifacts, parameters)
        (self.minimumDiskBytes, self.labels, self.proof, self.createdAt) = (minimumDiskBytes, labels, proof, createdAt)
    }

    /// It is the same but for when it was added, by what id, and who says so.
    public func isSame(as other: Self) -> Bool {
        (os, version, architecture, route, minimumDiskBytes)
            == (other.os, other.version, other.architecture, other.route, other.minimumDiskBytes)
            && artifacts == other.artifacts && parameters == other.parameters
    }
}

extension OSRelease {
    private struct FormerImage: Decodable {
        var sha256: String
        var compression: InstallOrder.Compression
        var compressedBytes: Int64
        var rawBytes: Int64
    }

    private enum Key: String, CodingKey {
        case id, name, os, version, architecture, route, artifacts, parameters, minimumDiskBytes, labels, proof,
            createdAt, allowsPlainHTTP,
            image
    }

    /// Releases of daemons that knew only images have one.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        var artifacts = try values.decodeIfPresent([ArtifactRole: Artifact].self, forKey: .artifacts) ?? [:]
        if let image = try values.decodeIfPresent(FormerImage.self, forKey: .image) {
            artifacts[.image] = Artifact(
                sha256: image.sha256, bytes: image.compressedBytes, compression: image.compression,
                rawBytes: image.rawBytes)
        }
        self.init(
            id: try values.decode(String.self, forKey: .id), name: try values.decode(String.self, forKey: .name),
            os: try values.decode(String.self, forKey: .os), version: try values.decode(String.self, forKey: .version),
            architecture: try values.decode(String.self, forKey: .architecture),
            route: try values.decodeIfPresent(InstallRoute.self, forKey: .route) ?? .image, artifacts: artifacts,
            parameters: try values.decodeIfPresent([String: String].self, forKey: .parameters) ?? [:],
            minimumDiskBytes: try values.decode(Int64.self, forKey: .minimumDiskBytes),
            labels: try values.decodeIfPresent([String: String].self, forKey: .labels),
            proof: try values.decodeIfPresent(ReleaseProof.self, forKey: .proof),
            createdAt: try values.decode(Date.self, forKey: .createdAt))
        allowsPlainHTTP = try values.decodeIfPresent(Bool.self, forKey: .allowsPlainHTTP)
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(id, forKey: .id)
        try values.encode(name, forKey: .name)
        try values.encode(os, forKey: .os)
        try values.encode(version, forKey: .version)
        try values.encode(architecture, forKey: .architecture)
        try values.encode(route, forKey: .route)
        try values.encode(artifacts, forKey: .artifacts)
        try values.encode(parameters, forKey: .parameters)
        try values.encode(minimumDiskBytes, forKey: .minimumDiskBytes)
        try values.encodeIfPresent(labels, forKey: .labels)
        try values.encodeIfPresent(proof, forKey: .proof)
        try values.encodeIfPresent(allowsPlainHTTP, forKey: .allowsPlainHTTP)
        try values.encode(createdAt, forKey: .createdAt)
    }
}
