import FoundationEssentials

/// An operating system, a version and an architecture, with its image.
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
    public var image: Image
    /// Smallest disk it can be installed on, in bytes.
    public var minimumDiskBytes: Int64
    /// Nil: none.
    public var labels: [String: String]?
    public let createdAt: Date

    public init(
        id: String, name: String, os: String, version: String, architecture: String, image: Image,
        minimumDiskBytes: Int64, labels: [String: String]? = nil, createdAt: Date
    ) {
        self.labels = labels
        (self.id, self.name, self.os, self.version, self.architecture) = (id, name, os, version, architecture)
        (self.image, self.minimumDiskBytes, self.createdAt) = (image, minimumDiskBytes, createdAt)
    }

    public struct Image: Codable, Equatable, Sendable {
        /// SHA-256 of the compressed file, 64 hex digits; its name in the image library.
        public var sha256: String
        public var compression: InstallOrder.Compression
        public var compressedBytes: Int64
        public var rawBytes: Int64

        public init(
            sha256: String, compression: InstallOrder.Compression, compressedBytes: Int64, rawBytes: Int64
        ) {
            (self.sha256, self.compression) = (sha256, compression)
            (self.compressedBytes, self.rawBytes) = (compressedBytes, rawBytes)
        }
    }
}
