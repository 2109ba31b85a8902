import NetworkAddresses
import WireBytes

/// The options of a network boot with their types. A value of the wrong length counts as absent.
extension DHCPv6Options {
    /// Option 61; the first one when a client lists several.
    public var architecture: ClientArchitecture? {
        guard let value = self[.clientArchitecture], value.count >= 2 else { return nil }
        return ClientArchitecture(rawValue: UInt16(value[0]) << 8 | UInt16(value[1]))
    }

    /// Option 16: words of the vendor's, such as `PXEClient:Arch:00007:UNDI:003016`, behind an enterprise number (RFC 8415 §21.16).
    public var vendorClass: String? {
        self[.vendorClass].flatMap { Self.lengthPrefixed($0.dropFirst(4)).first }
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// Option 15 (RFC 8415 §21.15).
    public var userClasses: [String] {
        Self.lengthPrefixed(self[.userClass] ?? []).map { String(decoding: $0, as: UTF8.self) }
    }

    /// iPXE, which wants a script and not a boot program.
    public var isIPXE: Bool { userClasses.contains("iPXE") }

    /// UEFI HTTP boot: wants a URL of HTTP, and `HTTPClient` in the answer's option 16.
    public var isHTTPClient: Bool { vendorClass?.hasPrefix("HTTPClient") ?? false }

    /// Firmware or iPXE asking for a boot file.
    public var isNetworkBoot: Bool {
        isIPXE || isHTTPClient || vendorClass?.hasPrefix("PXEClient") ?? false || asks(for: .bootFileURL)
    }

    /// Whether the client lists `code` in option 6.
    public func asks(for code: DHCPv6OptionCode) -> Bool {
        let codes = self[.requestedOptions] ?? []
        return stride(from: 0, to: codes.count - 1, by: 2).contains {
            UInt16(codes[$0]) << 8 | UInt16(codes[$0 + 1]) == code.rawValue
        }
    }

    /// The client's Ethernet address by its own identifier: DUID-LLT and DUID-LL of hardware type 1 (RFC 8415 §11.2, §11.4). It may
    /// be that of another NIC of the machine.
    public var identifierMAC: MACAddress? {
        guard let identifier = self[.clientIdentifier] else { return nil }
        if identifier.starts(with: [0, 1, 0, 1]) { return MACAddress(bytes: identifier.dropFirst(8)) }
        if identifier.starts(with: [0, 3, 0, 1]) { return MACAddress(bytes: identifier.dropFirst(4)) }
        return nil
    }

    /// DUID-UUID (RFC 6355): 16 bytes in the order of SMBIOS, as EDK2 copies them from there.
    public var machineUUID: [UInt8]? {
        guard let identifier = self[.clientIdentifier], identifier.count == 18, identifier.starts(with: [0, 4]) else {
            return nil
        }
        return Array(identifier.dropFirst(2))
    }

    /// Option 79, which a relay adds: the client's Ethernet address.
    public var relayedMAC: MACAddress? {
        guard let value = self[.clientLinkLayer], value.starts(with: [0, 1]) else { return nil }
        return MACAddress(bytes: value.dropFirst(2))
    }

    /// The IA_NAs that the client asks for.
    public var associations: [AddressAssociation] {
        all.compactMap { $0.code == .addressAssociation ? AddressAssociation($0.value) : nil }
    }

    private static func lengthPrefixed(_ bytes: some Collection<UInt8>) -> [[UInt8]] {
        var reader = ByteReader(bytes)
        var parts: [[UInt8]] = []
        while let length = try? reader.uint16("length"), let part = try? reader.take(Int(length), "text") {
            parts.append(part)
        }
        return parts
    }
}

/// IA_NA: what one interface of a client has or wants (RFC 8415 §21.4).
public struct AddressAssociation: Equatable, Sendable {
    /// The client's number for the interface.
    public var id: UInt32
    /// The addresses that it names, without their lifetimes.
    public var addresses: [IPv6Address]

    init?(_ value: [UInt8]) {
        var reader = ByteReader(value)
        guard let id = try? reader.uint32("IAID"), (try? reader.take(8, "T1 and T2")) != nil,
            let options = try? DHCPv6Options(parsing: reader.rest())
        else { return nil }
        self.id = id
        addresses = options.all.compactMap { $0.code == .address ? IPv6Address(bytes: $0.value.prefix(16)) : nil }
    }

    /// The value of an answer's option 3 with one address, for `seconds`: preferred for as long as it is valid; renewed at half of
    /// that, and by anybody at 4/5 (RFC 8415 §21.4).
    /// - Parameter over: addresses that the client must not use any more.
    public static func grant(
        _ address: IPv6Address, to id: UInt32, seconds: UInt32, over: [IPv6Address] = []
    ) -> [UInt8] {
        var inner = DHCPv6Options()
        inner.append(.address, lifetimes(address, seconds))
        for address in over { inner.append(.address, lifetimes(address, 0)) }
        return encoded(id, seconds / 2, seconds / 5 * 4, inner)
    }

    /// The value of an answer's option 3 that says why there is none.
    public static func refuse(_ id: UInt32, _ status: DHCPv6Status, _ words: String) -> [UInt8] {
        var inner = DHCPv6Options()
        inner.append(.statusCode, status.encoded(words))
        return encoded(id, 0, 0, inner)
    }

    private static func lifetimes(_ address: IPv6Address, _ seconds: UInt32) -> [UInt8] {
        var writer = ByteWriter()
        writer.append(address.bytes)
        writer.uint32(seconds)
        writer.uint32(seconds)
        return writer.bytes
    }

    private static func encoded(_ id: UInt32, _ renewal: UInt32, _ rebinding: UInt32, _ inner: DHCPv6Options) -> [UInt8]
    {
        var writer = ByteWriter()
        writer.uint32(id)
        writer.uint32(renewal)
        writer.uint32(rebinding)
        writer.append(inner.encoded)
        return writer.bytes
    }
}
