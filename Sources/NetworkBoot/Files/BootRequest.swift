import DHCP
import Inventory
import Machines
import NetworkAddresses

/// What a request by HTTP or TFTP asks for. Pure: text in, one of a few things out.
enum BootRequest: Equatable {
    case script(BootClient)
    /// What Pixiecore asks its API for, on behalf of a machine: answered in its JSON, for those who move from it.
    case pixiecore(MACAddress)
    /// What GRUB reads first, wherever it was loaded from.
    case grubConfiguration
    case bootFile(String)
    case agent(AgentFile)
    case image(String)
    /// The initramfs of an installer, by its token.
    case initrd(String)
    /// The words are for the log; the client gets 404.
    case nothing(String)

    /// - Parameters:
    ///   - target: the request target as it came, with `//` and percent escapes.
    ///   - client: where it came from.
    init(target: String, client: IPv4Address?) {
        let path = target.utf8.prefix { $0 != UInt8(ascii: "?") }
        // Firmware joins URLs carelessly: empty segments are passed over.
        var segments: [String] = []
        for segment in path.split(separator: UInt8(ascii: "/")) {
            guard let text = Self.unescaped(Substring(segment)), text != "..",
                !text.utf8.contains(where: { $0 == UInt8(ascii: "/") || $0 == 0 })
            else {
                self = .nothing("bad path")
                return
            }
            segments.append(text)
        }
        switch segments.first {
        case "boot" where segments.count == 2 && segments[1] == "ipxe":
            self = Self.script(query: Substring(target.utf8[path.endIndex...].dropFirst()), client)
        case "boot" where segments.count == 4 && segments[1] == "grub":
            guard let mac = MACAddress(segments[3]), !mac.isMulticast else {
                self = .nothing("a configuration is for a MAC address")
                return
            }
            self = .script(
                BootClient(
                    mac: mac, architecture: Self.grubPlatforms[segments[2]], stage: .grub, address: client))
        case "v1" where segments.count == 3 && segments[1] == "boot":
            guard let mac = MACAddress(segments[2]), !mac.isMulticast else {
                self = .nothing("a boot is of a MAC address")
                return
            }
            self = .pixiecore(mac)
        case _ where segments.suffix(2) == ["grub", "grub.cfg"]: self = .grubConfiguration
        case "boot" where segments.count > 2 && segments[1] == "files":
            self = .bootFile(segments.dropFirst(2).joined(separator: "/"))
        case "agent":
            self = AgentFile(path: segments.joined(separator: "/")).map { .agent($0) } ?? .nothing("no such path")
        // A file's own name may follow, for those who look at the end of a URL.
        case "images" where segments.count == 2 || segments.count == 3: self = .image(segments[1])
        case "start" where segments.count == 3 && segments[2] == "initrd": self = .initrd(segments[1])
        default: self = .nothing("no such path")
        }
    }

    /// What is told of a path: a token is a secret until it is used.
    static func shown(_ path: String) -> String {
        path.contains("/start/") ? "/start/…/initrd" : path
    }

    /// A file name of a TFTP request, as firmware writes it: with `\` for `/`, with or without a slash before it. The paths of
    /// the HTTP server are known here too, since GRUB asks for them by the protocol that brought it; all else is a boot file.
    init(tftp name: String, client: IPv4Address?) {
        let path = String(name.map { $0 == "\\" ? "/" : $0 })
        let first = path.split(separator: "/").prefix(2)
        if first.first == "agent" || first == ["boot", "grub"] || path.hasSuffix("grub/grub.cfg") {
            self.init(target: path, client: client)
        } else {
            self = .bootFile(path)
        }
    }

    /// `$grub_cpu-$grub_platform`.
    private static let grubPlatforms: [String: ClientArchitecture] = [
        "x86_64-efi": .efiX64, "i386-efi": .efiIA32, "arm64-efi": .efiARM64, "i386-pc": .biosX86,
        "riscv64-efi": .efiRISCV64,
    ]

    /// What iPXE tells of itself; the last of two values counts.
    private static func script(query: Substring, _ client: IPv4Address?) -> BootRequest {
        var (mac, uuid, architecture): (MACAddress?, SystemUUID?, ClientArchitecture?)
        var rest = query.utf8
        while !rest.isEmpty {
            let pair = rest.prefix { $0 != UInt8(ascii: "&") }
            rest = rest[pair.endIndex...].dropFirst()
            guard let equals = pair.firstIndex(of: UInt8(ascii: "=")),
                let value = unescaped(Substring(pair[equals...].dropFirst()))
            else { continue }
            switch Substring(pair[..<equals]) {
            case "mac": mac = MACAddress(value)
            case "uuid": uuid = Self.uuid(value)
            case "arch": architecture = UInt16(value).map { ClientArchitecture(rawValue: $0) }
            default: continue
            }
        }
        guard let mac, !mac.isMulticast else { return .nothing("a script is for a MAC address") }
        return .script(
            BootClient(mac: mac, uuid: uuid, architecture: architecture, stage: .ipxe, address: client))
    }

    /// 32 hex digits in SMBIOS order, as our DHCP answer wrote them.
    private static func uuid(_ text: String) -> SystemUUID? {
        let digits = Array(text.utf8)
        guard digits.count == 32 else { return nil }
        let bytes = stride(from: 0, to: 32, by: 2).compactMap {
            UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
        }
        return SystemUUID(smbios: bytes)
    }

    /// Percent escapes (RFC 3986 §2.1) undone; nil for a broken one or what is no UTF-8.
    private static func unescaped(_ text: Substring) -> String? {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
