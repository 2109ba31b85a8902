import Crypto
import CryptoExtras
import FoundationEssentials
import WireBytes

/// A BMC's side of IPMI 2.0 over LAN, for tests: datagram in, datagrams out. Written from the specification apart from the `IPMI`
/// target, and held to it by ipmitool, so that a mistake in one is not repeated in the other.
public struct SimulatedBMC: Sendable {
    /// Cipher suites by number: 3 and 17 (table 22-20).
    public var suites: Set<UInt8> = [3, 17]
    public var quirks = BMCQuirks()
    public var isOn = false
    /// So many looks at the chassis until it is off: it shuts down.
    public var shutsDownIn: Int?
    public var eventLog = SimulatedLog()
    public var console = SimulatedConsole()
    /// FRU device 0.
    public var inventory = SimulatedInventory.usual
    /// LAN parameters by number (table 23-4).
    public var lan: [UInt8: [UInt8]] = [
        0: [0], 1: [0x17], 2: [0, 0, 0, 0x14, 0], 3: [10, 77, 0, 50], 4: [2], 5: [0x52, 0x54, 0, 0xbb, 0, 1],
        6: [255, 255, 255, 0], 12: [10, 77, 0, 1], 13: [0, 0, 0, 0, 0, 0], 20: [0, 0], 22: [2], 23: [0, 3, 17],
    ]
    /// Boot option parameters by number, as last written (§28.12).
    public internal(set) var bootOptions: [UInt8: [UInt8]] = [3: [0], 5: [0, 0, 0, 0, 0]]
    /// The identify light: nil off, seconds, or infinity.
    public internal(set) var identify: Double?
    /// What was done, in order: `control 1`, `boot option 5: e0 04 00 00 00`.
    public internal(set) var log: [String] = []
    /// Commands that were received, the functions' numbers with them.
    public internal(set) var commands: [[UInt8]] = []
    /// Seconds, by whoever runs it.
    public var now = 0.0

    var dice: Dice
    var store = SimulatedUsers(users: [])
    var repository = SimulatedRepository()
    var flagsSetAt = 0.0
    var lag: (looks: Int, was: Bool)?
    var restartCause: UInt8 = 3
    private var sessions: [UInt32: Opening] = [:]
    private var nextSession: UInt32 = 0x1000
    static let guid: [UInt8] = Array(0x30..<0x40)
    private static let random: [UInt8] = Array(0x50..<0x60)

    private struct Opening {
        var suite: UInt8
        var consoleID: UInt32
        var consoleRandom: [UInt8] = []
        var role: UInt8 = 0
        var user = 0
        var keys: (integrity: [UInt8], encryption: [UInt8])?
        var sequence: UInt32 = 0
        var heard: Double
        /// The number that it computes with, where that is not its own.
        var crossed: UInt32?
    }

    public init(username: String, password: String, seed: UInt64 = 1) {
        dice = Dice(seed: seed)
        store.users =
            [SimulatedUser(), SimulatedUser(username, password)] + Array(repeating: SimulatedUser(), count: 8)
    }

    /// By number, the first being number 1.
    public var users: [SimulatedUser] {
        get { store.users }
        set { store.users = newValue }
    }

    public var sensors: [SimulatedSensor] {
        get { repository.sensors }
        set { repository.sensors = newValue }
    }

    /// Sessions that are open.
    public var openSessions: Int { sessions.values.count { $0.keys != nil } }

    /// A BMC that has restarted: sessions are gone.
    public mutating func forgetSessions() {
        sessions = [:]
        console.session = nil
    }

    /// The answers to a datagram.
    public mutating func receive(_ datagram: [UInt8]) -> [[UInt8]] {
        sessions = sessions.filter { now - $0.value.heard < quirks.sessionIdle }
        var reader = ByteReader(datagram)
        do {
            let head = try reader.take(4, "RMCP")
            if head == [6, 0, 0xff, 6] { return Self.pong(reader.rest()) }
            guard head == [6, 0, 0xff, 7] else { return [] }
            if datagram.count > 4, datagram[4] == 0 { return one(outsideSession(Array(datagram.dropFirst(5)))) }
            guard try reader.uint8("authentication") == 6 else { return [] }
            let type = try reader.uint8("type")
            let session = try reader.uint32LE("session")
            _ = try reader.uint32LE("sequence")
            let payload = try reader.take(Int(try reader.uint16LE("length")), "payload")
            switch type {
            case 0x10: return one(open(payload))
            case 0x12: return one(challenge(payload))
            case 0x14: return one(confirm(payload))
            case 0xc0: return try inSession(session, datagram, payload)
            case 0xc1:
                guard let clear = try decrypt(session, datagram, payload), console.session == session else { return [] }
                if quirks.consoleLoses > 0, clear.first.map({ $0 & 15 != 0 }) ?? false {
                    quirks.consoleLoses -= 1
                    return []
                }
                return try console.receive(clear, quirks, now: now).map { try seal($0, type: 0xc1, session) }
            default: return []
            }
        } catch {
            return []
        }
    }

