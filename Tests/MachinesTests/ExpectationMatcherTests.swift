import Foundation
import Inventory
import NetworkAddresses
import Testing

@testable import Machines

@Suite struct ExpectationMatcherTests {
    private typealias Matcher = ExpectationMatcher

    private static func mac(_ number: UInt64) -> MACAddress { MACAddress(rawValue: 0x0016_3e00_0000 + number) }

    private static func matcher(
        _ claims: [Matcher.Claim], _ arrivals: [Matcher.Arrival]
    ) -> Matcher {
        var matcher = Matcher()
        for claim in claims { matcher.update(claim, name: claim.name) }
        for arrival in arrivals { matcher.update(arrival, id: arrival.id) }
        return matcher
    }

    @Test("a machine is what was announced by serial, then by MAC, and by nothing that firmware makes up")
    func one() {
        let matcher = Self.matcher(
            [
                .init(name: "serial", serial: "AbC123"), .init(name: "mac", macs: [Self.mac(1)]),
                .init(name: "both", serial: "S-2", macs: [Self.mac(2)]),
                .init(name: "bogus", serial: "Default string", macs: [Self.mac(3)]),
            ],
            [
                .init(id: "m-serial", serial: " abc123 "),
                .init(id: "m-mac", serial: "S-9", macs: [Self.mac(1), Self.mac(9)]),
                .init(id: "m-half", serial: "S-2", macs: [Self.mac(8)]),
                .init(id: "m-bogus", serial: "DEFAULT STRING", macs: [Self.mac(7)]),
                .init(id: "m-zeros", serial: "000000"), .init(id: "m-other", serial: "S-7"),
            ])
        #expect(matcher.verdict(on: "m-serial") == .matched("serial", others: []))
        #expect(matcher.verdict(on: "m-mac") == .matched("mac", others: []))
        #expect(matcher.verdict(on: "m-half") == .matched("both", others: []))
        for id in ["m-bogus", "m-zeros", "m-other", "nobody"] { #expect(matcher.verdict(on: id) == .unexpected) }
    }

    @Test("where several fit nobody is matched, and what was matched is not taken over")
    func several() {
        // The serial is one's and the MAC another's.
        let twisted = Self.matcher(
            [.init(name: "a", serial: "S-1"), .init(name: "b", macs: [Self.mac(1)])],
            [.init(id: "m", serial: "S-1", macs: [Self.mac(1)])])
        #expect(twisted.verdict(on: "m") == .severalAnnouncements(["a", "b"]))
        // Two machines with one serial.
        var twins = Self.matcher(
            [.init(name: "a", serial: "S-1")], [.init(id: "m-1", serial: "S-1"), .init(id: "m-2", serial: "s-1")])
        #expect(twins.verdict(on: "m-1") == .severalMachines("a", ["m-1", "m-2"]))
        #expect(twins.verdict(on: "m-2") == .severalMachines("a", ["m-1", "m-2"]))
        // One of them was there first.
        twins.update(.init(name: "a", serial: "S-1", holder: "m-1"), name: "a")
        #expect(twins.verdict(on: "m-1") == .matched("a", others: []))
        #expect(twins.verdict(on: "m-2") == .taken("a", by: "m-1"))
        // A second announcement does not take it away.
        twins.update(.init(name: "b", serial: "S-1"), name: "b")
        #expect(twins.verdict(on: "m-1") == .matched("a", others: ["b"]))
        #expect(twins.verdict(on: "m-2") == .severalAnnouncements(["a", "b"]))
        // It is mended, and the first machine is no longer it.
        twins.update(nil, name: "b")
        twins.update(.init(name: "a", serial: "S-7", holder: "m-1"), name: "a")
        #expect(twins.verdict(on: "m-1") == .unexpected && twins.verdict(on: "m-2") == .unexpected)
        // The holder is gone.
        twins.update(.init(name: "a", serial: "S-1", holder: "m-0"), name: "a")
        twins.update(nil, id: "m-1")
        #expect(twins.verdict(on: "m-2") == .matched("a", others: []))
    }

    @Test("however things come and go, no machine has two announcements, and none two machines", arguments: 0..<60)
    func property(seed: UInt64) {
        var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        // Few serials and MACs, so that they clash.
        func serial() -> String? { random(3) == 0 ? nil : "S-\(random(5))" }
        func macs() -> Set<MACAddress> { Set((0..<random(3)).map { _ in Self.mac(UInt64(random(6))) }) }
        var matcher = Matcher()
        var claims: [String: Matcher.Claim] = [:]
        var arrivals: [String: Matcher.Arrival] = [:]
        /// As the store would have them.
        var links: [String: String] = [:]
        for _ in 0..<200 {
            let (name, id) = ("e-\(random(5))", "m-\(random(5))")
            switch random(6) {
            case 0:
                claims[name] = nil
                links = links.filter { $0.value != name }
            case 1: arrivals[id] = nil
            case 2, 3: arrivals[id] = .init(id: id, serial: serial(), macs: macs())
            default:
                claims[name] = .init(
                    name: name, serial: serial(), macs: macs(), holder: links.first { $0.value == name }?.key)
            }
            matcher.update(claims[name], name: name)
            matcher.update(arrivals[id], id: id)
            let former = links
            func hold(_ name: String, _ id: String?) {
                guard claims[name] != nil else { return }
                claims[name]?.holder = id
                matcher.update(claims[name], name: name)
            }
            for (id, name) in links where arrivals[id] == nil {
                links[id] = nil
                hold(name, nil)
            }
            for id in arrivals.keys.sorted().shuffled(by: random) {
                let verdict = matcher.verdict(on: id)
                if let name = links[id], verdict.name != name {
                    links[id] = nil
                    hold(name, nil)
                }
                guard let name = verdict.name else { continue }
                links[id] = name
                hold(name, id)
            }
            #expect(Set(links.values).count == links.count, "\(links)")
            for (id, name) in links {
                let (arrival, claim) = (arrivals[id], claims[name])
                #expect(
                    (arrival?.serial != nil && arrival?.serial == claim?.serial)
                        || !(arrival?.macs ?? []).isDisjoint(with: claim?.macs ?? []), "\(id) is not \(name)")
                // Nobody is matched by choice: whoever is new was the only one that fitted.
                guard former[id] != name, former.first(where: { $0.value == name })?.key != id else { continue }
                #expect(matcher.machines(fitting: name) == [id])
                #expect(matcher.names(fitting: id) == [name], "\(id) fits \(matcher.names(fitting: id))")
            }
        }
    }

