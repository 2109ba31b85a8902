import NetworkAddresses

/// PXE's options inside option 43 (PXE 2.1 §2.2.2 and §2.2.3): how firmware finds its boot server. Those it does not name are
/// passed over.
public struct PXEOptions: Equatable, Sendable {
    /// Option 43.6.
    public struct DiscoveryControl: OptionSet, Sendable {
        public let rawValue: UInt8

        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let noBroadcast = Self(rawValue: 1)
        public static let noMulticast = Self(rawValue: 2)
        public static let listedServersOnly = Self(rawValue: 4)
        /// The boot file is in this offer: no prompt, no menu, no question on port 4011.
        public static let bootFileInOffer = Self(rawValue: 8)
    }

    /// What kind of boot server. Open: 0 is the bootstrap server itself, 8000h and above are vendors' own.
    public struct ServerType: RawRepresentable, Equatable, Sendable {
        public var rawValue: UInt16

        public init(rawValue: UInt16) { self.rawValue = rawValue }
    }

    /// One entry of option 43.8.
    public struct BootServer: Equatable, Sendable {
        public var type: ServerType
        public var addresses: [IPv4Address]

        public init(type: ServerType, addresses: [IPv4Address]) { (self.type, self.addresses) = (type, addresses) }
    }

    /// One entry of option 43.9.
    public struct MenuEntry: Equatable, Sendable {
        public var type: ServerType
        public var text: String

        public init(type: ServerType, text: String) { (self.type, self.text) = (type, text) }
    }

    /// Option 43.10.
    public struct Prompt: Equatable, Sendable {
        /// 0: the first entry at once; 255: for ever.
        public var seconds: UInt8
        public var text: String

        public init(seconds: UInt8, text: String) { (self.seconds, self.text) = (seconds, text) }
    }

    /// Option 43.71: what was chosen.
    public struct BootItem: Equatable, Sendable {
        public var type: ServerType
        public var layer: UInt16

        public init(type: ServerType, layer: UInt16) { (self.type, self.layer) = (type, layer) }
    }

    public var discoveryControl: DiscoveryControl?
    public var bootServers: [BootServer]
    public var bootMenu: [MenuEntry]
    public var prompt: Prompt?
    public var bootItem: BootItem?

    public init(
        discoveryControl: DiscoveryControl? = nil, bootServers: [BootServer] = [], bootMenu: [MenuEntry] = [],
        prompt: Prompt? = nil, bootItem: BootItem? = nil
    ) {
        (self.discoveryControl, self.bootServers, self.bootMenu) = (discoveryControl, bootServers, bootMenu)
        (self.prompt, self.bootItem) = (prompt, bootItem)
    }

    /// Reads the value of option 43; what does not fit its length counts as absent.
    public init(_ value: [UInt8]) {
        self.init()
        var rest = value[...]
        while let code = rest.popFirst(), code != 255 {
            if code == 0 { continue }
            guard let length = rest.popFirst(), rest.count >= Int(length) else { return }
            read(code, Array(rest.prefix(Int(length))))
            rest = rest.dropFirst(Int(length))
        }
    }

    private mutating func read(_ code: UInt8, _ value: [UInt8]) {
        func word(_ offset: Int) -> UInt16 { UInt16(value[offset]) << 8 | UInt16(value[offset + 1]) }
        var offset = 0
        switch code {
        case 6 where value.count == 1: discoveryControl = DiscoveryControl(rawValue: value[0])
        case 8:
            while offset + 3 <= value.count, offset + 3 + 4 * Int(value[offset + 2]) <= value.count {
                let end = offset + 3 + 4 * Int(value[offset + 2])
                let addresses = stride(from: offset + 3, to: end, by: 4).compactMap {
                    IPv4Address(bytes: value[$0..<$0 + 4])
                }
                bootServers.append(BootServer(type: ServerType(rawValue: word(offset)), addresses: addresses))
                offset = end
            }
        case 9:
            while offset + 3 <= value.count, offset + 3 + Int(value[offset + 2]) <= value.count {
                let end = offset + 3 + Int(value[offset + 2])
                let text = String(decoding: value[offset + 3..<end], as: UTF8.self)
                bootMenu.append(MenuEntry(type: ServerType(rawValue: word(offset)), text: text))
                offset = end
            }
        case 10 where !value.isEmpty:
            prompt = Prompt(seconds: value[0], text: String(decoding: value.dropFirst(), as: UTF8.self))
        case 71 where value.count == 4: bootItem = BootItem(type: ServerType(rawValue: word(0)), layer: word(2))
        default: break
        }
    }

    /// The value of option 43, with its End. Entries that would not fit one option are left out.
    public var encoded: [UInt8] {
        var bytes: [UInt8] = []
        func append(_ code: UInt8, _ value: [UInt8]) {
            guard !value.isEmpty, value.count <= 255 else { return }
            bytes += [code, UInt8(value.count)] + value
        }
        func word(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(truncatingIfNeeded: value)] }
        if let discoveryControl { append(6, [discoveryControl.rawValue]) }
        append(
            8,
            bootServers.flatMap { server in
                let addresses = server.addresses.prefix(60)
                return word(server.type.rawValue) + [UInt8(addresses.count)] + addresses.flatMap(\.bytes)
            })
        append(
            9,
            bootMenu.flatMap { entry in
                let text = Array(entry.text.utf8.prefix(200))
                return word(entry.type.rawValue) + [UInt8(text.count)] + text
            })
        if let prompt { append(10, [prompt.seconds] + Array(prompt.text.utf8.prefix(200))) }
        if let bootItem { append(71, word(bootItem.type.rawValue) + word(bootItem.layer)) }
        return bytes + [255]
    }
}

extension Message {
    /// Option 43 as PXE fills it.
    public var pxe: PXEOptions? {
        get { options[.vendorSpecific].map { PXEOptions($0) } }
        set { options[.vendorSpecific] = newValue?.encoded }
    }
}
