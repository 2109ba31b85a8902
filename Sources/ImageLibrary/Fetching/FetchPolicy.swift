import Foundation
import NetworkAddresses

/// Where images may be fetched from, and how much of them.
public struct FetchPolicy: Sendable {
    /// Also from addresses that are not of the public Internet: a mirror of one's own.
    public var allowsPrivateAddresses: Bool
    /// Bytes of one file.
    public var maximumBytes: Int64
    /// Bytes of a disk image, unpacked.
    public var maximumImageBytes: Int64
    /// Seconds that one file may take.
    public var seconds: Int64
    /// Of `http_proxy`, `https_proxy` and `no_proxy`, as curl reads them.
    public var environment: [String: String]

    public init(
        allowsPrivateAddresses: Bool = false, maximumBytes: Int64 = 32 << 30, maximumImageBytes: Int64 = 256 << 30,
        seconds: Int64 = 6 * 3600, environment: [String: String] = [:]
    ) {
        self.maximumImageBytes = maximumImageBytes
        (self.allowsPrivateAddresses, self.maximumBytes) = (allowsPrivateAddresses, maximumBytes)
        (self.seconds, self.environment) = (seconds, environment)
    }

    /// The parts of a URL that may be asked.
    struct Target: Equatable {
        var scheme: String
        var host: String
        var port: Int
    }

    /// - Throws: ``FetchError`` for what is no URL of http or https, or has a user in it.
    static func target(_ text: String) throws -> Target {
        guard let url = URLComponents(string: text), let scheme = url.scheme?.lowercased(), let host = url.host,
            !host.isEmpty
        else { throw FetchError("\(text.debugDescription) is no URL") }
        guard ["http", "https"].contains(scheme) else {
            throw FetchError("\(scheme): is not fetched from, only http: and https:")
        }
        guard url.user == nil, url.password == nil else {
            throw FetchError("a URL with a user's name in it would be logged: use a mirror that asks for none")
        }
        let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        return Target(scheme: scheme, host: bare, port: url.port ?? (scheme == "https" ? 443 : 80))
    }

    /// - Throws: ``FetchError`` for an address that may not be asked.
    func check(_ address: IPAddress, of host: String) throws {
        guard allowsPrivateAddresses || Self.isPublic(address) else {
            throw FetchError(
                "\(host) is \(address), which is not of the public Internet: say `fetch_from_private_addresses: true` in slipwayd.yaml to fetch from it"
            )
        }
    }

    /// Neither of a private network nor of this host, this link, documentation, multicast and the like (RFC 6890, RFC 4291 section 2.5.5.2).
    static func isPublic(_ address: IPAddress) -> Bool {
        let bytes = address.bytes
        if address.isIPv6 {
            // ::ffff:a.b.c.d and 64:ff9b::a.b.c.d are what they stand for.
            let mapped = Array(repeating: UInt8(0), count: 10) + [0xff, 0xff]
            let translated: [UInt8] = [0, 0x64, 0xff, 0x9b] + Array(repeating: 0, count: 8)
            if Array(bytes[..<12]) == mapped || Array(bytes[..<12]) == translated {
                return isPublic(v4: Array(bytes[12...]))
            }
            // 2000::/3 is all that is given out; 2001:db8::/32 is for documentation.
            return bytes[0] & 0xe0 == 0x20 && Array(bytes[..<4]) != [0x20, 0x01, 0x0d, 0xb8]
        }
        return isPublic(v4: bytes)
    }

    private static func isPublic(v4 bytes: [UInt8]) -> Bool {
        switch (bytes[0], bytes[1]) {
        case (0, _), (10, _), (127, _), (169, 254), (172, 16...31), (192, 168), (100, 64...127), (198, 18...19): false
        case (192, 0): ![0, 2].contains(bytes[2])
        case (198, 51): bytes[2] != 100
        case (203, 0): bytes[2] != 113
        case (224..., _): false
        default: true
        }
    }

    /// The proxy for a target, as curl(1) chooses it; nil: none.
    func proxy(for target: Target) throws -> Target? {
        func value(_ name: String) -> String? {
            (environment[name] ?? environment[name.uppercased()]).flatMap { $0.isEmpty ? nil : $0 }
        }
        let excluded = (value("no_proxy") ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        let host = target.host.lowercased()
        for entry in excluded {
            let name = entry.lowercased().drop { $0 == "." }
            if entry == "*" || host == name || host.hasSuffix("." + name) { return nil }
        }
        guard let text = value(target.scheme + "_proxy") else { return nil }
        return try Self.target(text.contains("://") ? text : "http://" + text)
    }
}

/// Why a file was not fetched, for a person.
public struct FetchError: Error, Equatable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) { self.description = description }
}