    @Test("what differs is told, and nothing of the rest")
    func mismatches() throws {
        var report = HardwareReport.sample
        report.bmc = .init(firmware: "1", specification: "2.0", address: "10.0.0.9")
        report.nics[0].neighbour = .init(system: "leaf-1", port: "Ethernet1/7")
        var machine = Machine(
            id: "m", name: "machine-1", observed: .init(phase: .discovered, phaseSince: .distantPast),
            createdAt: .distantPast)
        machine.observed.hardware = report
        machine.observed.profile = "generic-amd64"
        func told(_ isNameFree: Bool = true, _ change: (inout MachineAnnouncement) -> Void) -> [String] {
            var announced = MachineAnnouncement(name: "node-1", serial: "sn-1")
            change(&announced)
            return ExpectedMachine(announced, passwordSecret: nil, by: "anna", at: .distantPast)
                .mismatches(with: machine, isNameFree: isNameFree).map(\.description)
        }
        #expect(told { _ in } == [])
        #expect(
            told {
                $0.macs = [MACAddress(rawValue: 0x0016_3e00_0001)]
                $0.bmc = .init(address: .init(10, 0, 0, 9))
                $0.profile = "generic-amd64"
                $0.switchPort = .init(name: "leaf-1", port: "Ethernet1/7")
                $0.location = Location("a/b/c/U1")
            } == [])
        #expect(told { $0.serial = "SN-2" } == ["serial: announced SN-2, found SN-1"])
        // The BMC's USB NIC is none of its own.
        #expect(
            told { $0.macs = [MACAddress(rawValue: 0x0016_3eff_ffff)] }
                == ["MAC: announced 00:16:3e:ff:ff:ff, found 00:16:3e:00:00:01"])
        #expect(
            told { $0.bmc = .init(address: .init(10, 0, 0, 8)) }
                == ["BMC: announced 10.0.0.8, found 10.0.0.9, as the machine's BMC says in-band"])
        #expect(told { $0.profile = "dell-r650" } == ["profile: announced dell-r650, found generic-amd64"])
        #expect(
            told { $0.switchPort = .init(port: "Ethernet1/8") }
                == ["switch port: announced Ethernet1/8, found leaf-1 Ethernet1/7"])
        #expect(told(false) { _ in } == ["name: announced node-1, found another machine of that name"])
        machine.observed.hardware?.nics[0].neighbour = nil
        #expect(
            told { $0.switchPort = .init(port: "Ethernet1/8") }
                == ["switch port: announced Ethernet1/8, found none: no switch was heard by LLDP yet"])
        machine.desired.location = Location("a/b/c/U2")
        #expect(
            told { $0.location = Location("a/b/c/U1") } == ["location: announced a/b/c/U1, found a/b/c/U2, set by hand"]
        )
        machine.observed.phase = .ready
        #expect(told { _ in } == ["name: announced node-1, found machine-1, which has its system"])
    }
}

