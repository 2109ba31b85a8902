import Crypto
import CryptoExtras
import FoundationEssentials
import WireBytes

/// A BMC's side of IPMI 2.0 over LAN, for tests: datagram in, datagram out. Written from the specification apart from the `IPMI`
/// target, and held to it by ipmitool, so that a mistake in one is not repeated in the other.
public struct SimulatedBMC: Sendable {
    /// Cipher suites by number: 3 and 17 (table 22-20).
    public var suites: Set<UInt8> = [3, 17]
    public var username: String
    public var password: String
    public var isOn = false
    /// Accepts chassis control and does nothing, as some hanging BMCs do.
    public var ignoresControl = false
    /// Boot option parameters by number, as last written (§28.12).
    public private(set) var bootOptions: [UInt8: [UInt8]] = [3: [0], 5: [0, 0, 0, 0, 0]]
    /// What was done, in order: `control 1`, `boot option 5: e0 04 00 00 00`.
    public private(set) var log: [String] = []

    private struct Opening {
        var suite: UInt8
        var consoleID: UInt32
        var consoleRandom: [UInt8] = []
        var role: UInt8 = 0
        var keys: (integrity: [UInt8], encryption: [UInt8])?
        var sequence: UInt32 = 0
    }

    private var sessions: [UInt32: Opening] = [:]
    private static let guid: [UInt8] = Array(0x30..<0x40)
    private static let random: [UInt8] = Array(0x50..<0x60)

    public init(username: String, password: String) { (self.username, self.password) = (username, password) }

    /// The answer to a datagram; nil for none.
    public mutating func receive(_ datagram: [UInt8]) -> [UInt8]? {
        var reader = ByteReader(datagram)
        do {
            guard try reader.take(4, "RMCP") == [6, 0, 0xff, 7] else { return nil }
            if datagram.count > 4, datagram[4] == 0 { return outsideSession(Array(datagram.dropFirst(5))) }
            guard try reader.uint8("authentication") == 6 else { return nil }
            let type = try reader.uint8("type")
            let session = try reader.uint32LE("session")
            _ = try reader.uint32LE("sequence")
            let payload = try reader.take(Int(try reader.uint16LE("length")), "payload")
            switch type {
            case 0x10: return try open(payload)
            case 0x12: return try challenge(payload)
            case 0x14: return try confirm(payload)
            case 0xc0: return try inSession(session, datagram, payload)
            default: return nil
            }
        } catch {
            return nil
        }
    }

    /// Get Channel Authentication Capabilities (§22.13), the one command before a session.
    private mutating func outsideSession(_ rest: [UInt8]) -> [UInt8]? {
        // Sequence (4), session (4), length (1), message.
        guard rest.count > 9 + 7, rest[10] >> 2 == 0x06, rest[9 + 5] == 0x38 else { return nil }
        let answer = Self.message(
            Array(rest[9...]), code: 0, data: [1, 0x80, 0x04, 0x02, 0, 0, 0, 0])
        return [6, 0, 0xff, 7, 0] + Array(repeating: 0, count: 8) + [UInt8(answer.count)] + answer
    }

    /// §13.17, §13.18.
    private mutating func open(_ payload: [UInt8]) throws -> [UInt8]? {
        guard payload.count >= 32 else { return nil }
        let consoleID = Self.number(payload[4..<8])
        let (authentication, integrity, confidentiality) = (payload[12], payload[20], payload[28])
        let suite: UInt8? =
            switch (authentication, integrity, confidentiality) {
            case (1, 1, 1): 3
            case (3, 4, 1): 17
            default: nil
            }
        guard let suite, suites.contains(suite) else {
            // 11h: no cipher suite match.
            return Self.plain(0x11, [payload[0], 0x11, 0, 0] + Self.bytes(consoleID))
        }
        let id = UInt32(0x1000 + sessions.count)
        sessions[id] = Opening(suite: suite, consoleID: consoleID)
        return Self.plain(0x11, [payload[0], 0, 4, 0] + Self.bytes(consoleID) + Self.bytes(id) + payload[8..<32])
    }

    /// RAKP 1 and 2 (§13.20, §13.21).
    private mutating func challenge(_ payload: [UInt8]) throws -> [UInt8]? {
        guard payload.count >= 28, payload.count >= 28 + Int(payload[27]) else { return nil }
        let id = Self.number(payload[4..<8])
        guard var session = sessions[id] else { return nil }
        let name = Array(payload[28..<28 + Int(payload[27])])
        guard name == Array(username.utf8) else {
            // 0Dh: unauthorized name.
            return Self.plain(0x13, [payload[0], 0x0d, 0, 0] + Self.bytes(session.consoleID))
        }
        (session.consoleRandom, session.role) = (Array(payload[8..<24]), payload[24])
        sessions[id] = session
        let identity = [session.role, UInt8(name.count)] + name
        let code = hmac(
            session.suite,
            Self.bytes(session.consoleID) + Self.bytes(id) + session.consoleRandom + Self.random + Self.guid + identity,
            key: userKey)
        return Self.plain(
            0x13, [payload[0], 0, 0, 0] + Self.bytes(session.consoleID) + Self.random + Self.guid + code)
    }

