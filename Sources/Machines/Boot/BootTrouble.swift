import DHCP
import NetworkAddresses

/// What a boot service saw that a boot does not survive, or need not.
public enum BootTrouble: Hashable, Codable, Sendable {
    /// There is no boot program for this kind of client.
    case noProgram(ClientArchitecture)
    /// It is not to be served, by policy or by its phase.
    case ignored
    /// Every address of its subnet is taken.
    case noFreeAddress
    /// It took the offer of another DHCP server.
    case chose(server: IPv4Address)
    /// It asked for an address that it may not have.
    case refusedAddress(IPv4Address, reason: String)
    /// It found somebody else at the address it was given.
    case addressInUse(IPv4Address)
    /// An iPXE that was built without HTTP.
    case noHTTP
    /// It asked for its file over TLS and did not come to an agreement; why, as the TLS library calls it.
    case tls(reason: String)
    /// It asked for a file or a script that is not there. Made by ``missing(_:_:)`` only.
    case notFound(BootTraceEvent.Transport, file: String)

    /// With the name made ``Swift/String/printable``.
    public static func missing(_ transport: BootTraceEvent.Transport, _ name: String) -> BootTrouble {
        .notFound(transport, file: name.printable)
    }
}

extension String {
    /// A text as a stranger wrote it, made fit for a person's terminal: printable ASCII, at most 200 characters.
    public var printable: String {
        String(
            String.UnicodeScalarView(
                unicodeScalars.prefix(200).map { (0x20...0x7e).contains($0.value) ? $0 : "?" }))
    }
}
