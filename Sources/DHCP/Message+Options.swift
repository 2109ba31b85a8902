import NetworkAddresses

/// The options of a network boot with their types. A value of the wrong length counts as absent.
extension Message {
    public var type: MessageType? {
        get {
            options.value(.messageType).flatMap { $0.count == 1 ? $0.first.flatMap { MessageType(rawValue: $0) } : nil }
        }
        set { options[.messageType] = newValue.map { [$0.rawValue] } }
    }

    /// The client's Ethernet address.
    public var mac: MACAddress? { hardwareType == 1 ? MACAddress(bytes: chaddr) : nil }

    public var wantsBroadcast: Bool { flags & Self.broadcastFlag != 0 }

    public var requestedAddress: IPv4Address? { address(.requestedAddress) }
    public var serverIdentifier: IPv4Address? { address(.serverIdentifier) }

    /// Option 60 as text.
    public var vendorClass: String? { options[.vendorClass].map(Self.text) }

    /// Option 93; the first one when a client lists several.
    public var architecture: ClientArchitecture? {
        guard let value = options.value(.clientArchitecture)?.prefix(2), value.count == 2 else { return nil }
        return ClientArchitecture(rawValue: value.reduce(0) { $0 << 8 | UInt16($1) })
    }

    /// Option 97 type 0: 16 bytes in the order of SMBIOS.
    public var machineUUID: [UInt8]? {
        guard let value = options.value(.machineIdentifier), value.count == 17, value.first == 0 else { return nil }
        return Array(value.dropFirst())
    }

    /// The names in option 77: length-prefixed (RFC 3004), or one plain name as iPXE and others send it.
    public var userClasses: [String] {
        guard let value = options[.userClass], !value.isEmpty else { return [] }
        var names: [String] = []
        var rest = value[...]
        while let length = rest.first, length > 0, rest.count > Int(length) {
            names.append(String(decoding: rest.dropFirst().prefix(Int(length)), as: UTF8.self))
            rest = rest.dropFirst(1 + Int(length))
        }
        return rest.isEmpty ? names : [Self.text(value)]
    }

    /// iPXE, which wants a script and not a boot program: a server that confuses the two loops for ever.
    public var isIPXE: Bool { options.value(.userClass) != nil && userClasses.contains("iPXE") }

    /// An iPXE that lists what it can (option 175), and no HTTP (feature 19) among it.
    public var ipxeLacksHTTP: Bool {
        guard let value = options[.ipxe] else { return false }
        var rest = value[...]
        while let code = rest.popFirst(), let length = rest.popFirst(), rest.count >= Int(length) {
            if code == 19 { return rest.first != 1 }
            rest = rest.dropFirst(Int(length))
        }
        return true
    }

    /// PXE firmware, UEFI HTTP firmware, or iPXE asking for a boot file (PXE 2.1 §2.2.1; UEFI 2.10 §24.7.2).
    public var isNetworkBoot: Bool {
        // Every packet comes this way: bytes are compared as they are.
        guard let value = options.value(.vendorClass) else { return isIPXE }
        return value.starts(with: "PXEClient".utf8) || value.starts(with: "HTTPClient".utf8) || isIPXE
    }

    public func address(_ code: OptionCode) -> IPv4Address? { options.value(code).flatMap { IPv4Address(bytes: $0) } }

    /// A list of addresses such as routers or name servers.
    public func addresses(_ code: OptionCode) -> [IPv4Address] {
        guard let value = options[code], value.count % 4 == 0 else { return [] }
        return stride(from: 0, to: value.count, by: 4).compactMap { IPv4Address(bytes: value[$0..<$0 + 4]) }
    }

    /// A time in seconds such as a lease.
    public func seconds(_ code: OptionCode) -> UInt32? {
        guard let value = options[code], value.count == 4 else { return nil }
        return value.reduce(0) { $0 << 8 | UInt32($1) }
    }

    public mutating func set(_ code: OptionCode, _ addresses: [IPv4Address]) {
        guard addresses.count != 1 else { return set(code, address: addresses[0]) }
        options[code] = addresses.isEmpty ? nil : addresses.flatMap(\.bytes)
    }

    public mutating func set(_ code: OptionCode, address: IPv4Address) { set(code, seconds: address.rawValue) }

    public mutating func set(_ code: OptionCode, seconds: UInt32) {
        options.set(code, (0..<4).lazy.map { UInt8(truncatingIfNeeded: seconds >> UInt32(8 * (3 - $0))) })
    }

    public mutating func set(_ code: OptionCode, text: String) { options.set(code, text.utf8) }

    /// Text up to a NUL; firmware and dnsmasq append one.
    private static func text(_ value: [UInt8]) -> String { String(decoding: value.prefix { $0 != 0 }, as: UTF8.self) }
}
