import TestSupport
import Testing

@testable import IPMI

/// The expected codes were computed apart from this code, with Python's hmac and hashlib, from IPMI v2.0 §13.31 and §13.32:
/// password `secret`, user `admin`, console id A0A2A3A4h, BMC id 04030201h, random numbers 00…0F and 10…1F, GUID 20…2F.
@Suite struct HandshakeTests {
    struct Vector: Sendable {
        var suite: CipherSuite
        var rakp2: String
        var rakp3: String
        var rakp4: String
    }

    static let vectors = [
        Vector(
            suite: .three, rakp2: "1b5f1ffb9f4fb0ed0784c37c0ee3457ae09fc912",
            rakp3: "f2b8ed7378ab0857e9301e06537ccf674459a8f2",
            rakp4: "2022d45c5e762a8677441374"),
        Vector(
            suite: .seventeen, rakp2: "0b0e497d05296166243aca9b6360fcdccbfad8f368948bd9e357159fb69b8b1f",
            rakp3: "99d823aeca7b41dd4edc23e3c14dfece8b0932ea37602d5957b3ad6978c1c23d",
            rakp4: "4d0ed818341959a81312d13f79fcbab9"),
    ]

    static let random = (0..<16).map { UInt8($0) }
    static let bmcPart = "101112131415161718191a1b1c1d1e1f 202122232425262728292a2b2c2d2e2f"

    static func handshake(_ suite: CipherSuite) -> Handshake {
        Handshake(
            suite: suite, credentials: .init(username: "admin", password: "secret"), consoleID: 0xa0a2_a3a4,
            consoleRandom: random)
    }

    static func opened(_ suite: CipherSuite, _ handshake: inout Handshake) -> Handshake.Step {
        let algorithms = bytes(
            "00000008 \(suite == .three ? "01" : "03")000000 01000008 \(suite == .three ? "01" : "04")000000 02000008 01000000"
        )
        return handshake.receive(
            Packet.unprotected(.openSessionResponse, bytes("\(tag(suite))000400 a4a3a2a0 01020304") + algorithms))
    }

    /// Of an attempt's messages, in hex.
    static func tag(_ suite: CipherSuite) -> String { suite == .three ? "03" : "11" }

    @Test("RAKP as the specification has it", arguments: vectors)
    func rakp(vector: Vector) throws {
        var handshake = Self.handshake(vector.suite)
        let tag = Self.tag(vector.suite)
        guard case .send(let first) = Self.opened(vector.suite, &handshake) else { throw Failure() }
        #expect(
            first.suffix(44 - 11)
                == Packet.unprotected(
                    .rakp1, bytes("\(tag)000000 01020304") + Self.random + bytes("14000005") + Array("admin".utf8)
                ).suffix(33))
        let second = handshake.receive(
            Packet.unprotected(.rakp2, bytes(tag + "000000 a4a3a2a0" + Self.bmcPart + vector.rakp2)))
        guard case .send(let third) = second else { throw Failure() }
        #expect(third == Packet.unprotected(.rakp3, bytes(tag + "000000 01020304" + vector.rakp3)))
        guard
            case .established = handshake.receive(
                Packet.unprotected(.rakp4, bytes(tag + "000000 a4a3a2a0" + vector.rakp4)))
        else { throw Failure() }
    }

    @Test("a BMC that does not know the password is refused, whichever bit differs", arguments: vectors)
    func wrongCode(vector: Vector) throws {
        for index in stride(from: 0, to: vector.suite.codeLength * 8, by: 7) {
            var handshake = Self.handshake(vector.suite)
            _ = Self.opened(vector.suite, &handshake)
            var code = bytes(vector.rakp2)
            code[index / 8] ^= 1 << UInt8(index % 8)
            let head = bytes(Self.tag(vector.suite) + "000000 a4a3a2a0" + Self.bmcPart)
            let step = handshake.receive(Packet.unprotected(.rakp2, head + code))
            guard case .failed(.wrongPassword(let user)) = step else { throw Failure() }
            #expect(user == "admin")
        }
    }

    @Test("refusals are told in words")
    func refused() {
        var handshake = Self.handshake(.three)
        _ = Self.opened(.three, &handshake)
        guard case .failed(let error) = handshake.receive(Packet.unprotected(.rakp2, bytes("030d0000 a4a3a2a0"))) else {
            Issue.record("not refused")
            return
        }
        #expect(error.description == "logging in as admin: unknown user name (0Dh)")
    }

    @Test("a late refusal of an earlier attempt is passed over, one without an id is taken")
    func lateRefusal() {
        for (type, name) in [(PayloadType.openSessionResponse, "open"), (.rakp2, "rakp2")] {
            var handshake = Self.handshake(.three)
            if type == .rakp2 { _ = Self.opened(.three, &handshake) }
            guard case .ignored = handshake.receive(Packet.unprotected(type, bytes("03110000 01010101"))) else {
                Issue.record("\(name): taken")
                continue
            }
            // Too short for an id, and of the attempt with suite 17.
            guard case .ignored = handshake.receive(Packet.unprotected(type, bytes("11040000"))) else {
                Issue.record("\(name): taken by its length")
                continue
            }
            guard case .failed = handshake.receive(Packet.unprotected(type, bytes("03110000"))) else {
                Issue.record("\(name): not refused")
                continue
            }
        }
    }

    @Test("strays, truncations and random bytes are passed over")
    func strays() {
        var generator = SeededGenerator(seed: 5)
        var handshake = Self.handshake(.seventeen)
        for length in 0..<300 {
            guard case .ignored = handshake.receive(generator.bytes(length)) else {
                Issue.record("taken")
                return
            }
        }
        let packet = Packet.unprotected(.openSessionResponse, bytes("00000400 a4a3a2a0 01020304"))
        for length in 0..<packet.count {
            guard case .ignored = handshake.receive(Array(packet.prefix(length))) else {
                Issue.record("taken")
                return
            }
        }
    }

    @Test("a password is not in the description of credentials")
    func redacted() { #expect(!"\(Handshake.Credentials(username: "admin", password: "hunter2"))".contains("hunter2")) }

    struct Failure: Error {}
}

