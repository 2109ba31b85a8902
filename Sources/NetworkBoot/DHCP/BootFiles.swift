import DHCP
import Inventory
import Machines
import NetworkAddresses

/// Which file each kind of client is told to boot.
public struct BootFiles: Equatable, Sendable {
    /// By architecture (option 93) without regard to HTTP: a file name for TFTP; UEFI HTTP clients get the same file's URL.
    public var programs: [ClientArchitecture: String]
    /// Port of the boot HTTP server.
    public var bootPort: Int
    /// Where firmware boots by HTTPS: it has the installation's CA among its own. iPXE goes on by plain HTTP.
    public var firmwareTLSPort: Int?
    /// Clients are told to send their syslog to the server (option 7 knows port 514 only).
    public var namesLogServer = false

    /// Files of Debian's `ipxe` package, and an operator's own for arm64. On UEFI the iPXE that uses the firmware's own
    /// network driver: the one with all drivers (`ipxe.efi`, 2019) never returns from `exit` on OVMF 2022.11, polling its
    /// receive queue for ever, so a machine would not reach its disk.
    public static let standard: [ClientArchitecture: String] = [
        .biosX86: "undionly.kpxe", .efiX64: "snponly.efi", .efiBC: "snponly.efi", .efiARM64: "grubaa64.efi",
    ]

    /// The first of a chain of signed programs, for firmware in Secure Boot mode: Debian's shim starts Debian's GRUB.
    public static let signed: [ClientArchitecture: String] = [.efiX64: "shimx64.efi", .efiBC: "shimx64.efi"]

    /// Debian's signed GRUB for the network, by the name under which shim asks for it.
    public static let grub: [ClientArchitecture: String] = [.efiX64: "grubx64.efi", .efiBC: "grubx64.efi"]

    /// Debian's package has it as a link into /boot.
    public static let linked: Set<String> = ["ipxe.efi"]

    /// - Parameter programs: an operator's own, beside the standard ones or in place of them.
    public init(bootPort: Int, programs: [ClientArchitecture: String] = [:]) {
        self.bootPort = bootPort
        self.programs = Self.standard.merging(programs) { $1 }
    }

    /// Whether there is something to boot for a network boot's architecture.
    func hasProgram(for question: BootQuestion, _ program: BootProgram = .standard) -> Bool {
        question.isIPXE || self.program(program, for: question) != nil
    }

    /// The name or URL for this client; nil when it wants none or there is none for it.
    /// - Parameters:
    ///   - program: which of the programs, for firmware.
    ///   - host: an address of ours that the client reaches, as a URL has it.
    func file(for question: BootQuestion, _ program: BootProgram = .standard, host: String) -> String? {
        guard question.isNetworkBoot else { return nil }
        if question.isIPXE {
            var query = "mac=\(question.mac)"
            if let architecture = question.architecture { query += "&arch=\(architecture.rawValue)" }
            if let uuid = question.uuid {
                query += "&uuid=" + uuid.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            }
            return "\(url(host))/boot/ipxe?\(query)"
        }
        guard let name = self.program(program, for: question) else { return nil }
        guard question.isHTTPClient else { return name }
        let base = firmwareTLSPort.map { "https://\(host):\($0)" } ?? url(host)
        return "\(base)/boot/files/\(name)"
    }

    /// See ``file(for:_:host:)``.
    public func file(for message: Message, _ program: BootProgram = .standard, server: IPv4Address) -> String? {
        message.bootQuestion.flatMap { file(for: $0, program, host: server.description) }
    }

    private func program(_ program: BootProgram, for question: BootQuestion) -> String? {
        // A BIOS older than RFC 4578 sends no option 93.
        let architecture = (question.architecture ?? .biosX86).withoutHTTP
        return switch program {
        case .standard: programs[architecture]
        case .signed: Self.signed[architecture] ?? programs[architecture]
        case .grub: Self.grub[architecture] ?? programs[architecture]
        case .file(let name): name
        }
    }

    private func url(_ host: String) -> String { "http://\(host):\(bootPort)" }
}

/// What a client says of itself that decides which file it is told, by either version of IP.
struct BootQuestion: Equatable, Sendable {
    var mac: MACAddress
    /// In the order of SMBIOS.
    var uuid: [UInt8]?
    var architecture: ClientArchitecture?
    var isIPXE: Bool
    var isHTTPClient: Bool
    var isNetworkBoot: Bool
}

extension Message {
    /// UEFI HTTP boot: wants a URL, and `HTTPClient` in the answer's option 60.
    var isHTTPClient: Bool { options.value(.vendorClass)?.starts(with: "HTTPClient".utf8) ?? false }

    var bootQuestion: BootQuestion? {
        mac.map {
            BootQuestion(
                // Only iPXE's URL carries it.
                mac: $0, uuid: isIPXE ? machineUUID : nil, architecture: architecture, isIPXE: isIPXE,
                isHTTPClient: isHTTPClient,
                isNetworkBoot: isNetworkBoot)
        }
    }

    /// The client as the boot director sees it.
    func bootClient(address: IPv4Address? = nil) -> BootClient? {
        guard let mac, !mac.isMulticast else { return nil }
        let stage: BootClient.Stage =
            if isIPXE { .ipxe } else if isNetworkBoot {
                .firmware
            } else if vendorClass == BootClient.Stage.agentVendorClass {
                .agent
            } else { .system }
        return BootClient(
            mac: mac, uuid: machineUUID.flatMap { .init(smbios: $0) }, architecture: architecture, stage: stage,
            address: address ?? (ciaddr == .unspecified ? nil : ciaddr))
    }
}