    /// RAKP 3 and 4 (§13.22, §13.23).
    private mutating func confirm(_ payload: [UInt8]) throws -> [UInt8]? {
        guard payload.count >= 8, payload[1] == 0 else { return nil }
        let id = Self.number(payload[4..<8])
        guard var session = sessions[id] else { return nil }
        let name = Array(username.utf8)
        let identity = [session.role, UInt8(name.count)] + name
        let expected = hmac(session.suite, Self.random + Self.bytes(session.consoleID) + identity, key: userKey)
        guard Array(payload[8...]) == expected else {
            // 0Fh: invalid integrity check value.
            return Self.plain(0x15, [payload[0], 0x0f, 0, 0] + Self.bytes(session.consoleID))
        }
        let key = hmac(session.suite, session.consoleRandom + Self.random + identity, key: userKey)
        session.keys = (
            hmac(session.suite, Array(repeating: 1, count: 20), key: key),
            Array(hmac(session.suite, Array(repeating: 2, count: 20), key: key).prefix(16))
        )
        sessions[id] = session
        let check = hmac(session.suite, session.consoleRandom + Self.bytes(id) + Self.guid, key: key)
        return Self.plain(
            0x15,
            [payload[0], 0, 0, 0] + Self.bytes(session.consoleID) + check.prefix(session.suite == 3 ? 12 : 16))
    }

    private mutating func inSession(_ id: UInt32, _ datagram: [UInt8], _ payload: [UInt8]) throws -> [UInt8]? {
        guard var session = sessions[id], let keys = session.keys, payload.count >= 32 else { return nil }
        let short = session.suite == 3 ? 12 : 16
        let covered = Array(datagram[4..<datagram.count - short])
        guard Array(datagram.suffix(short)) == Array(hmac(session.suite, covered, key: keys.integrity).prefix(short))
        else { return nil }
        let key = SymmetricKey(data: keys.encryption)
        let clear = try AES._CBC.decrypt(
            Data(payload[16...]), using: key, iv: AES._CBC.IV(ivBytes: payload[0..<16]), noPadding: true)
        let request = Array(clear.dropLast(Int(clear.last ?? 0) + 1))
        guard request.count >= 7 else { return nil }
        let (code, data) = perform(
            function: request[1] >> 2, command: request[5], data: Array(request[6..<request.count - 1]))
        let answer = Self.message(request, code: code, data: data)
        let pad = (16 - (answer.count + 1) % 16) % 16
        let padded = answer + (0..<pad).map { UInt8($0 + 1) } + [UInt8(pad)]
        let iv = (0..<16).map { _ in UInt8.random(in: 0...255) }
        let sealed =
            iv
            + Array(
                try AES._CBC.encrypt(padded, using: key, iv: AES._CBC.IV(ivBytes: iv), noPadding: true))
        session.sequence += 1
        sessions[id] = session
        var packet =
            [6, 0xc0] + Self.bytes(session.consoleID) + Self.bytes(session.sequence)
            + [UInt8(sealed.count & 0xff), UInt8(sealed.count >> 8)] + sealed
        let fill = (4 - (packet.count + 2) % 4) % 4
        packet += Array(repeating: 0xff, count: fill) + [UInt8(fill), 7]
        return [6, 0, 0xff, 7] + packet + hmac(session.suite, packet, key: keys.integrity).prefix(short)
    }

    /// Commands of the chassis (§28) and of sessions (§22).
    private mutating func perform(function: UInt8, command: UInt8, data: [UInt8]) -> (code: UInt8, data: [UInt8]) {
        switch (function, command) {
        // Device id (§20.1): revision 1, firmware 2.10, IPMI 2.0, a chassis device, no maker.
        case (0x06, 0x01): return (0, [0x20, 1, 2, 0x10, 0x02, 0x80, 0, 0, 0, 0, 0])
        case (0x06, 0x3b): return (0, [data.first ?? 4])
        case (0x06, 0x3c): return (0, [])
        case (0x00, 0x01): return (0, [isOn ? 0x21 : 0x20, 0, 0])
        case (0x00, 0x02):
            guard let control = data.first, control <= 5 else { return (0xcc, []) }
            // A cycle of a chassis that is off is refused (table 28-4).
            if control == 2, !isOn { return (0xd5, []) }
            log.append("control \(control)")
            if !ignoresControl { isOn = control != 0 && control != 5 }
            return (0, [])
        case (0x00, 0x08):
            guard let parameter = data.first.map({ $0 & 0x7f }) else { return (0xc7, []) }
            let words = data.dropFirst().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
            log.append("boot option \(parameter): \(words)")
            bootOptions[parameter] = Array(data.dropFirst())
            return (0, [])
        case (0x00, 0x09):
            guard let parameter = data.first.map({ $0 & 0x7f }), let value = bootOptions[parameter] else {
                return (0x80, [])
            }
            return (0, [1, parameter] + value)
        default: return (0xc1, [])
        }
    }

    private var userKey: [UInt8] {
        let bytes = Array(password.utf8.prefix(20))
        return bytes + Array(repeating: 0, count: 20 - bytes.count)
    }

    private func hmac(_ suite: UInt8, _ data: [UInt8], key: [UInt8]) -> [UInt8] {
        let key = SymmetricKey(data: key)
        return suite == 3
            ? Array(HMAC<Insecure.SHA1>.authenticationCode(for: data, using: key))
            : Array(HMAC<SHA256>.authenticationCode(for: data, using: key))
    }

    private static func plain(_ type: UInt8, _ payload: [UInt8]) -> [UInt8] {
        [6, 0, 0xff, 7, 6, type] + Array(repeating: 0, count: 8)
            + [UInt8(payload.count & 0xff), UInt8(payload.count >> 8)] + payload
    }

    /// The response to a request's message (§13.8).
    private static func message(_ request: [UInt8], code: UInt8, data: [UInt8]) -> [UInt8] {
        func sum(_ bytes: [UInt8]) -> UInt8 { 0 &- bytes.reduce(0, &+) }
        let head = [request[3], request[1] | 4]
        let body = [request[0], request[4], request[5], code] + data
        return head + [sum(head)] + body + [sum(body)]
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    private static func bytes(_ number: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> UInt32(8 * $0)) }
    }
}
