import TestSupport
import Testing

@testable import IPMI

/// A BMC's users as a table, laid out from IPMI v2.0 §22.26 to §22.31.
struct ScriptedUsers {
    var names: [UInt8: String]
    var most: UInt8 = 5
    var keys: [UInt8: [UInt8]] = [:]
    var access: [UInt8: UInt8] = [:]
    var enabled: Set<UInt8> = []
    /// Answers of other codes, by command.
    var refusals: [UInt8: CompletionCode] = [:]
    var log: [String] = []

    mutating func answer(_ request: Request) -> (CompletionCode, [UInt8]) {
        log.append(request.name)
        if let code = refusals[request.command] { return (code, []) }
        let data = request.data
        switch (request.function, request.command) {
        case (.application, 0x42): return (.success, [data[0], data[0] == 2 ? 4 : 5, 1])
        case (.application, 0x43): access[data[1]] = data[0] & 0x10 | data[2]
        case (.application, 0x44):
            return (.success, [most, enabled.contains(data[1]) ? 0x41 : 0x81, 1, access[data[1]] ?? 0x0f])
        case (.application, 0x45): names[data[0]] = UserName.text(answer: Array(data[1...]))
        case (.application, 0x46):
            guard let name = names[data[0]] else { return (.invalidField, []) }
            return (.success, Array(name.utf8) + Array(repeating: 0, count: 16 - name.utf8.count))
        case (.application, 0x47):
            let user = data[0] & 0x3f
            switch data[1] {
            case 1: enabled.insert(user)
            case 2: keys[user] = Array(data[2...])
            default: return (keys[user] == Array(data[2...]) ? .success : .passwordDiffers, [])
            }
        default: break
        }
        return (.success, [])
    }
}

@Suite struct UserTests {
    private func setUp(_ users: inout ScriptedUsers, password: String = "Long-enough-9") throws
        -> BMCUserSetup.Outcome?
    {
        var setup = try BMCUserSetup(name: "slipway", password: password)
        try converse(&setup) { users.answer($0) }
        return setup.outcome
    }

    @Test("takes the first free slot, and no other user is touched")
    func free() throws {
        var users = ScriptedUsers(names: [1: "", 2: "root", 4: "backup"])
        let outcome = try setUp(&users)
        #expect(outcome == .init(user: 3, channel: 2, passwordSize: .sixteen, wasThere: false, remarks: []))
        #expect(users.names == [1: "", 2: "root", 3: "slipway", 4: "backup"])
        #expect(users.access == [3: 0x14] && users.enabled == [3] && Array(users.keys.keys) == [3])
    }

    @Test("a slot with our name is taken over, with a password of twenty bytes if need be")
    func ours() throws {
        var users = ScriptedUsers(names: [1: "", 2: "root", 5: "slipway"])
        let outcome = try setUp(&users, password: "A-longer-one-of-20-b")
        #expect(outcome?.user == 5 && outcome?.wasThere == true && outcome?.passwordSize == .twenty)
        #expect(users.keys[5]?.count == 20 && !users.log.contains("set the name of user 5"))
    }

    @Test("without a free slot or a LAN nothing is changed")
    func none() throws {
        var users = ScriptedUsers(names: [1: "", 2: "a", 3: "b", 4: "c", 5: "d"])
        #expect(throws: ConversationError.impossible("all 5 users of this BMC have names; free one that is not needed"))
        {
            try setUp(&users)
        }
        var lone = ScriptedUsers(names: [:], refusals: [0x42: .invalidField])
        #expect(throws: ConversationError.impossible("this BMC has no LAN channel")) { try setUp(&lone) }
        for users in [users, lone] { #expect(!users.log.contains { $0.hasPrefix("set") || $0.hasPrefix("enable") }) }
        #expect(throws: ConversationError.self) { try BMCUserSetup(name: "", password: "x") }
        #expect(throws: ConversationError.self) { try BMCUserSetup(name: "x", password: "this is longer than twenty") }
    }

    @Test("what cannot be read back is no success; the console and the test are not needed")
    func readBack() throws {
        var users = ScriptedUsers(names: [1: ""], refusals: [0x4c: .invalidCommand])
        #expect(try setUp(&users)?.remarks == ["console not allowed: the BMC does not know this command (C1h)"])
        var refused = ScriptedUsers(names: [1: ""], refusals: [0x43: .insufficientPrivilege])
        #expect(throws: ConversationError.self) { try setUp(&refused) }
        // Order: nobody is enabled without a password.
        let order = users.log.filter { $0.hasPrefix("set the") || $0.hasPrefix("enable") }
        #expect(
            order == [
                "set the name of user 2", "set the password of user 2", "set the access of user 2", "enable user 2",
            ])
    }

