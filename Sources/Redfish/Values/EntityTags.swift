/// The entity tags of a resource (DSP0266 §6.5; RFC 9110 §8.8.3): what a PATCH says in `If-Match`.
public struct EntityTags: Equatable, Sendable {
    /// Of the `ETag` header.
    public var header: String?
    /// Of `@odata.etag` in the body.
    public var body: String?

    public init(header: String? = nil, body: String? = nil) { (self.header, self.body) = (header, body) }

    /// What is tried, in order; nil is a PATCH without `If-Match`. The first is what the specification says. The others are for services that
    /// refuse with 412 what they gave themselves: the header's tag quoted twice and the body's right (ansible-collections/community.general pull
    /// request 3268), a weak tag compared without its `W/` (same, pull request 6434), one that wants any (`*`), one that takes none.
    public var candidates: [String?] {
        var tags: [String?] = []
        for tag in [header, body, header.map(Self.strong), body.map(Self.strong)] {
            guard let tag, Self.isPrintable(tag), !tags.contains(tag) else { continue }
            tags.append(tag)
        }
        // 428 Precondition Required comes from services that show no tag as well (stmcginnis/gofish issue 171: Lenovo SR655, AMI).
        return tags.isEmpty ? [nil, "*"] : tags + ["*", nil]
    }

    private static func strong(_ tag: String) -> String { tag.hasPrefix("W/") ? String(tag.dropFirst(2)) : tag }

    private static func isPrintable(_ tag: String) -> Bool {
        !tag.isEmpty && tag.utf8.count <= 256 && tag.utf8.allSatisfy { (0x20...0x7e).contains($0) }
    }
}