@Suite struct SessionTests {
    static func pair(_ suite: CipherSuite) -> (console: Session, bmc: Session) {
        let key = suite.hmac([1], key: [2])
        return (
            Session(suite: suite, consoleID: 7, bmcID: 9, sessionKey: key),
            Session(suite: suite, consoleID: 9, bmcID: 7, sessionKey: key)
        )
    }

    /// What a BMC would answer: the same message with the response bit, a completion code and data.
    static func answer(_ session: inout Session, to request: Request, sequence: UInt8, code: UInt8 = 0, data: [UInt8])
        throws -> [UInt8]
    {
        // The request's own layout with its data is an answer's when the completion code leads the data.
        let reply = Request(
            "answer", NetworkFunction(rawValue: request.function.rawValue | 1), request.command, data: [code] + data)
        var sealed: (datagram: [UInt8], sequence: UInt8) = ([], 0)
        repeat {
            sealed = try session.seal(reply, iv: Array(repeating: 3, count: 16))
        } while sealed.sequence != sequence
        return sealed.datagram
    }

    @Test(
        "an answer is opened once: repeats, altered and foreign datagrams are nothing", arguments: CipherSuite.allCases)
    func opens(suite: CipherSuite) throws {
        var (console, bmc) = Self.pair(suite)
        let (_, sequence) = try console.seal(.chassisStatus, iv: Array(repeating: 1, count: 16))
        let datagram = try Self.answer(&bmc, to: .chassisStatus, sequence: sequence, data: [0x21, 0, 0])
        for index in 0..<datagram.count {
            var broken = datagram
            broken[index] ^= 0x40
            var copy = console
            #expect(copy.open(broken) == nil)
        }
        let opened = console.open(datagram)
        let response = try #require(opened)
        #expect(response.code == .success && response.data == [0x21, 0, 0] && response.sequence == sequence)
        #expect(console.open(datagram) == nil)
        var other = Session(suite: suite, consoleID: 7, bmcID: 9, sessionKey: suite.hmac([9], key: [9]))
        #expect(other.open(datagram) == nil)
    }

    @Test("the replay window admits each number once, and nothing much older than the newest")
    func window() {
        var window = ReplayWindow()
        #expect(window.admit(5) && !window.admit(5) && window.admit(4) && window.admit(100))
        #expect(!window.admit(5) && !window.admit(36) && window.admit(37) && !window.admit(0))
    }
}

@Suite struct CommandTests {
    @Test("checksums add up to zero (§13.8)")
    func checksums() {
        let message = Request.chassisControl(.powerCycle).message(sequence: 1)
        #expect(message == bytes("20 00 e0 81 04 02 02 77"))
        #expect(message[0..<3].reduce(0, &+) == 0 && message[3...].reduce(0, &+) == 0)
    }

    @Test("boot flags (table 28-14)")
    func bootFlags() {
        #expect(Request.setBootFlags(BootFlags(device: .network, isUEFI: true)).data == bytes("05 a0 04 00 00 00"))
        #expect(Request.setBootFlags(BootFlags(device: .disk, isUEFI: false)).data == bytes("05 80 08 00 00 00"))
        let read = BootFlags(answer: bytes("01 05 a0 04 00 00 00"))
        #expect(read == BootFlags(device: .network, isUEFI: true))
        #expect(BootFlags(answer: bytes("01 05 00 00 00 00 00"))?.isValid == false)
        #expect(BootFlags(answer: [1, 5]) == nil)
    }

    @Test("cycle and reset are never repeated, on and off may be")
    func repeatable() {
        #expect(!Request.chassisControl(.powerCycle).isRepeatable && !Request.chassisControl(.hardReset).isRepeatable)
        #expect(Request.chassisControl(.powerUp).isRepeatable && Request.chassisControl(.powerDown).isRepeatable)
    }
}