    private func one(_ datagram: [UInt8]?) -> [[UInt8]] { datagram.map { [$0] } ?? [] }

    /// What is to be sent without having been asked.
    public mutating func due() -> [[UInt8]] {
        guard let session = console.session, sessions[session] != nil else { return [] }
        if quirks.chatters { console.print(".") }
        return console.due(now: now).compactMap { try? seal($0, type: 0xc1, session) }
    }

    /// RMCP presence ping and pong (§13.2.3).
    private static func pong(_ rest: [UInt8]) -> [[UInt8]] {
        guard rest.count >= 8, rest[0..<5] == [0, 0, 0x11, 0xbe, 0x80] else { return [] }
        let head: [UInt8] = [6, 0, 0xff, 6, 0, 0, 0x11, 0xbe, 0x40, rest[5], 0, 16]
        return [head + [0, 0, 0x11, 0xbe, 0, 0, 0, 0, 0x81, 0] + Array(repeating: 0, count: 6)]
    }

    /// Get Channel Authentication Capabilities (§22.13) and Get Channel Cipher Suites (§22.15): before a session.
    private mutating func outsideSession(_ rest: [UInt8]) -> [UInt8]? {
        // Sequence (4), session (4), length (1), message.
        guard rest.count >= 9 + 7, rest[10] >> 2 == 0x06, [0x38, 0x54].contains(rest[9 + 5]) else { return nil }
        let request = Array(rest[9...])
        let (code, data) = perform(
            function: 0x06, command: request[5], data: Array(request[6..<request.count - 1]), session: 0)
        let answer = Self.message(request, code: code, data: data)
        return [6, 0, 0xff, 7, 0] + Array(repeating: 0, count: 8) + [UInt8(answer.count)] + answer
    }

    /// §13.17, §13.18.
    private mutating func open(_ payload: [UInt8]) -> [UInt8]? {
        guard payload.count >= 32 else { return nil }
        let consoleID = Self.number(payload[4..<8])
        let (authentication, integrity, confidentiality) = (payload[12], payload[20], payload[28])
        var suite: UInt8? =
            switch (authentication, integrity, confidentiality) {
            case (1, 1, 1): 3
            case (3, 4, 1): 17
            default: nil
            }
        if let suite, quirks.silentSuites.contains(suite) { return nil }
        if quirks.ownAlgorithms { suite = suites.min() }
        guard let suite, suites.contains(suite) else {
            // 11h: no cipher suite match.
            return Self.plain(0x11, [payload[0], 0x11, 0, 0] + Self.bytes(consoleID))
        }
        let crossed = quirks.crossedLogins > 0 ? sessions.first { $0.value.consoleID == consoleID }?.key : nil
        let id = crossed ?? nextSession
        nextSession += 1
        sessions[id] = Opening(suite: suite, consoleID: consoleID, heard: now)
        if quirks.crossedLogins > 0 {
            guard crossed != nil else { return nil }
            quirks.crossedLogins -= 1
            sessions[id]?.crossed = nextSession
        }
        var algorithms = Array(payload[8..<32])
        if quirks.ownAlgorithms { (algorithms[4], algorithms[12]) = suite == 3 ? (1, 1) : (3, 4) }
        return Self.plain(0x11, [payload[0], 0, 4, 0] + Self.bytes(consoleID) + Self.bytes(id) + algorithms)
    }

    /// RAKP 1 and 2 (§13.20, §13.21).
    private mutating func challenge(_ payload: [UInt8]) -> [UInt8]? {
        guard payload.count >= 28, payload.count >= 28 + Int(payload[27]) else { return nil }
        let id = Self.number(payload[4..<8])
        guard var session = sessions[id] else { return nil }
        let name = Array(payload[28..<28 + Int(payload[27])])
        guard let user = users.firstIndex(where: { Array($0.name.utf8) == name && $0.isEnabled && $0.mayMessage })
        else {
            // 0Dh: unauthorized name.
            return quirks.ignoresUnknownUsers
                ? nil : Self.plain(0x13, [payload[0], 0x0d, 0, 0] + Self.bytes(session.consoleID))
        }
        // 09h: more than the user may.
        guard payload[24] & 15 <= users[user].privilege, users[user].privilege != 15 else {
            return Self.plain(0x13, [payload[0], 0x09, 0, 0] + Self.bytes(session.consoleID))
        }
        (session.consoleRandom, session.role, session.user) = (Array(payload[8..<24]), payload[24], user)
        sessions[id] = session
        let code = hmac(
            session.suite,
            Self.bytes(session.consoleID) + Self.bytes(session.crossed ?? id) + session.consoleRandom + Self.random
                + Self.guid
                + identity(session), key: users[user].key)
        return Self.plain(
            0x13, [payload[0], 0, 0, 0] + Self.bytes(session.consoleID) + Self.random + Self.guid + code)
    }

    private func identity(_ session: Opening) -> [UInt8] {
        let name = Array(users[session.user].name.utf8)
        return [session.role, UInt8(name.count)] + name
    }

