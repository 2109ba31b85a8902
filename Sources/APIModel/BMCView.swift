import FoundationEssentials
import Machines

/// A machine's BMC; its password is never shown.
public struct BMCView: Codable, Sendable {
    public var address: String
    public var port: Int?
    /// What it is controlled by; absent until it was asked.
    public var kind: BMCKind?
    public var verification: BMCVerification
    public var username: String?
    /// The certificate that is believed.
    public var certificate: BMCCertificate?
    public var pinnedAt: Date?
    public var description: BMCDescription?

    public init(_ endpoint: Machine.BMCEndpoint, _ status: Machine.BMCStatus?) {
        (address, port, username) = (endpoint.address, endpoint.port, endpoint.username)
        kind = endpoint.kind ?? status?.kind
        verification = endpoint.verification ?? .firstUse
        (certificate, pinnedAt, description) = (status?.certificate, status?.pinnedAt, status?.description)
    }

    /// In one line: `10.0.0.9 redfish, Dell iDRAC 9 6.10`.
    public var summary: String {
        let place = port.map { "\(address):\($0)" } ?? address
        let what = [description?.vendor, description?.model, description?.firmware].compactMap { $0 }
            .joined(separator: " ")
        return [[place, kind?.rawValue].compactMap { $0 }.joined(separator: " "), what].filter { !$0.isEmpty }
            .joined(separator: ", ")
    }
}

/// `POST /api/v1/machines/{id}/bmc/trust`: the certificate that a person has compared.
public struct BMCTrustRequest: Codable, Sendable {
    public var sha256: String

    public init(sha256: String) { self.sha256 = sha256 }
}

/// `POST /api/v1/machines/{id}/bmc/password`; without a password a random one is made. It is not answered back.
public struct BMCPasswordRequest: Codable, Sendable {
    public var password: String?

    public init(password: String?) { self.password = password }
}

/// `POST /api/v1/machines/{id}/bmc/set-up`: the agent makes a user in the BMC, with a random password.
public struct BMCSetUpRequest: Codable, Sendable {
    public var username: String

    public init(username: String) { self.username = username }
}

/// `POST /api/v1/machines/{id}/bmc/lan`: the BMC gets its address by DHCP, or has this one.
public struct BMCNetworkRequest: Codable, Sendable {
    /// Then the three others are absent.
    public var dhcp: Bool?
    public var address: String?
    public var netmask: String?
    public var gateway: String?
    /// It may get another address than it has.
    public var moves: Bool?

    public init(
        dhcp: Bool? = nil, address: String? = nil, netmask: String? = nil, gateway: String? = nil, moves: Bool? = nil
    ) {
        (self.dhcp, self.address, self.netmask) = (dhcp, address, netmask)
        (self.gateway, self.moves) = (gateway, moves)
    }
}

/// How a BMC's LAN was set before, and how it is now.
public struct BMCNetworkChange: Codable, Sendable {
    public var before: BMCNetwork
    public var after: BMCNetwork

    public init(before: BMCNetwork, after: BMCNetwork) { (self.before, self.after) = (before, after) }
}

/// `POST /api/v1/machines/{id}/identify`.
public struct IdentifyRequest: Codable, Sendable {
    public var light: IdentifyLight

    public init(light: IdentifyLight) { self.light = light }
}

/// `POST /api/v1/machines/{id}/virtual-media`; without a URL the medium is taken out.
public struct VirtualMediaRequest: Codable, Sendable {
    public var url: String?

    public init(url: String?) { self.url = url }
}

/// Done, and nothing to tell.
public struct DoneView: Codable, Sendable {
    public init() {}
}
