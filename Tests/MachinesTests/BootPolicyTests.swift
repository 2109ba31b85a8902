import Machines
import NetworkAddresses
import Testing

@Suite struct BootPolicyTests {
    static let firmware = BootClient(mac: MACAddress(rawValue: 0x5254_0012_3456), stage: .firmware)
    static let system = BootClient(mac: MACAddress(rawValue: 0x5254_0012_3456), stage: .system)

    @Test("an unknown machine boots the agent or nothing, by policy")
    func unknown() {
        #expect(BootPolicy.decide(Self.firmware, phase: nil, admission: .init(unknown: .discover)) == .agent)
        #expect(BootPolicy.decide(Self.firmware, phase: nil, admission: .init(unknown: .ignore)) == .ignore)
        #expect(BootPolicy.decide(Self.system, phase: nil, admission: .init(unknown: .discover)) == .ignore)
    }

    @Test(
        "a known machine boots by its phase",
        arguments: [
            (.discovered, .agent), (.inspecting, .agent), (.available, .agent), (.installing, .agent),
            (.joining, .localDisk), (.ready, .localDisk), (.draining, .localDisk), (.wiping, .agent), (.failed, .agent),
            (.maintenance, .localDisk), (.rescue, .agent), (.rejected, .ignore), (.retired, .ignore),
        ] as [(Phase, BootAction)])
    func known(phase: Phase, action: BootAction) {
        #expect(BootPolicy.decide(Self.firmware, phase: phase, admission: .init(unknown: .ignore)) == action)
    }

    @Test("who is denied is not answered even when known; of the unknown only those are that are allowed")
    func lists() throws {
        let own = try #require(MACPrefix("\(Self.firmware.mac)"))
        let maker = try #require(MACPrefix(String("\(Self.firmware.mac)".prefix(8))))
        let other = try #require(MACPrefix("b8:ca:3a"))
        func action(_ phase: Phase?, allowed: [MACPrefix] = [], denied: [MACPrefix] = []) -> BootAction {
            BootPolicy.decide(
                Self.firmware, phase: phase, admission: .init(unknown: .discover, allowed: allowed, denied: denied))
        }
        #expect(action(nil, allowed: [maker]) == .agent && action(nil, allowed: [other]) == .ignore)
        #expect(action(.available, allowed: [other]) == .agent)
        #expect(action(nil, denied: [own]) == .ignore && action(.ready, denied: [maker]) == .ignore)
        #expect(action(nil, allowed: [maker], denied: [own]) == .ignore && action(nil, denied: [other]) == .agent)
    }
}
