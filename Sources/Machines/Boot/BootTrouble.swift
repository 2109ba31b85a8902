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
    /// It asked for a file or a script that is not there.
    case notFound(BootTraceEvent.Transport, file: String)
}
