import WireBytes

/// TPM_RC (TCG TPM 2.0 Library, Part 2 §6.6).
public struct TPMResponseCode: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let success = Self(rawValue: 0)

    /// Without the number of the handle, parameter or session that it is about (Part 2 §6.6.2, format one).
    private var kind: UInt32 { rawValue & 0x80 != 0 ? rawValue & 0xbf : rawValue }

    /// The TPM does not know an algorithm, curve or scheme, or does not have the command: it never will.
    var isUnsupported: Bool {
        // ASYMMETRIC, HASH, VALUE, TYPE, KDF, SCHEME, SYMMETRIC, CURVE; COMMAND_CODE.
        [0x081, 0x083, 0x084, 0x08a, 0x08c, 0x092, 0x096, 0x0a6, 0x143].contains(kind)
    }

    /// A password is set, the hierarchy is disabled, or the TPM is in lockout.
    var isDenied: Bool {
        // HIERARCHY, AUTH_FAIL, BAD_AUTH; AUTH_UNAVAILABLE, AUTH_TYPE; LOCKOUT.
        [0x085, 0x08e, 0x0a2, 0x12f, 0x124, 0x921].contains(kind)
    }
}

/// What a TPM answered: a code, and behind success what the command gives.
struct TPMResponse: Equatable, Sendable {
    var tag: TPMTag
    var code: TPMResponseCode
    var body: [UInt8]

    /// - Throws: `WireError` when it ends too early, or has another length than it says.
    init(parsing bytes: [UInt8]) throws(WireError) {
        var reader = ByteReader(bytes)
        tag = TPMTag(rawValue: try reader.uint16("tag"))
        let size = try reader.uint32("size")
        code = TPMResponseCode(rawValue: try reader.uint32("response code"))
        guard size == bytes.count else {
            throw WireError(field: "size", offset: 2, needed: Int(clamping: size), available: bytes.count)
        }
        body = reader.rest()
    }
}

/// A key that was made: TPM2_CreatePrimary's answer (Part 3 §24.1, table 167).
struct TPMCreated: Equatable, Sendable {
    var handle: TPMHandle
    var key: TPMPublicKey

    init(parsing body: [UInt8]) throws(WireError) {
        var reader = ByteReader(body)
        handle = TPMHandle(rawValue: try reader.uint32("handle"))
        _ = try reader.uint32("parameter size")
        let area = try reader.sized("public area")
        _ = try reader.sized("creation data")
        _ = try reader.sized("creation hash")
        // The ticket: tag and hierarchy, then a digest.
        _ = try reader.take(6, "creation ticket")
        _ = try reader.sized("digest of the creation ticket")
        key = TPMPublicKey(area: area, name: try reader.sized("name"))
    }
}

/// A key's public area and the name that the TPM gives it.
struct TPMPublicKey: Equatable, Sendable {
    /// TPMT_PUBLIC.
    var area: [UInt8]
    var name: [UInt8]

    init(area: [UInt8], name: [UInt8]) { (self.area, self.name) = (area, name) }

    /// TPM2_ReadPublic's answer.
    init(parsing body: [UInt8]) throws(WireError) {
        var reader = ByteReader(body)
        area = try reader.sized("public area")
        name = try reader.sized("name")
    }
}

extension ByteReader {
    /// A TPM2B: its length, then as many bytes.
    fileprivate mutating func sized(_ field: StaticString) throws(WireError) -> [UInt8] {
        try take(Int(try uint16(field)), field)
    }
}
