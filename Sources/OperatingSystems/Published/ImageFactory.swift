import FoundationEssentials
import Machines

/// An Image Factory of Talos: it makes a release's files for a schematic, which is the extensions and kernel arguments that somebody chose, and is known by
/// the SHA-256 of its canonical form. Source: siderolabs/image-factory, docs/api.md.
public struct ImageFactory: Equatable, Sendable {
    /// Sidero Labs' own, which tells no digests: those are for its paying users.
    public static let preset = "https://factory.talos.dev"

    public let url: String
    public let schematic: String

    /// - Throws: ``ConfigurationError`` for what is no URL of a factory, or no id of a schematic.
    public init(_ source: ReleaseFetch.Factory) throws(ConfigurationError) {
        let url = source.url.hasSuffix("/") ? String(source.url.dropLast()) : source.url
        let rest = ["https://", "http://"].first { url.hasPrefix($0) }.map { url.dropFirst($0.count) } ?? ""
        // Its host becomes part of the name of a container image, its rest of URLs.
        guard !rest.isEmpty, rest.utf8.count <= 255, rest.utf8.allSatisfy(Self.isPartOfHost) else {
            throw ConfigurationError(
                field: "factory.url", reason: "\(source.url.debugDescription) is not a URL such as \(Self.preset)")
        }
        let schematic = source.schematic.lowercased()
        guard FileDigest(hex: schematic)?.algorithm == .sha256 else {
            throw ConfigurationError(
                field: "factory.schematic",
                reason: "\(source.schematic.debugDescription) is not the id of a schematic, which is 64 hex digits")
        }
        (self.url, self.schematic) = (url, schematic)
    }

    private static func isPartOfHost(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20) || ".-:".utf8.contains(byte)
    }

    /// `HOST` or `HOST:PORT`: it is a registry of container images as well.
    public var host: String { String(url.split(separator: "/").last ?? "") }

    /// What a person does where the factory has no such files.
    public var advice: String {
        "a factory knows a schematic once it was sent to it, and answers its id: `curl --data-binary @schematic.yaml \(url)/schematics`"
    }

    func release(version: String, architecture: String) -> PublishedRelease {
        let base = "\(url)/image/\(schematic)/v\(version)"
        func file(_ role: ArtifactRole, _ name: String) -> PublishedFile {
            .init(role, "\(base)/\(name)", digests: "\(base)/\(name).sha256")
        }
        return PublishedRelease(
            files: [
                file(.kernel, "kernel-\(architecture)"), file(.initrd, "initramfs-\(architecture).xz"),
            ],
            parameters: [
                "installer_image": "\(host)/metal-installer/\(schematic):v\(version)", "schematic": schematic,
            ])
    }
}

extension OperatingSystem {
    /// What its makers publish of a version, or a factory makes of it; nil: neither does.
    public func published(version: String, architecture: String, by factory: ImageFactory?) -> PublishedRelease? {
        guard let published = published(version: version, architecture: architecture) else { return nil }
        guard let factory else { return published }
        return name == "talos" ? factory.release(version: version, architecture: architecture) : nil
    }
}
