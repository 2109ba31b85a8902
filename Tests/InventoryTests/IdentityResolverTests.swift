import Inventory
import NetworkAddresses
import Testing

/// Who a machine is that shows itself: tables of what happens in racks, and properties of any machines.
@Suite struct IdentityResolverTests {
    static let uuid = SystemUUID("4c4c4544-0042-3510-8052-b4c04f4e3132")
    static let known = MachineIdentity(
        uuid: uuid, serial: "7XJQ1K3", boardSerial: "B-1", macs: [mac(1), mac(2)], bmcMAC: "b8:ca:3a:00:00:99")

    static func mac(_ number: UInt64) -> MACAddress { MACAddress(rawValue: 0xb8ca_3a00_0000 + number) }

    struct Case: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var change: @Sendable (inout MachineIdentity) -> Void
        /// Nil: a new one.
        var isSame: Bool?
    }

    static let cases: [Case] = [
        Case(testDescription: "as it was", change: { _ in }, isSame: true),
        Case(testDescription: "a NIC more", change: { $0.macs.append(mac(3)) }, isSame: true),
        Case(testDescription: "a NIC replaced", change: { $0.macs[1] = mac(7) }, isSame: true),
        Case(testDescription: "UUID in the other byte order", change: { $0.uuid = $0.uuid?.swapped }, isSame: true),
        Case(testDescription: "serial in other letters", change: { $0.serial = "7xjq1k3" }, isSame: true),
        Case(
            testDescription: "an agent that reads less", change: { ($0.boardSerial, $0.bmcMAC) = (nil, nil) },
            isSame: true),
        Case(testDescription: "all NICs replaced", change: { $0.macs = [mac(7), mac(8)] }, isSame: false),
        Case(
            testDescription: "a new board that was given the old serial",
            change: {
                ($0.uuid, $0.boardSerial, $0.macs) = (
                    SystemUUID("4c4c4544-0042-3510-8052-b4c04f4e3133"), "B-2", [mac(9)]
                )
            },
            isSame: false),
        Case(
            testDescription: "a new board with its cards",
            change: { ($0.uuid, $0.serial, $0.boardSerial) = (nil, nil, "B-2") }, isSame: false),
        Case(testDescription: "its BMC was replaced", change: { $0.bmcMAC = "b8:ca:3a:00:00:98" }, isSame: false),
        Case(
            testDescription: "its NIC in another machine",
            change: {
                $0 = MachineIdentity(
                    uuid: SystemUUID("4c4c4544-0042-3510-8052-b4c04f4e3134"), serial: "OTHER", macs: [mac(2)])
            },
            isSame: false),
        Case(testDescription: "its UUID and no more", change: { $0 = MachineIdentity(uuid: uuid) }, isSame: false),
        Case(
            testDescription: "its serial and no more", change: { $0 = MachineIdentity(serial: "7XJQ1K3") },
            isSame: false),
        Case(
            testDescription: "its NICs and nothing else that it had",
            change: { $0 = MachineIdentity(macs: [mac(1), mac(2)]) }, isSame: false),
        Case(
            testDescription: "another machine",
            change: {
                $0 = MachineIdentity(
                    uuid: SystemUUID("4c4c4544-0042-3510-8052-b4c04f4e3139"), serial: "S", macs: [mac(77)])
            },
            isSame: nil),
        Case(testDescription: "one that shows nothing", change: { $0 = MachineIdentity() }, isSame: nil),
    ]

    @Test("known, a question, or new", arguments: cases)
    func verdict(_ row: Case) {
        var identity = Self.known
        row.change(&identity)
        switch IdentityResolver([.init(id: "a", identity: Self.known)]).resolve(identity) {
        case .same(let id): #expect(id == "a" && row.isSame == true)
        case .question(let id, let comparison): #expect(id == "a" && row.isSame == false, "\(comparison)")
        case .new: #expect(row.isSame == nil)
        }
    }

    @Test("the TPM's endorsement key weighs most, and says nothing alone")
    func endorsementKey() {
        func known(_ key: String?) -> IdentityResolver {
            var identity = Self.known
            identity.endorsementKeyHash = key
            return IdentityResolver([.init(id: "a", identity: identity)])
        }
        var shown = Self.known
        shown.endorsementKeyHash = "e1"
        #expect(known("e1").resolve(shown) == .same("a"))
        // An agent that could not ask the TPM, now or then.
        #expect(known(nil).resolve(shown) == .same("a") && known("e1").resolve(Self.known) == .same("a"))
        // Another TPM beside all that is the same, and the same TPM beside nothing else.
        for (key, identity) in [("e2", shown), ("e1", MachineIdentity(endorsementKeyHash: "e1"))] {
            guard case .question("a", _) = known(key).resolve(identity) else {
                Issue.record("\(key): no question")
                continue
            }
        }
        // Two machines that have something of it: the one with its TPM is asked about.
        var other = MachineIdentity(serial: Self.known.serial)
        other.endorsementKeyHash = "e3"
        let two = IdentityResolver([
            .init(id: "b", identity: MachineIdentity(uuid: Self.uuid, serial: "X")), .init(id: "c", identity: other),
        ])
        guard
            case .question("c", _) = two.resolve(
                MachineIdentity(uuid: Self.uuid, serial: "Y", endorsementKeyHash: "e3"))
        else {
            Issue.record("it is not c that is asked about")
            return
        }
    }

    @Test("machines that come, change and go leave nothing behind")
    func changes() {
        var random = Seeded(state: 5)
        var resolver = IdentityResolver()
        var known: [String: IdentityResolver.Known] = [:]
        for _ in 0..<600 {
            let id = "\(random.next() % 40)"
            if random.next() % 4 == 0 {
                known[id] = nil
                resolver.remove(id)
            } else {
                // Of few, so that they share much.
                var identity = Self.machine(&random, number: random.next() % 20)
                if random.next() % 3 == 0 { identity.serial = "SHARED" }
                known[id] = .init(id: id, identity: identity, isQuestioned: random.next() % 5 == 0)
                if let machine = known[id] { resolver.update(machine) }
            }
            let shown = Self.machine(&random, number: random.next() % 20)
            #expect(resolver.resolve(shown) == IdentityResolver(Array(known.values)).resolve(shown))
        }
    }

    @Test("a question says what agrees, what differs, and what only one of them has")
    func words() {
        var identity = Self.known
        (identity.macs, identity.bmcMAC) = ([Self.mac(7)], nil)
        let verdict = IdentityResolver([.init(id: "a", identity: Self.known)]).resolve(identity)
        guard case .question(_, let comparison) = verdict else {
            Issue.record("\(verdict)")
            return
        }
        #expect(comparison.description == "the same serial, UUID, board serial; another NICs; only one has a BMC")
    }

    @Test(
        "UUIDs that tell nothing, in either byte order",
        arguments: [
            ("00000000-0000-0000-0000-000000000000", false), ("ffffffff-ffff-ffff-ffff-ffffffffffff", false),
            ("03000200-0400-0500-0006-000700080009", false), ("00020003-0004-0005-0006-000700080009", false),
            ("12345678-1234-1234-1234-123456681234", false), ("4c4c4544-0042-3510-8052-b4c04f4e3132", true),
            // Supermicro's, which is the first NIC's address behind zeros.
            ("00000000-0000-0000-0000-ac1f6b123456", true),
        ])
    func bogus(text: String, isTelling: Bool) {
        #expect(SystemUUID(text)?.isTelling == isTelling)
        let both = MachineIdentity(uuid: SystemUUID(text), serial: "S-1")
        let comparison = IdentityResolver([]).compare(both, both)
        #expect(comparison.agreeing.contains(.uuid) == isTelling)
    }

    @Test("what several machines show tells none of them; what somebody only claims takes nothing away")
    func shared() {
        func board(_ number: UInt64, serial: String? = "SYS-1") -> MachineIdentity {
            MachineIdentity(uuid: Self.uuid, serial: serial, macs: [Self.mac(number)])
        }
        let two = [IdentityResolver.Known(id: "a", identity: board(1)), .init(id: "b", identity: board(2))]
        #expect(IdentityResolver(two).resolve(board(3)) == .new)
        #expect(IdentityResolver(two).resolve(board(2)) == .same("b"))
        let claimed = [two[0], .init(id: "b", identity: board(2), isQuestioned: true)]
        guard case .question("a", _) = IdentityResolver(claimed).resolve(board(3)) else {
            Issue.record("the claim made a's serial common")
            return
        }
        #expect(IdentityResolver(claimed).resolve(board(1)) == .same("a"))
    }

    // MARK: Properties, of machines made by a fixed seed

    struct Seeded: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            // splitmix64
            state &+= 0x9e37_79b9_7f4a_7c15
            var z = state
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            return z ^ (z >> 31)
        }
    }

    /// Facts are there or not, and every one is this machine's alone.
    static func machine(_ random: inout Seeded, number: UInt64) -> MachineIdentity {
        func maybe<Value>(_ value: Value) -> Value? { random.next() % 4 == 0 ? nil : value }
        let bytes = (0..<16).map { _ in UInt8.random(in: 0...255, using: &random) }
        let nics = (0..<UInt64.random(in: 0...4, using: &random)).map { mac(number * 16 + $0) }
        return MachineIdentity(
            uuid: SystemUUID(smbios: bytes).flatMap { maybe($0) }, serial: maybe("S\(number)"),
            boardSerial: maybe("B\(number)"), macs: nics, bmcMAC: maybe("M\(number)"),
            endorsementKeyHash: maybe("E\(number)"))
    }

    @Test("of any machines: each is itself, none is another, and no mixture of two is taken for either where both tell")
    func properties() {
        var random = Seeded(state: 2026)
        let machines = (0..<80).map { Self.machine(&random, number: UInt64($0)) }
        let resolver = IdentityResolver(machines.enumerated().map { .init(id: "\($0.offset)", identity: $0.element) })
        for (index, machine) in machines.enumerated() {
            var again = machine
            if random.next() % 2 == 0 { again.uuid = again.uuid?.swapped }
            switch resolver.resolve(again) {
            case .same(let id), .question(let id, _): #expect(id == "\(index)")
            case .new: #expect(machine == MachineIdentity())
            }
            let (other, mixed) = mixture(machine, machines[Int(random.next() % 80)], &random)
            if case .same(let id) = resolver.resolve(mixed) {
                // It has the whole of what this machine tells, or nothing of the other's that this machine has another of.
                let whole = id == "\(index)" ? machine : other
                #expect(resolver.compare(mixed, whole).differing.isEmpty)
                #expect(id == "\(index)" || machines[Int(id) ?? 0] == other)
            }
            let (one, two) = (resolver.compare(machine, mixed), resolver.compare(mixed, machine))
            #expect(one == two)
        }
        let shuffled = IdentityResolver(
            machines.enumerated().map { .init(id: "\($0.offset)", identity: $0.element) }.shuffled(using: &random))
        for machine in machines { #expect(shuffled.resolve(machine) == resolver.resolve(machine)) }
    }

    private func mixture(
        _ one: MachineIdentity, _ other: MachineIdentity, _ random: inout Seeded
    ) -> (MachineIdentity, MachineIdentity) {
        var mixed = one
        if random.next() % 2 == 0 { mixed.uuid = other.uuid }
        if random.next() % 2 == 0 { mixed.serial = other.serial }
        if random.next() % 2 == 0 { mixed.macs = other.macs }
        if random.next() % 2 == 0 { mixed.boardSerial = other.boardSerial }
        return (other, mixed)
    }
}
