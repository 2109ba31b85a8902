/// Where a resource of a service is: path and query of its URI (DSP0266 §6.2, §6.5).
///
/// Whatever a BMC says, a path leads to that BMC and nowhere else: `@odata.id` and `@odata.nextLink` that name another server, or
/// anything outside of `/redfish/`, make no path.
public struct ResourcePath: Hashable, Sendable, CustomStringConvertible {
    /// Percent-encoded: it can stand in a request line.
    public let rawValue: String

    public static let root = Self(unchecked: "/redfish/v1/")
    /// Where a service without links has it (DSP0266 §7.1.2).
    public static let sessions = Self(unchecked: "/redfish/v1/SessionService/Sessions")

    private init(unchecked: String) { rawValue = unchecked }

    /// A reference as it stands in a body (DSP0266 §6.6.2: absolute path). Its fragment is cut off.
    public init?(_ reference: String) {
        let path = reference.prefix { $0 != "#" }
        guard path.utf8.count <= 2048, path.hasPrefix("/redfish/") else { return nil }
        var encoded = ""
        for byte in path.utf8 {
            switch byte {
            case 0..<0x20, 0x7f: return nil
            case UInt8(ascii: "\\"): return nil
            case UInt8(ascii: " "), UInt8(ascii: "\""), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "^"),
                UInt8(ascii: "`"), UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: "}"), 0x80...:
                encoded += (byte < 0x10 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            default: encoded.unicodeScalars.append(Unicode.Scalar(byte))
            }
        }
        let segments = encoded.prefix { $0 != "?" }.split(separator: "/")
        guard encoded.utf8.count <= 2048, !segments.contains(where: { Self.dots.contains($0.lowercased()) }) else {
            return nil
        }
        rawValue = encoded
    }

    private static let dots: Set<String> = [".", "..", "%2e", "%2e%2e", ".%2e", "%2e."]

    /// A `Location` header (RFC 9110 §10.2.2), which may be absolute: iLO names itself by its host name there. Only path and query are used, so the
    /// next request goes where the last one went.
    public init?(location: String) {
        guard let scheme = location.range(of: "://") else {
            self.init(location)
            return
        }
        guard let start = location[scheme.upperBound...].firstIndex(of: "/") else { return nil }
        self.init(String(location[start...]))
    }

    /// With a query parameter more.
    public func adding(query: String) -> ResourcePath {
        Self(unchecked: rawValue + (rawValue.contains("?") ? "&" : "?") + query)
    }

    /// The last part of the path: what people know a member by.
    public var name: String { rawValue.prefix { $0 != "?" }.split(separator: "/").last.map(String.init) ?? rawValue }

    public var description: String { rawValue }

    /// The same resource is written with and without a slash at the end.
    public static func == (one: Self, other: Self) -> Bool { one.key == other.key }
    public func hash(into hasher: inout Hasher) { hasher.combine(key) }
    private var key: Substring { rawValue.count > 1 && rawValue.hasSuffix("/") ? rawValue.dropLast() : rawValue[...] }
}

extension StringProtocol {
    /// The first place of a text; FoundationEssentials has this too, but not in every toolchain.
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            formIndex(after: &start)
        }
        return nil
    }
}

extension JSON {
    /// The resource that a property links to; nil when it is not there or leads out of the service.
    public func link(_ property: String) -> ResourcePath? { self[property]?.path }

    /// The resources of a property that is an array of links.
    public func links(_ property: String) -> [ResourcePath] { (self[property]?.array ?? []).compactMap(\.path) }

    /// The resource's own place.
    public var path: ResourcePath? { self["@odata.id"]?.string.flatMap { ResourcePath($0) } }
}
