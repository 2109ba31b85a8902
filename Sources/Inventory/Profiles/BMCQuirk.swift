/// What a machine's BMC is known to do otherwise than its specification says, and does not show by its answers: what it shows is found out
/// without a word. Each has the hardware that it was reported of, and where.
public enum BMCQuirk: String, Codable, Sendable, CaseIterable {
    /// IPMI is used although the Redfish service root answers. Dell PowerEdge R430, iDRAC 8 2.83.83.83: behind the root the resources could
    /// not be had (github.com/dell/iDRAC-Redfish-Scripting, issue 214).
    case noRedfish = "no-redfish"
    /// IPMI sessions are opened with cipher suite 3 at once. It lists suite 17, and refuses a session by it with "no matching cipher suite"
    /// (github.com/ipmitool/ipmitool, issue 363). Supermicro X9SRi-F, ASUS Z10PA-U8 and Intel S1200V3RPL take no other (Hetzner Docs,
    /// "Serial over LAN").
    case cipherSuite3 = "cipher-suite-3"
    /// Commands are spaced: it hangs under many of them. HPE iLO (RackN Docs, parameter hpe-ilorest-sleep-time); some IPMI BMCs crash when asked
    /// more often than every 5 s (OpenStack Ironic, option ipmi.min_command_interval).
    case slow
}

/// What a profile says of its machines' BMCs.
public struct BMCPreferences: Equatable, Sendable {
    /// In the order of ``BMCQuirk``, each once.
    public var quirks: [BMCQuirk] {
        didSet { quirks = Self.ordered(quirks) }
    }
    /// How long a chassis may take to do as it was told; nil: what is usual.
    public var powerSettle: Duration?

    public init(quirks: [BMCQuirk] = [], powerSettle: Duration? = nil) {
        (self.quirks, self.powerSettle) = (Self.ordered(quirks), powerSettle)
    }

    public func has(_ quirk: BMCQuirk) -> Bool { quirks.contains(quirk) }

    private static func ordered(_ quirks: [BMCQuirk]) -> [BMCQuirk] { BMCQuirk.allCases.filter { quirks.contains($0) } }
}
