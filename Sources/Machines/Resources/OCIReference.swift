/// A file in a registry of the OCI distribution specification (version 1.1): `oci://REGISTRY/REPOSITORY@sha256:HEX#TITLE`.
///
/// `oci+http://` is one without TLS; what comes is what the digest says all the same. A tag before the `@` is for people only.
public struct OCIReference: Equatable, Sendable, CustomStringConvertible {
    /// By https.
    public var isEncrypted: Bool
    /// Host, and port where it has one.
    public var registry: String
    /// Its name there, such as `siderolabs/talos`.
    public var repository: String
    public var tag: String?
    /// Of a manifest, or of an index of them; nil: whatever the tag means.
    public var digest: FileDigest?
    /// The layer's `org.opencontainers.image.title` (image specification, annotations); nil: there is one layer only.
    public var title: String?

    public static let schemes = ["oci://", "oci+http://"]

    /// Whether it is to be one.
    public static func isOne(_ text: String) -> Bool { schemes.contains { text.hasPrefix($0) } }

    /// - Throws: what is wrong with it, for a person.
    public init(parsing text: String) throws(OCIReferenceError) {
        guard let scheme = Self.schemes.first(where: { text.hasPrefix($0) }) else {
            throw .init(text, "it begins with neither oci:// nor oci+http://")
        }
        isEncrypted = scheme == "oci://"
        let parts = text.dropFirst(scheme.count).split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        title = parts.count == 2 ? String(parts[1]) : nil
        if let title, !Self.isTitle(title) { throw .init(text, "what stands behind # is no title of a file") }
        let pinned = parts[0].split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        if pinned.count == 2 {
            guard let digest = FileDigest(qualified: String(pinned[1])) else {
                throw .init(text, "what stands behind @ is no digest such as sha256:HEX")
            }
            self.digest = digest
        } else {
            digest = nil
        }
        guard let slash = pinned[0].firstIndex(of: "/") else { throw .init(text, "it names no repository") }
        registry = String(pinned[0][..<slash])
        var path = pinned[0][pinned[0].index(after: slash)...]
        if let colon = path.lastIndex(of: ":") {
            let tag = String(path[path.index(after: colon)...])
            guard Self.isTag(tag) else { throw .init(text, "\(tag.debugDescription) is no tag") }
            (self.tag, path) = (tag, path[..<colon])
        } else {
            tag = nil
        }
        repository = String(path)
        guard Self.isRegistry(registry) else { throw .init(text, "\(registry.debugDescription) is no registry") }
        guard repository.utf8.count <= 255,
            repository.split(separator: "/", omittingEmptySubsequences: false)
                .allSatisfy(Self.isComponent)
        else {
            throw .init(
                text,
                "\(repository.debugDescription) is no repository: it has lower-case letters, digits and . _ - between its /"
            )
        }
        guard digest != nil || tag != nil else { throw .init(text, "it has no digest: @sha256:HEX") }
    }

    public var description: String {
        (isEncrypted ? Self.schemes[0] : Self.schemes[1]) + registry + "/" + repository + (tag.map { ":" + $0 } ?? "")
            + (digest.map { "@" + $0.qualified } ?? "") + (title.map { "#" + $0 } ?? "")
    }

    /// Where its API is. Docker's own has another name than people use.
    public var origin: String {
        (isEncrypted ? "https://" : "http://") + (registry == "docker.io" ? "registry-1.docker.io" : registry)
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte)
    }

    private static func isComponent(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last else { return false }
        return isAlphanumeric(first) && isAlphanumeric(last)
            && text.utf8.allSatisfy { isAlphanumeric($0) || "._-".utf8.contains($0) }
    }

    private static func isTag(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count) && text.utf8.first.map { !".-".utf8.contains($0) } ?? false
            && text.utf8.allSatisfy { isAlphanumeric($0 | 0x20) || "._-".utf8.contains($0) }
    }

    private static func isRegistry(_ text: String) -> Bool {
        (1...255).contains(text.utf8.count)
            && text.utf8.allSatisfy { isAlphanumeric($0 | 0x20) || ".-:[]".utf8.contains($0) }
    }

    private static func isTitle(_ text: String) -> Bool {
        (1...255).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f }
    }
}

/// What is no reference, for a person.
public struct OCIReferenceError: Error, Equatable, CustomStringConvertible {
    public var description: String

    init(_ text: String, _ reason: String) { description = "\(text.debugDescription): \(reason)" }
}

extension FileDigest {
    /// `sha256:HEX` (OCI image specification, descriptors).
    public init?(qualified text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let digest = FileDigest(hex: parts[1]), digest.algorithm.rawValue == parts[0],
            digest.hex == parts[1]
        else { return nil }
        self = digest
    }

    public var qualified: String { algorithm.rawValue + ":" + hex }
}
