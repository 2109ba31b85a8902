import NetworkAddresses

/// What a person says of a machine's BMC. Its password goes into the secret store.
public struct BMCSetting: Sendable, CustomStringConvertible {
    public var endpoint: Machine.BMCEndpoint
    public var password: String?

    public init(_ endpoint: Machine.BMCEndpoint, password: String?) {
        (self.endpoint, self.password) = (endpoint, password)
    }

    public var credentials: BMCCredentials? {
        guard let username = endpoint.username, let password else { return nil }
        return BMCCredentials(username: username, password: password)
    }

    public var description: String { "\(endpoint.username ?? "nobody")@\(endpoint.address)" }

    /// Longest user name and password that are taken.
    public static let longest = 128

    /// What is wrong with it: the field and a sentence. Nil when nothing is.
    public var fault: (field: String, reason: String)? {
        if endpoint.kind == BMCKind.none {
            return endpoint.address.isEmpty && endpoint.username == nil && password == nil
                ? nil : ("kind", "a machine without a BMC has no address, user or password of one")
        }
        guard IPv4Address(endpoint.address) != nil || IPv6Address(endpoint.address) != nil else {
            return ("address", "\(endpoint.address.debugDescription) is not an IP address")
        }
        if let port = endpoint.port, !(1...65535).contains(port) { return ("port", "a port is 1 to 65535") }
        if endpoint.kind == .wakeOnLAN {
            return endpoint.username == nil && password == nil
                ? nil : ("kind", "Wake-on-LAN knows no user and no password")
        }
        guard let username = endpoint.username, !username.isEmpty else { return ("username", "a user is missing") }
        guard let password, !password.isEmpty else { return ("password", "a password is missing") }
        guard username.utf8.count <= Self.longest, password.utf8.count <= Self.longest else {
            return ("username", "a user name or password has at most \(Self.longest) bytes")
        }
        guard !(username + password).unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f }) else {
            return ("username", "a user name or password has no control characters")
        }
        return nil
    }
}