    @Test("passwords of commands are in no text")
    func withheld() {
        let text = Request.setPassword(2, "hunter2", size: .sixteen).exchangeText
        #expect(text == "set the password of user 2: 06 47 (data withheld)")
    }

    @Test(
        "passwords have all classes, no twins, and differ",
        arguments: [Manufacturer.huawei, .lenovo, .nvidia, .init(rawValue: 0)])
    func policy(manufacturer: Manufacturer) {
        var generator = SeededGenerator(seed: UInt64(manufacturer.rawValue))
        let policy = BMCPasswordPolicy.of(manufacturer)
        var all: Set<String> = []
        for _ in 0..<500 {
            let password = policy.password(using: &generator)
            let bytes = Array(password.utf8)
            #expect(bytes.count == policy.length && 13...20 ~= bytes.count && policy.accepts(bytes))
            #expect(password.first?.isLetter == true && zip(bytes, bytes.dropFirst()).allSatisfy { $0 != $1 })
            #expect(!password.contains { "\"'`$\\&<>@:/?#% ;|!~^".contains($0) })
            all.insert(password)
        }
        #expect(all.count == 500)
        #expect(
            BMCPasswordPolicy(length: 3, specials: []).length == 8
                && BMCPasswordPolicy(length: 99, specials: []).length == 20)
    }
}

@Suite struct ProbingTests {
    @Test("what is offered before a session")
    func capabilities() throws {
        #expect(
            Probing.datagram(.authenticationCapabilities)
                == bytes("0600ff07 00 00000000 00000000 09 2018c8 81 00 38 8e04 b5"))
        // From ipmi_sim: the answer's envelope, channel 1, MD5 and extended, user names, IPMI 1.5 and 2.0.
        let message = bytes("81 1c 63 20 00 38 00 01 84 04 03 00 00 00 00")
        let sum = 0 &- message[3...].reduce(0, &+)
        let answer = bytes("0600ff07 00 00000000 00000000 10") + message + [sum]
        let response = try #require(Probing.response(answer, to: .authenticationCapabilities))
        let found = try #require(AuthenticationCapabilities(answer: response.data))
        #expect(found.hasIPMI2 && found.channel == 1 && !found.allowsNamelessUsers && !found.allowsNoAuthentication)
        for length in 0..<answer.count {
            #expect(Probing.response(Array(answer.prefix(length)), to: .authenticationCapabilities) == nil)
        }
    }

    @Test("cipher suite records (§22.15.1)")
    func suites() {
        // 0 (none at all), 3, 17, and an OEM's suite.
        #expect(
            CipherSuiteList.numbers(bytes("c000000040 80 c003014181 c1 80 a20200 01 4181 c011 034481")) == [0, 3, 17])
        #expect(CipherSuiteList.numbers([0xc0]) == [])
    }

    @Test("the byte order of GUIDs that makes sense is taken")
    func guid() {
        let text = "4c4c4544-0044-4210-8048-b4c04f4b5931"
        let network = bytes(text.filter { $0 != "-" })
        let smbios = [3, 2, 1, 0, 5, 4, 7, 6].map { network[$0] } + network[8...]
        for order in [network, smbios, network.reversed()] { #expect(SystemGUID.text(answer: order) == text) }
        #expect(SystemGUID.text(answer: Array(repeating: 0, count: 16)) == nil && SystemGUID.text(answer: [1]) == nil)
    }

    @Test("LAN parameters are held, set, released also when refused, and read back")
    func lan() throws {
        var log: [[UInt8]] = []
        var values: [UInt8: [UInt8]] = [:]
        var setting = LANSetting(.init(source: .fixed, address: [10, 0, 0, 9], mask: [255, 0, 0, 0]), channel: 1)
        try converse(&setting) { request in
            log.append([request.command] + request.data)
            if request.command == 1 { values[request.data[1]] = Array(request.data[2...]) }
            return (.success, request.command == 2 ? [0x11] + (values[request.data[1]] ?? []) : [])
        }
        #expect(
            log.prefix(6) == [
                [1, 1, 0, 1], [1, 1, 4, 1], [1, 1, 6, 255, 0, 0, 0], [1, 1, 3, 10, 0, 0, 9], [1, 1, 0, 2],
                [1, 1, 0, 0],
            ])
        var refused = LANSetting(.init(address: [10, 0, 0, 9]), channel: 1)
        var last: [UInt8] = []
        #expect(throws: ConversationError.self) {
            try converse(&refused) { request in
                last = request.data
                return request.data[1] == 3 ? (.invalidField, []) : (.success, [])
            }
        }
        #expect(last == [1, 0, 0] && refused.hasWritten)
        var liar = LANSetting(.init(address: [10, 0, 0, 9]), channel: 1)
        #expect(throws: ConversationError.self) { try converse(&liar) { _ in (.success, [0x11, 0, 0, 0, 0]) } }
    }
}
