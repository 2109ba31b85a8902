import DHCP
import FoundationEssentials
import NetworkAddresses
import Testing

@testable import Machines

@Suite struct BootTrackerTests {
    typealias Step = BootTraceEvent.Step

    static func milestones(_ steps: [(Double, Step)]) -> [BootTracker.Milestone] {
        var tracker = BootTracker()
        return steps.flatMap { time, step in
            tracker.note(BootTraceEvent(time: Date(timeIntervalSince1970: time), step: step)).map(\.milestone)
        }
    }

    static let address = IPv4Address(10, 77, 0, 50)
    static func http(_ file: String) -> Step {
        .transferFinished(.http, file: file, bytes: 9, milliseconds: 1, retransmissions: 0, outcome: "completed")
    }

    /// The order of packets in the captures of OVMF: PXE, TFTP with a probe, iPXE, script, kernel.
    static let uefi: [(Double, Step)] = [
        (0, .discover(stage: .firmware, architecture: .efiX64)),
        (4, .discover(stage: .firmware, architecture: .efiX64)),
        (4, .acknowledge(address: address, file: "ipxe.efi")),
        (
            4.1,
            .transferFinished(.tftp, file: "ipxe.efi", bytes: 0, milliseconds: 1, retransmissions: 0, outcome: "probe")
        ),
        (
            5,
            .transferFinished(
                .tftp, file: "ipxe.efi", bytes: 850_528, milliseconds: 90, retransmissions: 0, outcome: "completed")
        ),
        (8, .discover(stage: .ipxe, architecture: .efiX64)), (9, .discover(stage: .ipxe, architecture: .efiX64)),
        (10, .acknowledge(address: address, file: "http://x/boot/ipxe")), (11, .script(name: "agent")),
        (12, http("/agent/vmlinuz")), (13, http("/agent/initrd")),
    ]

    @Test("a UEFI boot has each milestone once")
    func uefiBoot() {
        #expect(Self.milestones(Self.uefi) == [.firmware, .dhcp, .transfer, .ipxe, .script, .kernel])
    }

    @Test("the agent is told from boot programs by its path, whatever it is for", arguments: AgentArchitecture.allCases)
    func agentFiles(_ architecture: AgentArchitecture) {
        let (kernel, initrd) = (AgentFile(.kernel, architecture).path, AgentFile(.initrd, architecture).path)
        #expect(Self.http(kernel).stage == .kernel && Self.http("/" + initrd).stage == .initrd)
        #expect(Self.http(kernel + "x").stage == .program && Self.http("/own" + kernel).stage == .program)
        #expect(Self.milestones([(0, Self.http(kernel)), (1, Self.http(String(initrd.dropFirst())))]) == [.kernel])
    }

    @Test("a system that was entered from the agent shows itself once; one that nobody booted from here does not")
    func system() {
        let asks: [(Double, Step)] = [
            (30, .discover(stage: .system, architecture: nil)), (31, .request(stage: .system)),
            (600, .request(stage: .system)),
        ]
        #expect(Self.milestones(Self.uefi + asks).suffix(2) == [.kernel, .system])
        #expect(Self.milestones(asks).isEmpty)
    }

    @Test("a boot program by HTTP is told as such", arguments: [BootTraceEvent.Transport.tftp, .http])
    func transport(_ transport: BootTraceEvent.Transport) {
        var tracker = BootTracker()
        let step = Step.transferFinished(
            transport, file: "snponly.efi", bytes: 9, milliseconds: 1, retransmissions: 0, outcome: "completed")
        let kinds = tracker.note(BootTraceEvent(step: step)).map(\.eventType)
        #expect(kinds == [transport == .tftp ? .bootTFTP : .bootHTTP])
    }

    @Test("a proxy's offer is all that is seen of DHCP; an offer with an address is not yet a lease")
    func proxy() {
        let discover = (0.0, Step.discover(stage: .firmware, architecture: .efiX64))
        #expect(
            Self.milestones([discover, (1, .offer(address: nil, file: "snponly.efi"))]) == [.firmware, .dhcp])
        #expect(Self.milestones([discover, (1, .offer(address: Self.address, file: "snponly.efi"))]) == [.firmware])
        #expect(Self.milestones([discover, (1, .offer(address: nil, file: nil))]) == [.firmware])
    }

    @Test("a second start of the firmware is a second boot")
    func twoBoots() {
        let again = Self.uefi.map { ($0.0 + 20, $0.1) }
        #expect(Self.milestones(Self.uefi + again).count == 12)
    }

    @Test("iPXE in a BIOS option ROM is the firmware")
    func biosBoot() {
        let boot: [(Double, Step)] = [
            (0, .discover(stage: .ipxe, architecture: .biosX86)), (1, .discover(stage: .ipxe, architecture: .biosX86)),
            (3, .acknowledge(address: Self.address, file: "http://x/boot/ipxe")), (4, .script(name: "agent")),
            (5, Self.http("/agent/initrd")),
        ]
        #expect(Self.milestones(boot)[0] == .firmware)
        #expect(Self.milestones(boot).contains(.kernel))
        #expect(Self.milestones(boot + boot.map { ($0.0 + 6, $0.1) }).count { $0 == .firmware } == 2)
    }
}
