import WireBytes

/// Opens an RMCP+ session (IPMI v2.0 §13.17–13.24): a state machine without I/O. Feed it datagrams; send what it returns.
public struct Handshake: Sendable {
    public struct Credentials: Sendable, CustomStringConvertible {
        /// At most 16 bytes.
        public var username: String
        /// At most 20 bytes.
        public var password: String

        public init(username: String, password: String) { (self.username, self.password) = (username, password) }

        public var description: String { "\(username) (password withheld)" }
    }

    public enum Step: Sendable {
        /// Send this and wait; send it again when nothing comes.
        case send([UInt8])
        case established(Session)
        case failed(HandshakeError)
        /// A stray datagram: wait on.
        case ignored
    }

    private enum State {
        case opening
        case authenticating(bmcID: UInt32)
        case confirming(bmcID: UInt32, integrityCheck: [UInt8], sessionKey: [UInt8])
        case done
    }

    private var state = State.opening
    private let suite: CipherSuite
    private let credentials: Credentials
    private let consoleID: UInt32
    private let consoleRandom: [UInt8]
    private static let administrator: UInt8 = 4
    /// Administrator, looked up by name alone (§13.20).
    private static let role: UInt8 = 0x10 | administrator
    /// Of all messages of this attempt, and of none with another suite: a BMC's refusal may be too short for the console's id, and when the request was
    /// sent twice the second one comes in the middle of the next attempt (seen with ipmi_sim under load).
    private var tag: UInt8 { suite.rawValue }

    /// - Parameters:
    ///   - consoleID: a random number, not 0.
    ///   - consoleRandom: 16 random bytes.
    public init(suite: CipherSuite, credentials: Credentials, consoleID: UInt32, consoleRandom: [UInt8]) {
        (self.suite, self.credentials) = (suite, credentials)
        (self.consoleID, self.consoleRandom) = (consoleID, consoleRandom)
    }

    private var username: [UInt8] { Array(credentials.username.utf8.prefix(16)) }
    private var userKey: [UInt8] {
        let password = Array(credentials.password.utf8.prefix(20))
        return password + Array(repeating: 0, count: 20 - password.count)
    }

    /// Open Session Request (§13.17).
    public func start() -> [UInt8] {
        var payload = ByteWriter()
        payload.append([tag, 0, 0, 0])
        payload.uint32LE(consoleID)
        for (type, algorithm) in [(0, suite.authentication), (1, suite.integrity), (2, suite.confidentiality)] {
            payload.append([UInt8(type), 0, 0, 8, algorithm, 0, 0, 0])
        }
        return Packet.unprotected(.openSessionRequest, payload.bytes)
    }

    public mutating func receive(_ datagram: [UInt8]) -> Step {
        guard let packet = Packet(parsing: datagram), !packet.isEncrypted, !packet.isAuthenticated else {
            return .ignored
        }
        do {
            switch (state, packet.payloadType) {
            case (.opening, .openSessionResponse): return try opened(packet.payload)
            case (.authenticating(let bmcID), .rakp2): return try challenged(packet.payload, bmcID: bmcID)
            case (.confirming(let bmcID, let check, let key), .rakp4):
                return try confirmed(packet.payload, bmcID: bmcID, check: check, sessionKey: key)
            default: return .ignored
            }
        } catch {
            return .ignored
        }
    }

    /// A refusal, too, names the console's id where it has room for one (tables 13-10, 13-12, 13-14). One that comes late, to an
    /// attempt with another cipher suite that was sent twice, is not this attempt's.
    private func isForUs(_ payload: [UInt8]) -> Bool {
        payload.count < 8 || Array(payload[4..<8]) == littleEndian(consoleID)
    }