extension ExpectationMatcher.Verdict {
    fileprivate var name: String? { if case .matched(let name, _) = self { name } else { nil } }
}

extension Array {
    fileprivate func shuffled(by random: (Int) -> Int) -> Self {
        var (rest, order) = (self, Self())
        while !rest.isEmpty { order.append(rest.remove(at: random(rest.count))) }
        return order
    }
}

@Suite struct LocationTests {
    @Test(
        "locations as people write them",
        arguments: [
            ("ams1/3/r12/U4", "ams1/3/r12/U4"), ("ams1/3/r12/4", "ams1/3/r12/U4"), ("//r12/U12-13", "-/-/r12/U12-U13"),
            ("-/-/r12/-", "-/-/r12/-"), ("a/b/c/U12–U13", "a/b/c/U12-U13"), ("a/b/c/u7-u7", "a/b/c/U7"),
        ])
    func reads(text: String, written: String) throws {
        let location = try #require(Location(text))
        #expect(location.description == written && location.fault == nil && Location(written) == location)
    }

    @Test(
        "what is none",
        arguments: [
            "", "a", "a/b/c", "a/b/c/d", "a/b/c/U0", "a/b/c/U61", "a/b/c/U5-U4", "a/b/c/U1-U2-U3", "a/b/c/U1/x",
        ])
    func refuses(text: String) { #expect(Location(text) == nil) }

    @Test(
        "names that are none",
        arguments: [
            "a\u{1b}[31m/b/c/U1", "a\u{202e}/b/c/U1", " a/b/c/U1", String(repeating: "x", count: 41) + "/b/c/U1",
            "a/b/-/U1", "-/-/-/-",
        ])
    func faults(text: String) throws { #expect(try #require(Location(text)).fault != nil) }

    @Test(
        "rack units that are one place",
        arguments: [
            ("a/b/c/U1-U3", "a/b/c/U3", true), ("a/b/c/U1-U3", "a/b/c/U4", false), ("a/b/c/U1", "a/b/d/U1", false),
            ("a/b/c/-", "a/b/c/U1", false),
        ])
    func overlaps(one: String, other: String, isSo: Bool) throws {
        #expect(try #require(Location(one)).overlaps(try #require(Location(other))) == isSo)
    }
}
