/// Commands of a TPM 2.0, as bytes (TCG TPM 2.0 Library, Part 3). All numbers are sent with the most significant byte first.
enum TPMCommand {
    /// TPM2_CreatePrimary in the endorsement hierarchy (§24.1), with its empty password. What it makes is gone when it is flushed.
    /// - Parameter template: a TPMT_PUBLIC.
    static func createPrimary(_ template: [UInt8]) -> [UInt8] {
        command(
            .sessions, 0x0000_0131,
            TPMHandle.endorsement.bytes + emptyPassword
                // No secret of ours within, no outside information, no PCRs.
                + sized([0, 0, 0, 0]) + sized(template) + sized([]) + word(0))
    }

    /// TPM2_Clear (§24.6), with the empty password of a hierarchy.
    static func clear(_ handle: TPMHandle) -> [UInt8] { command(.sessions, 0x0000_0126, handle.bytes + emptyPassword) }

    /// Authorization: the password session, no nonce, no attributes, an empty password (Part 1 §19.4).
    private static var emptyPassword: [UInt8] {
        let authorization = TPMHandle.passwordSession.bytes + [0, 0, 0, 0, 0]
        return word(UInt32(authorization.count)) + authorization
    }

    /// TPM2_ReadPublic (§12.4).
    static func readPublic(_ handle: TPMHandle) -> [UInt8] { command(.noSessions, 0x0000_0173, handle.bytes) }

    /// TPM2_FlushContext (§28.4).
    static func flush(_ handle: TPMHandle) -> [UInt8] { command(.noSessions, 0x0000_0165, handle.bytes) }

    private static func command(_ tag: TPMTag, _ code: UInt32, _ body: [UInt8]) -> [UInt8] {
        half(tag.rawValue) + word(UInt32(body.count + 10)) + word(code) + body
    }

    /// With its length in front: a TPM2B.
    private static func sized(_ bytes: [UInt8]) -> [UInt8] { half(UInt16(truncatingIfNeeded: bytes.count)) + bytes }

    static func half(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(truncatingIfNeeded: number)] }

    static func word(_ number: UInt32) -> [UInt8] {
        half(UInt16(number >> 16)) + half(UInt16(truncatingIfNeeded: number))
    }
}

/// TPM_ST (Part 2 §6.9).
struct TPMTag: RawRepresentable, Equatable, Sendable {
    var rawValue: UInt16
    static let noSessions = Self(rawValue: 0x8001)
    static let sessions = Self(rawValue: 0x8002)
}

/// TPM_HANDLE (Part 2 §7).
struct TPMHandle: RawRepresentable, Equatable, Sendable {
    var rawValue: UInt32
    static let endorsement = Self(rawValue: 0x4000_000b)
    static let lockout = Self(rawValue: 0x4000_000a)
    static let platform = Self(rawValue: 0x4000_000c)
    static let passwordSession = Self(rawValue: 0x4000_0009)
    /// Where makers and operating systems leave endorsement keys (TCG Registry of Reserved TPM 2.0 Handles and Localities, §2.3.1).
    static let keptEndorsementKeys = [Self(rawValue: 0x8101_0001), Self(rawValue: 0x8101_0002)]

    var bytes: [UInt8] { TPMCommand.word(rawValue) }
}
