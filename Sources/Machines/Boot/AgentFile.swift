import DHCP

/// The processors that there are agents for, by Debian's names.
public enum AgentArchitecture: String, Sendable, CaseIterable {
    case amd64, arm64

    /// - Parameter client: what the boot client says it runs, nil when it says nothing: a BIOS older than RFC 4578.
    /// - Returns: nil when there is no agent for it. Firmware of 32 bits may have a processor of 64 below it.
    public init?(_ client: ClientArchitecture?) {
        switch client?.withoutHTTP {
        case nil, .biosX86, .efiX64, .efiBC, .efiIA32: self = .amd64
        case .efiARM64: self = .arm64
        default: return nil
        }
    }

    /// Where the agent's files are on the boot servers.
    public var path: String {
        switch self {
        case .amd64: "/agent"
        case .arm64: "/agent/arm64"
        }
    }
}

/// A file of the agent's boot image.
public struct AgentFile: Equatable, Sendable {
    /// Raw values are file names.
    public enum Name: String, Sendable, CaseIterable {
        case kernel = "vmlinuz"
        case initrd
    }

    public var name: Name
    public var architecture: AgentArchitecture

    public init(_ name: Name, _ architecture: AgentArchitecture = .amd64) {
        (self.name, self.architecture) = (name, architecture)
    }

    /// - Parameter path: by HTTP or TFTP; firmware joins paths carelessly, so empty parts count for nothing.
    public init?(path: String) {
        let parts = path.split(separator: "/")
        guard let last = parts.last, let name = Name(rawValue: String(last)),
            let architecture = AgentArchitecture.allCases.first(where: {
                $0.path.split(separator: "/") == parts.dropLast()
            })
        else { return nil }
        self.init(name, architecture)
    }

    public var path: String { architecture.path + "/" + name.rawValue }
}
