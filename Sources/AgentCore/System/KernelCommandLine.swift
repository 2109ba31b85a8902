import NetworkAddresses

/// The kernel's command line: what slipwayd told this boot.
public struct KernelCommandLine: Equatable, Sendable {
    /// Every argument with its value; the last of a name wins.
    public private(set) var values: [String: String] = [:]

    /// Reads the text of `/proc/cmdline`.
    public init(_ text: String) {
        for word in text.split(whereSeparator: { $0 == " " || $0 == "\n" || $0 == "\t" }) {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            values[String(parts[0])] = parts.count == 2 ? String(parts[1]) : ""
        }
    }

    /// Where and how to reach the daemon; nil when the command line does not say.
    public var server: (host: String, port: Int)? {
        guard let url = values["slipway.server"], url.hasPrefix("https://") else { return nil }
        let rest = url.dropFirst("https://".count).split(separator: ":")
        guard let host = rest.first.map(String.init), IPv4Address(host) != nil else { return nil }
        return (host, rest.count == 2 ? Int(rest[1]) ?? 8443 : 8443)
    }

    /// SHA-256 (hex) of the CA's public key.
    public var pin: String? {
        guard let text = values["slipway.ca"], text.hasPrefix("sha256:"), text.utf8.count == 71 else { return nil }
        return String(text.dropFirst("sha256:".count))
    }

    public var ticket: String? { values["slipway.ticket"] }
    /// The NIC that the firmware booted from.
    public var mac: MACAddress? { values["slipway.mac"].flatMap { MACAddress($0) } }
    /// The firmware's address, asked for again.
    public var address: IPv4Address? { values["slipway.address"].flatMap { IPv4Address($0) } }
    /// Where a copy of the console goes: `slipway.syslog=ADDRESS:PORT`.
    public var syslog: (address: IPv4Address, port: UInt16)? {
        guard let parts = values["slipway.syslog"]?.split(separator: ":"), parts.count == 2,
            let address = IPv4Address(String(parts[0])), let port = UInt16(parts[1])
        else { return nil }
        return (address, port)
    }

    /// 802.1Q tag, 1–4094.
    public var vlan: Int? { values["slipway.vlan"].flatMap { Int($0) }.flatMap { (1...4094).contains($0) ? $0 : nil } }
}
