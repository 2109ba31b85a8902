import DHCP
import FoundationEssentials
import Inventory
import NetworkAddresses

/// One step of one boot as a boot service saw it. DHCP knows the MAC, TFTP and HTTP only the address.
public struct BootTraceEvent: Equatable, Codable, Sendable {
    public var time: Date
    public var mac: MACAddress?
    public var address: IPv4Address?
    /// Switch and port, as a DHCP relay told them.
    public var location: String?
    /// It was asked or answered by IPv6.
    public var isIPv6: Bool
    public var step: Step

    public init(
        time: Date = Date(), mac: MACAddress? = nil, address: IPv4Address? = nil, location: String? = nil,
        isIPv6: Bool = false, step: Step
    ) {
        (self.time, self.mac, self.address, self.location, self.step) = (time, mac, address, location, step)
        self.isIPv6 = isIPv6
    }

    public enum Step: Equatable, Codable, Sendable {
        case discover(stage: BootClient.Stage, architecture: ClientArchitecture?)
        /// `file` is the boot file name or URL in the answer, nil when it carries none.
        /// `form` is told for firmware that is offered a file beside another server's address.
        case offer(address: IPv4Address?, file: String?, form: ProxyForm? = nil)
        case request(stage: BootClient.Stage)
        case acknowledge(address: IPv4Address?, file: String?)
        /// - `signers`: the authorities behind an EFI program's signatures; none: nobody signed it; nil: it is none.
        case transferStarted(Transport, file: String, signers: [String]? = nil)
        case transferFinished(
            Transport, file: String, bytes: Int64, milliseconds: Int64, retransmissions: Int, outcome: String)
        /// An iPXE script left; `name` is the template's.
        case script(name: String)
        /// A line of its console, by syslog.
        case console(String)
        /// The BMC was told what to start from next.
        case bootDevice(BootDevice)
        /// The agent opened its session.
        case session
        case trouble(BootTrouble)
    }

    public enum Transport: String, Codable, Sendable { case tftp, http }
}
