import Machines
import NetworkAddresses
import Testing

@Suite struct BootPolicyTests {
    static let firmware = BootClient(mac: MACAddress(rawValue: 0x5254_0012_3456), stage: .firmware)
    static let system = BootClient(mac: MACAddress(rawValue: 0x5254_0012_3456), stage: .system)

    @Test("an unknown machine boots the agent or nothing, by policy")
    func unknown() {
        #expect(BootPolicy.decide(Self.firmware, phase: nil, unknown: .discover) == .agent)
        #expect(BootPolicy.decide(Self.firmware, phase: nil, unknown: .ignore) == .ignore)
        #expect(BootPolicy.decide(Self.system, phase: nil, unknown: .discover) == .ignore)
    }

    @Test(
        "a known machine boots by its phase",
        arguments: [
            (.discovered, .agent), (.inspecting, .agent), (.available, .agent), (.installing, .agent),
            (.joining, .localDisk), (.ready, .localDisk), (.draining, .localDisk), (.wiping, .agent), (.failed, .agent),
            (.maintenance, .localDisk), (.rescue, .agent), (.rejected, .ignore), (.retired, .ignore),
        ] as [(Phase, BootAction)])
    func known(phase: Phase, action: BootAction) {
        #expect(BootPolicy.decide(Self.firmware, phase: phase, unknown: .ignore) == action)
    }
}
