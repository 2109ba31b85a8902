import DHCP
import Glibc
import Inventory
import Machines
import NetworkAddresses

/// The templates of `ipxe-scripts/`, for iPXE and for GRUB, read once at start and rendered for one machine at a time. A template
/// can only be filled with values that cannot end a line or start a command.
public struct BootScripts: Sendable {
    /// One template for each kind of script.
    public enum Name: String, Sendable, CaseIterable {
        case agent
        case localDiskExit = "local-disk-exit"
        case localDiskExitFailure = "local-disk-exit-1"
        case localDiskSANBoot = "local-disk-sanboot"
        case installer
        case refuse
        /// What GRUB reads first, the same for all machines.
        case grub
        case grubAgent = "grub-agent"
        case grubLocalDisk = "grub-local-disk"
        case grubRefuse = "grub-refuse"

        var isGRUB: Bool { rawValue.hasPrefix("grub") }
        var file: String { rawValue + (isGRUB ? ".cfg" : ".ipxe") }
    }

    /// A script as it is sent.
    public struct Rendered: Equatable, Sendable {
        /// For the trace.
        public var name: String
        /// Nil: there is none, which is what is to be told.
        public var text: String?
    }

    private let templates: [Name: ScriptTemplate]

    /// - Throws: ``ScriptTemplateError`` naming file and line.
    public init(directory: String) throws {
        templates = try Dictionary(
            uniqueKeysWithValues: Name.allCases.map { name in
                let file = directory + "/" + name.file
                guard let source = BootFileDirectory(directory).open(name.file), let bytes = source.read() else {
                    throw ScriptTemplateError(file: file, line: nil, message: "the template cannot be read")
                }
                let text = String(decoding: bytes, as: UTF8.self)
                guard name.isGRUB || text.hasPrefix("#!ipxe\n") else {
                    throw ScriptTemplateError(file: file, line: 1, message: "an iPXE script begins with #!ipxe")
                }
                return (name, try ScriptTemplate(file: file, text: text, known: Self.known(name)))
            })
    }

    /// The first file of GRUB.
    public var grubConfiguration: String { text(.grub, [:]) }

    /// - Parameter client: whose stage says which language it reads, and whose architecture which firmware runs below.
    public func render(_ script: BootScript, for client: BootClient, bootURL: String) -> Rendered {
        client.stage == .grub ? grub(script, for: client) : ipxe(script, for: client, bootURL)
    }

    private func ipxe(_ script: BootScript, for client: BootClient, _ bootURL: String) -> Rendered {
        let isUEFI = client.architecture?.isUEFI ?? false
        switch script {
        case .agent(let arguments, let toDisk):
            let line = Self.line(arguments, quote: "")
            let image = Image(of: client)
            return rendered(
                .agent,
                [
                    "boot_url": bootURL, "agent": image.path, "consoles": image.consoles, "kernel_arguments": line,
                ], toDisk: toDisk)
        case .localDisk(let method, _):
            switch method {
            case .exit: return rendered(.localDiskExit, [:])
            case .exitFailure, .grub, .bmc, .agentKexec: return rendered(.localDiskExitFailure, [:])
            case .sanboot: return rendered(.localDiskSANBoot, [:])
            case .notFound: return Rendered(name: method.script, text: nil)
            }
        case .installer(let start):
            return rendered(
                .installer,
                [
                    "boot_url": bootURL, "kernel": start.kernel, "token": start.token,
                    "kernel_arguments": start.commandLine,
                ])
        case .refuse(let reason):
            return rendered(.refuse, ["reason": Self.printable(reason), "exit_status": isUEFI ? "1" : "0"])
        }
    }

    private func grub(_ script: BootScript, for client: BootClient) -> Rendered {
        switch script {
        case .agent(let arguments, let toDisk):
            // GRUB reads words as a shell does; an argument holds no quote.
            let line = Self.line(arguments, quote: "'")
            let interface = "01-" + client.mac.description.map { $0 == ":" ? "-" : "\($0)" }.joined()
            let image = Image(of: client)
            return rendered(
                .grubAgent,
                [
                    "agent": image.path, "consoles": image.consoles, "kernel_arguments": line,
                    "boot_interface": interface,
                ], toDisk: toDisk)
        case .localDisk(_, let volume):
            return rendered(
                .grubLocalDisk,
                ["volume": Self.hexDigits(volume ?? ""), "loader": client.architecture?.removableLoader ?? ""])
        case .installer: return rendered(.grubRefuse, ["reason": "an installer is started by iPXE"])
        case .refuse(let reason): return rendered(.grubRefuse, ["reason": Self.printable(reason)])
        }
    }

    /// The agent's image for a client.
    private struct Image {
        var path: String
        /// A profile's consoles come later on the line, and the last one wins. A kernel of arm64 is told its console by the
        /// firmware (ACPI's SPCR, the device tree's `stdout-path`), and knows it only as long as nobody names another.
        var consoles: String

        init(of client: BootClient) {
            let architecture = AgentArchitecture(client.architecture) ?? .amd64
            path = architecture.path
            consoles = architecture == .arm64 ? "" : "console=tty0 console=ttyS0,115200"
        }
    }

    private static func line(_ arguments: [KernelArgument], quote: String) -> String {
        var line: [UInt8] = []
        line.reserveCapacity(512)
        for argument in arguments {
            if !line.isEmpty { line.append(UInt8(ascii: " ")) }
            line += quote.utf8
            line += argument.key.utf8
            if let value = argument.value {
                line.append(UInt8(ascii: "="))
                line += value.utf8
            }
            line += quote.utf8
        }
        return String(decoding: line, as: UTF8.self)
    }

    /// - Parameter toDisk: the trace is to show a way to the disk.
    private func rendered(_ name: Name, _ values: KeyValuePairs<String, String>, toDisk: Bool = false) -> Rendered {
        Rendered(name: toDisk ? LocalDiskMethod.agentKexec.script : name.rawValue, text: text(name, values))
    }

    private func text(_ name: Name, _ values: KeyValuePairs<String, String>) -> String {
        templates[name]?.rendered(values) ?? ""
    }

    private static func known(_ name: Name) -> Set<String> {
        switch name {
        case .agent: ["boot_url", "agent", "consoles", "kernel_arguments"]
        case .localDiskExit, .localDiskExitFailure, .localDiskSANBoot, .grub: []
        case .installer: ["boot_url", "kernel", "token", "kernel_arguments"]
        case .refuse: ["reason", "exit_status"]
        case .grubAgent: ["agent", "consoles", "kernel_arguments", "boot_interface"]
        case .grubLocalDisk: ["volume", "loader"]
        case .grubRefuse: ["reason"]
        }
    }

    /// Words for `echo`: letters, digits and harmless marks; all else, line ends and `$`, `&`, `|`, `#`, `\` first, becomes a blank.
    /// Quotes are no harmless marks: GRUB would wait for the second one.
    static func printable(_ text: String) -> String {
        let marks = Set(".,:/()_-+=".unicodeScalars)
        return String(
            String.UnicodeScalarView(
                text.unicodeScalars.prefix(300).map {
                    ($0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0))) || marks.contains($0)
                        ? $0 : " "
                }))
    }

    /// A volume id holds nothing but hex digits and a dash.
    private static func hexDigits(_ text: String) -> String {
        String(text.prefix(32).filter { $0.isHexDigit || $0 == "-" })
    }
}
