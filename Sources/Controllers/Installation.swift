import Crypto
import FoundationEssentials
import Inventory
import Machines

/// What is one and the same for the whole installation: its addresses, keys and policy.
public struct Installation: Sendable {
    /// `https://10.77.0.1:8443`, as machines reach the daemon.
    public var apiURL: String
    /// `http://10.77.0.1:8080`, as machines reach the boot HTTP server.
    public var bootURL: String
    /// PEM of the installation's CA.
    public var certificateAuthority: String
    /// `sha256:…` of the CA's public key.
    public var certificateAuthorityPin: String
    /// Signs orders.
    public var orderKey: Curve25519.Signing.PrivateKey
    /// Signs wipe certificates, and nothing else.
    public var certificateKey: Curve25519.Signing.PrivateKey
    /// What people call it; on certificates.
    public var name: String
    /// Seals secrets at rest.
    public var secretKey: SymmetricKey
    public var admission: BootAdmission
    /// What there is to boot beside iPXE.
    public var offerings: BootOfferings
    /// Kernel arguments of every agent; those of a machine's profile come after them, and win.
    public var agentArguments: [KernelArgument]
    /// Where agents send a copy of their console, `10.77.0.1:514`; nil: nowhere.
    public var syslog: String?
    /// Where Talos machines send their events, `10.77.0.1:3247`; nil: nobody listens.
    public var talosEvents: String?
    /// Longest time an agent's orders call is held open, in seconds.
    public var pollSeconds: Int
    /// Seconds without an order after which an agent powers its machine off; 0: never.
    public var idleSeconds: Int
    /// Who else has the image library's files.
    public var mirrors: [ImageMirror]

    public init(
        apiURL: String, bootURL: String, certificateAuthority: String, certificateAuthorityPin: String,
        orderKey: Curve25519.Signing.PrivateKey, certificateKey: Curve25519.Signing.PrivateKey,
        name: String = "slipway",
        secretKey: SymmetricKey, admission: BootAdmission,
        offerings: BootOfferings = BootOfferings(), agentArguments: [KernelArgument] = [], syslog: String? = nil,
        talosEvents: String? = nil, pollSeconds: Int = 30,
        idleSeconds: Int = 3600, mirrors: [ImageMirror] = []
    ) {
        (self.apiURL, self.bootURL) = (apiURL, bootURL)
        (self.certificateAuthority, self.certificateAuthorityPin) = (certificateAuthority, certificateAuthorityPin)
        (self.orderKey, self.secretKey, self.admission) = (orderKey, secretKey, admission)
        (self.certificateKey, self.name) = (certificateKey, name)
        (self.offerings, self.agentArguments, self.syslog) = (offerings, agentArguments, syslog)
        (self.talosEvents, self.mirrors) = (talosEvents, mirrors)
        (self.pollSeconds, self.idleSeconds) = (pollSeconds, idleSeconds)
    }
}