    private mutating func opened(_ payload: [UInt8]) throws(WireError) -> Step {
        var reader = ByteReader(payload)
        guard try reader.uint8("tag") == tag, isForUs(payload) else { return .ignored }
        let status = SessionStatus(rawValue: try reader.uint8("status"))
        guard status == .ok else { return fail(.refused(status, during: "opening a session")) }
        _ = try reader.take(2, "privilege")
        guard try reader.uint32LE("console id") == consoleID else { return .ignored }
        let bmcID = try reader.uint32LE("BMC id")
        // Each algorithm is the fifth byte of eight (table 13-10). pyghmi's server grants others than were asked for.
        let granted = reader.rest()
        guard granted.count >= 21, granted[4] == suite.authentication, granted[12] == suite.integrity,
            granted[20] == suite.confidentiality
        else { return fail(.otherAlgorithms(asked: suite.rawValue)) }
        state = .authenticating(bmcID: bmcID)
        var message = ByteWriter()
        message.append([tag, 0, 0, 0])
        message.uint32LE(bmcID)
        message.append(consoleRandom)
        message.append([Self.role, 0, 0, UInt8(username.count)])
        message.append(username)
        return .send(Packet.unprotected(.rakp1, message.bytes))
    }

    /// RAKP 2 proves that the BMC knows the password; RAKP 3 proves that we do.
    private mutating func challenged(_ payload: [UInt8], bmcID: UInt32) throws(WireError) -> Step {
        var reader = ByteReader(payload)
        guard try reader.uint8("tag") == tag, isForUs(payload) else { return .ignored }
        let status = SessionStatus(rawValue: try reader.uint8("status"))
        guard status == .ok else { return fail(.refused(status, during: "logging in as \(credentials.username)")) }
        _ = try reader.take(2, "reserved")
        guard try reader.uint32LE("console id") == consoleID else { return .ignored }
        let bmcRandom = try reader.take(16, "BMC random")
        let guid = try reader.take(16, "BMC GUID")
        let code = reader.rest()
        let name = [Self.role, UInt8(username.count)] + username
        let ids = littleEndian(consoleID) + littleEndian(bmcID)
        let expected = suite.hmac(ids + consoleRandom + bmcRandom + guid + name, key: userKey)
        guard constantTimeEqual(code, expected) else { return fail(.wrongPassword(user: credentials.username)) }
        let sessionKey = suite.hmac(consoleRandom + bmcRandom + name, key: userKey)
        let check = suite.hmac(consoleRandom + littleEndian(bmcID) + guid, key: sessionKey)
        state = .confirming(
            bmcID: bmcID, integrityCheck: Array(check.prefix(suite.shortCodeLength)), sessionKey: sessionKey)
        var message = ByteWriter()
        message.append([tag, 0, 0, 0])
        message.uint32LE(bmcID)
        message.append(suite.hmac(bmcRandom + littleEndian(consoleID) + name, key: userKey))
        return .send(Packet.unprotected(.rakp3, message.bytes))
    }

    private mutating func confirmed(
        _ payload: [UInt8], bmcID: UInt32, check: [UInt8], sessionKey: [UInt8]
    ) throws(WireError) -> Step {
        var reader = ByteReader(payload)
        guard try reader.uint8("tag") == tag, isForUs(payload) else { return .ignored }
        let status = SessionStatus(rawValue: try reader.uint8("status"))
        guard status == .ok else { return fail(.refused(status, during: "proving the password")) }
        _ = try reader.take(2, "reserved")
        guard try reader.uint32LE("console id") == consoleID else { return .ignored }
        guard constantTimeEqual(reader.rest(), check) else { return fail(.wrongPassword(user: credentials.username)) }
        state = .done
        return .established(Session(suite: suite, consoleID: consoleID, bmcID: bmcID, sessionKey: sessionKey))
    }

    private mutating func fail(_ error: HandshakeError) -> Step {
        state = .done
        return .failed(error)
    }

    private func littleEndian(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * $0)) }
    }
}

/// Why no session was opened.
public enum HandshakeError: Error, Equatable, CustomStringConvertible {
    case refused(SessionStatus, during: String)
    case wrongPassword(user: String)
    /// The BMC answered with algorithms of another cipher suite.
    case otherAlgorithms(asked: UInt8)

    public var description: String {
        switch self {
        case .refused(let status, let during): "\(during): \(status)"
        case .wrongPassword(let user):
            "the password of BMC user \(user) is wrong, or this is not the BMC it claims to be"
        case .otherAlgorithms(let asked):
            "asked for cipher suite \(asked), the BMC answers with another one's algorithms"
        }
    }
}
