import FoundationEssentials

/// A release on its way into the library from where its makers publish it. It survives the daemon.
public struct ReleaseFetch: Codable, Equatable, Sendable, Identifiable {
    public static let kind = "release-fetch"

    public enum State: String, Codable, Sendable { case running, succeeded, failed }

    public let id: String
    /// Name of the release that it becomes.
    public let name: String
    public let os: String
    public let version: String
    public let architecture: String
    /// Nil: the best that there are files for.
    public let route: InstallRoute?
    /// Nil: as the system's makers publish it.
    public let factory: Factory?
    /// What a person says that files have, by their names: it stands in for what is published beside them.
    public let digests: [String: FileDigest]?
    public let requestedBy: String
    public let createdAt: Date
    public var state = State.running
    public var files: [File]
    /// What a person says of it; nil: its files are where its makers publish them, and so is the rest.
    public var details: Details?
    public var error: String?
    public var finishedAt: Date?

    public struct Details: Codable, Equatable, Sendable {
        public var parameters: [String: String]
        public var minimumDiskBytes: Int64

        public init(parameters: [String: String], minimumDiskBytes: Int64) {
            (self.parameters, self.minimumDiskBytes) = (parameters, minimumDiskBytes)
        }
    }

    /// Where Talos' files are made for a choice of extensions.
    public struct Factory: Codable, Equatable, Sendable {
        /// `https://HOST[:PORT]`.
        public var url: String
        /// Id of the schematic: 64 hex digits.
        public var schematic: String

        public init(url: String, schematic: String) { (self.url, self.schematic) = (url, schematic) }
    }

    public struct File: Codable, Equatable, Sendable {
        public var role: ArtifactRole
        /// Or an ``OCIReference``; empty: a person sent it.
        public var url: String
        /// What it became; nil: not yet.
        public var artifact: Artifact?
        /// The fingerprint of the key that signed it; nil: none was looked for.
        public var signer: String?

        public init(role: ArtifactRole, url: String, artifact: Artifact? = nil) {
            (self.role, self.url, self.artifact) = (role, url, artifact)
        }
    }

    public init(
        id: String, name: String, os: String, version: String, architecture: String, route: InstallRoute?,
        files: [File], details: Details? = nil, factory: Factory? = nil, digests: [String: FileDigest]? = nil,
        requestedBy: String, createdAt: Date
    ) {
        self.details = details
        (self.id, self.name, self.os, self.version) = (id, name, os, version)
        (self.architecture, self.route, self.files) = (architecture, route, files)
        (self.factory, self.digests) = (factory, digests)
        (self.requestedBy, self.createdAt) = (requestedBy, createdAt)
    }
}