    /// RAKP 3 and 4 (§13.22, §13.23).
    private mutating func confirm(_ payload: [UInt8]) -> [UInt8]? {
        guard payload.count >= 8, payload[1] == 0 else { return nil }
        let id = Self.number(payload[4..<8])
        guard var session = sessions[id] else { return nil }
        let (identity, key) = (identity(session), users[session.user].key)
        let expected = hmac(session.suite, Self.random + Self.bytes(session.consoleID) + identity, key: key)
        guard Array(payload[8...]) == expected else {
            // 0Fh: invalid integrity check value.
            return Self.plain(0x15, [payload[0], 0x0f, 0, 0] + Self.bytes(session.consoleID))
        }
        let sessionKey = hmac(session.suite, session.consoleRandom + Self.random + identity, key: key)
        session.keys = (
            hmac(session.suite, Array(repeating: 1, count: 20), key: sessionKey),
            Array(hmac(session.suite, Array(repeating: 2, count: 20), key: sessionKey).prefix(16))
        )
        sessions[id] = session
        let check = hmac(session.suite, session.consoleRandom + Self.bytes(id) + Self.guid, key: sessionKey)
        return Self.plain(
            0x15,
            [payload[0], 0, 0, 0] + Self.bytes(session.consoleID) + check.prefix(session.suite == 3 ? 12 : 16))
    }

    private mutating func inSession(_ id: UInt32, _ datagram: [UInt8], _ payload: [UInt8]) throws -> [[UInt8]] {
        guard let request = try decrypt(id, datagram, payload), request.count >= 7 else { return [] }
        if let number = quirks.forgetsBefore, commands.count + 1 >= number {
            quirks.forgetsBefore = nil
            forgetSessions()
            return []
        }
        let (function, command) = (request[1] >> 2, request[5])
        let data = Array(request[6..<request.count - 1])
        let taker = function == 6 && command == 0x49 ? console.session : nil
        let (code, answer) =
            dice.falls(quirks.busy)
            ? (0xc0, []) : perform(function: function, command: command, data: data, session: id)
        if quirks.losesControlAnswers, function == 0, command == 2 { return [] }
        var datagrams = [try seal(Self.message(request, code: code, data: answer), type: 0xc0, id)]
        // Who had the console is told that it is gone.
        if let taker, taker != id, console.session == nil {
            datagrams.append(try seal([0, 0, 0, 0x10], type: 0xc1, taker))
        }
        if function == 6, command == 0x3c { sessions[id] = nil }
        if console.session == id { datagrams += try console.due(now: now).map { try seal($0, type: 0xc1, id) } }
        return datagrams
    }

    /// The message in a datagram of a session; nil when it is not of one that is open.
    private mutating func decrypt(_ id: UInt32, _ datagram: [UInt8], _ payload: [UInt8]) throws -> [UInt8]? {
        guard var session = sessions[id], let keys = session.keys, payload.count >= 32 else { return nil }
        let short = session.suite == 3 ? 12 : 16
        let covered = Array(datagram[4..<datagram.count - short])
        guard Array(datagram.suffix(short)) == Array(hmac(session.suite, covered, key: keys.integrity).prefix(short))
        else { return nil }
        session.heard = now
        sessions[id] = session
        let clear = try AES._CBC.decrypt(
            Data(payload[16...]), using: SymmetricKey(data: keys.encryption), iv: AES._CBC.IV(ivBytes: payload[0..<16]),
            noPadding: true)
        return Array(clear.dropLast(Int(clear.last ?? 0) + 1))
    }

    private mutating func seal(_ message: [UInt8], type: UInt8, _ id: UInt32) throws -> [UInt8] {
        guard var session = sessions[id], let keys = session.keys else { throw CryptoKitError.incorrectKeySize }
        let pad = (16 - (message.count + 1) % 16) % 16
        let padded = message + (0..<pad).map { UInt8($0 + 1) } + [UInt8(pad)]
        let iv = (0..<16).map { _ in UInt8.random(in: 0...255) }
        let key = SymmetricKey(data: keys.encryption)
        let sealed =
            iv + Array(try AES._CBC.encrypt(padded, using: key, iv: AES._CBC.IV(ivBytes: iv), noPadding: true))
        session.sequence += 1
        sessions[id] = session
        var packet =
            [6, type] + Self.bytes(session.consoleID) + Self.bytes(session.sequence)
            + [UInt8(sealed.count & 0xff), UInt8(sealed.count >> 8)] + sealed
        let fill = (4 - (packet.count + 2) % 4) % 4
        packet += Array(repeating: 0xff, count: fill) + [UInt8(fill), 7]
        let short = session.suite == 3 ? 12 : 16
        return [6, 0, 0xff, 7] + packet + hmac(session.suite, packet, key: keys.integrity).prefix(short)
    }

    private func hmac(_ suite: UInt8, _ data: [UInt8], key: [UInt8]) -> [UInt8] {
        // Offered, and computed over something else.
        let data = quirks.brokenSuites.contains(suite) ? data + [0] : data
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
