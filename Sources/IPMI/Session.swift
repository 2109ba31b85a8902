import Crypto
import CryptoExtras
import FoundationEssentials

/// An open RMCP+ session: seals requests and opens responses. Sequence numbers and keys, no I/O.
public struct Session: Sendable {
    private let suite: CipherSuite
    private let consoleID: UInt32
    private let bmcID: UInt32
    private let integrityKey: [UInt8]
    private let encryptionKey: [UInt8]
    /// The BMC's number of this session.
    public var bmcSessionID: UInt32 { bmcID }
    private var sendSequence: UInt32 = 0
    private var messageSequence: UInt8 = 0
    private var window = ReplayWindow()

    init(suite: CipherSuite, consoleID: UInt32, bmcID: UInt32, sessionKey: [UInt8]) {
        (self.suite, self.consoleID, self.bmcID) = (suite, consoleID, bmcID)
        // §13.32: constants of 20 bytes, whatever the hash.
        integrityKey = suite.hmac(Array(repeating: 1, count: 20), key: sessionKey)
        encryptionKey = Array(suite.hmac(Array(repeating: 2, count: 20), key: sessionKey).prefix(16))
    }

    /// A datagram for `request`, and the number by which its answer is known.
    /// - Parameter iv: 16 random bytes, new for each datagram.
    public mutating func seal(_ request: Request, iv: [UInt8]) throws -> (datagram: [UInt8], sequence: UInt8) {
        messageSequence = (messageSequence + 1) & 0x3f
        return (try seal(.ipmi, request.message(sequence: messageSequence), iv: iv), messageSequence)
    }

    /// A datagram of the console's payload.
    /// - Parameter iv: 16 random bytes, new for each datagram.
    public mutating func seal(_ packet: ConsolePacket, iv: [UInt8]) throws -> [UInt8] {
        try seal(.console, packet.bytes, iv: iv)
    }

    private mutating func seal(_ type: PayloadType, _ message: [UInt8], iv: [UInt8]) throws -> [UInt8] {
        sendSequence = sendSequence == .max ? 1 : sendSequence + 1
        let payload = try encrypt(message, iv: iv)
        // Encrypted and authenticated (table 13-8).
        let header = Packet.header(
            0xc0 | type.rawValue, session: bmcID, sequence: sendSequence, length: payload.count)
        var covered = header + payload
        let pad = (4 - (covered.count + 2) % 4) % 4
        covered += Array(repeating: 0xff, count: pad) + [UInt8(pad), 0x07]
        let code = suite.hmac(covered, key: integrityKey).prefix(suite.shortCodeLength)
        return Packet.rmcpHeader + covered + code
    }

    /// What came in a datagram.
    public enum Content: Sendable {
        case response(Response)
        case console(ConsolePacket)
    }

    /// The response in a datagram; nil for one that is not of this session, altered, repeated, or old.
    public mutating func open(_ datagram: [UInt8]) -> Response? {
        guard case .response(let response)? = content(datagram) else { return nil }
        return response
    }

    /// What is in a datagram; nil for one that is not of this session, altered, repeated, or old.
    public mutating func content(_ datagram: [UInt8]) -> Content? {
        guard let packet = Packet(parsing: datagram), packet.isAuthenticated, packet.isEncrypted,
            packet.payloadType == .ipmi || packet.payloadType == .console,
            packet.sessionID == consoleID,
            constantTimeEqual(packet.code, suite.hmac(packet.covered, key: integrityKey).prefix(suite.shortCodeLength)),
            window.admit(packet.sequence), let message = decrypt(packet.payload)
        else { return nil }
        if packet.payloadType == .console { return ConsolePacket(message).map { .console($0) } }
        return Response(message: message).map { .response($0) }
    }

    /// AES-CBC-128 (§13.29): IV, then payload, pad bytes 1, 2, 3…, and their count.
    private func encrypt(_ message: [UInt8], iv: [UInt8]) throws -> [UInt8] {
        let pad = (16 - (message.count + 1) % 16) % 16
        let plain = message + (0..<pad).map { UInt8($0 + 1) } + [UInt8(pad)]
        let key = SymmetricKey(data: encryptionKey)
        return iv + Array(try AES._CBC.encrypt(plain, using: key, iv: try AES._CBC.IV(ivBytes: iv), noPadding: true))
    }

    private func decrypt(_ payload: [UInt8]) -> [UInt8]? {
        guard payload.count >= 32, payload.count % 16 == 0, let iv = try? AES._CBC.IV(ivBytes: payload[0..<16]),
            let plain = try? AES._CBC.decrypt(
                Data(payload[16...]), using: SymmetricKey(data: encryptionKey), iv: iv, noPadding: true),
            let pad = plain.last, Int(pad) < plain.count
        else { return nil }
        return Array(plain.dropLast(Int(pad) + 1))
    }
}

/// Sequence numbers seen lately (§6.12.13): each is admitted once, and none that is much older than the newest.
struct ReplayWindow: Sendable {
    private var newest: UInt32 = 0
    private var seen: UInt64 = 0

    mutating func admit(_ sequence: UInt32) -> Bool {
        guard sequence != 0 else { return false }
        if sequence > newest {
            let step = sequence - newest
            seen = step >= 64 ? 1 : seen << UInt64(step) | 1
            newest = sequence
            return true
        }
        let age = newest - sequence
        guard age < 64, seen >> UInt64(age) & 1 == 0 else { return false }
        seen |= 1 << UInt64(age)
        return true
    }
}
