import DHCP
import FoundationEssentials
import Inventory
import NetworkAddresses
import Testing

@testable import Machines

/// What boots teach: every row is a course of steps with their seconds, and what is done next.
@Suite struct BootHabitsTests {
    typealias Step = BootTraceEvent.Step

    static let pxe = Step.discover(stage: .firmware, architecture: .efiX64)
    static let http = Step.discover(stage: .firmware, architecture: .efiX64HTTP)
    static let bios = Step.discover(stage: .firmware, architecture: .biosX86)
    static let ipxe = Step.discover(stage: .ipxe, architecture: .efiX64)
    static let system = Step.request(stage: .system)

    static func offer(_ form: ProxyForm) -> Step { .offer(address: nil, file: "snponly.efi", form: form) }
    static func file(_ name: String, _ outcome: String = "completed") -> Step {
        .transferFinished(.tftp, file: name, bytes: 1000, milliseconds: 9, retransmissions: 0, outcome: outcome)
    }
    static func script(_ method: LocalDiskMethod) -> Step { .script(name: method.script) }

    static func habits(_ steps: [(Double, Step)]) -> (BootHabits, now: Date) {
        var habits = BootHabits()
        for (second, step) in steps {
            habits.note(BootTraceEvent(time: Date(timeIntervalSince1970: 1_800_000_000 + second), step: step))
        }
        return (habits, Date(timeIntervalSince1970: 1_800_000_000 + (steps.last?.0 ?? 0)))
    }

    struct FormRow: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var steps: [(Double, Step)]
        /// Seconds after the last step.
        var after: Double
        var form: ProxyForm
    }

    static let forms: [FormRow] = [
        FormRow(testDescription: "nothing known", steps: [], after: 0, form: .oneExchange),
        FormRow(
            testDescription: "a repeat within a second is the same question",
            steps: [(0, pxe), (0, offer(.oneExchange))], after: 1, form: .oneExchange),
        FormRow(
            testDescription: "OVMF's second DISCOVER after 4 s gets the other form",
            steps: [(0, pxe), (0, offer(.oneExchange))], after: 4, form: .bootServer),
        FormRow(
            testDescription: "and the third the first again",
            steps: [(0, offer(.oneExchange)), (4, pxe), (4, offer(.bootServer))], after: 8, form: .oneExchange),
        FormRow(
            testDescription: "what was followed is remembered",
            steps: [(0, offer(.oneExchange)), (4, offer(.bootServer)), (5, .transferStarted(.tftp, file: "x"))],
            after: 9999, form: .bootServer),
        FormRow(
            testDescription: "iPXE that speaks has followed too",
            steps: [(0, offer(.oneExchange)), (4, offer(.bootServer)), (9, ipxe)], after: 9999, form: .bootServer),
        FormRow(
            testDescription: "a form that worked once and leads nowhere now is not for ever",
            steps: [(0, offer(.bootServer)), (1, .transferStarted(.tftp, file: "x")), (500, offer(.bootServer))],
            after: 4, form: .oneExchange),
    ]

    @Test("the form of a proxy's offer", arguments: forms)
    func form(row: FormRow) {
        let (habits, now) = Self.habits(row.steps)
        #expect(habits.form(now: now.addingTimeInterval(row.after)) == row.form)
    }

    static let programs: [(String, [(Double, Step)], BootProgram?)] = [
        ("iPXE that speaks", [(0, pxe), (1, file("snponly.efi")), (5, ipxe)], .standard),
        ("fetched whole, and the firmware is back by HTTP", [(0, pxe), (1, file("snponly.efi")), (3, http)], .signed),
        ("a probe is no fetch", [(0, pxe), (1, file("snponly.efi", "probed")), (3, pxe)], nil),
        ("back after an hour: somebody restarted it", [(0, pxe), (1, file("snponly.efi")), (3600, pxe)], nil),
        (
            "shim and GRUB, which reads its configuration",
            [
                (0, pxe), (1, file("shimx64.efi")), (2, file("grubx64.efi")), (3, .script(name: "grub-agent")),
                (4, file("/agent/vmlinuz")), (9, .session),
            ], .signed
        ),
        (
            "GRUB alone, for the disk of a machine without Secure Boot",
            [(0, pxe), (1, file("grubx64.efi")), (2, .script(name: "grub-local-disk")), (20, system)], nil
        ),
        (
            "GRUB's script is fetched as a file, and the machine restarts soon: nothing was refused",
            [
                (0, pxe), (1, file("grubx64.efi")), (2, file("/grub/grub.cfg")), (3, .script(name: "grub-local-disk")),
                (3, file("/boot/grub/x86_64-efi/00:16:3e:77:d0:01")), (20, system), (80, pxe),
            ], nil
        ),
        (
            "the same by the agent's script, then a program that is refused all the same",
            [
                (0, pxe), (1, file("grubx64.efi")), (3, .script(name: "grub-agent")),
                (3, file("/boot/grub/x86_64-efi/00:16:3e:77:d0:01")), (80, pxe), (81, file("snponly.efi")), (83, pxe),
            ], .signed
        ),
        (
            "GRUB alone, refused: its signature is one that shim knows",
            [(0, pxe), (1, file("grubx64.efi")), (3, http)], .signed
        ),
        ("shim that is refused too", [(0, pxe), (1, file("shimx64.efi")), (3, http)], .standard),
        (
            "after its script a machine may ask again: its disk was empty",
            [(0, pxe), (1, file("snponly.efi")), (5, ipxe), (6, script(.exitFailure)), (7, pxe)], .standard
        ),
    ]

    @Test("the program that firmware runs", arguments: programs.indices)
    func program(row: Int) {
        let (name, steps, program) = Self.programs[row]
        #expect(Self.habits(steps).0.program == program, "\(name)")
    }

    static let disks: [(String, [(Double, Step)], [LocalDiskMethod])] = [
        ("handed over, and silence", [(0, bios), (1, ipxe), (2, script(.exit))], []),
        ("back at once", [(0, bios), (1, file("undionly.kpxe")), (2, ipxe), (3, script(.exit)), (5, bios)], [.exit]),
        ("back after an hour: a restart", [(0, bios), (3, script(.exit)), (3600, bios)], []),
        (
            "UEFI tries HTTP after PXE, and its disk after both",
            [
                (0, pxe), (1, file("snponly.efi")), (4, ipxe), (5, script(.exitFailure)), (6, http),
                (7, file("/boot/files/snponly.efi")), (8, ipxe), (9, ipxe), (10, script(.exitFailure)), (30, system),
            ], []
        ),
        ("UEFI that begins anew", [(0, pxe), (5, script(.exitFailure)), (6, http), (9, pxe)], [.exitFailure]),
        ("an iPXE ROM that is back", [(0, ipxe), (1, script(.exit)), (4, ipxe)], [.exit]),
        ("the BMC was told, and its disk it is", [(0, .bootDevice(.disk)), (200, system)], []),
        ("the BMC was told, and the firmware asks all the same", [(0, .bootDevice(.disk)), (300, pxe)], [.bmc]),
        ("the BMC was told, and an iPXE ROM asks", [(0, .bootDevice(.disk)), (300, ipxe)], [.bmc]),
        (
            "the agent starts the system",
            [(0, pxe), (5, script(.agentKexec)), (12, .session), (30, system), (40, pxe)], []
        ),
        ("the agent could not", [(0, pxe), (5, script(.agentKexec)), (12, .session), (20, pxe)], [.agentKexec]),
        (
            "failed once, and led to the disk later",
            [(0, bios), (1, script(.exit)), (5, bios), (6, script(.exit)), (20, system)], []
        ),
    ]

    @Test("ways to the disk that lead back", arguments: disks.indices)
    func disk(row: Int) {
        let (name, steps, failed) = Self.disks[row]
        #expect(Self.habits(steps).0.failedDiskMethods == failed, "\(name)")
    }

    @Test("the next way is taken when one failed, and the first again when all did")
    func ladder() {
        var facts = BootFacts(phase: .ready, bootVolume: "7E1F-02AB")
        let offerings = BootOfferings(signedChain: true, grub: true)
        func method(_ failed: [LocalDiskMethod], isUEFI: Bool = true) -> LocalDiskMethod {
            var habits = BootHabits()
            for method in failed {
                for step in [Self.pxe, Self.script(method), Self.pxe] { habits.note(BootTraceEvent(step: step)) }
            }
            #expect(habits.failedDiskMethods == failed)
            return BootPolicy.diskMethod(isUEFI: isUEFI, facts: facts, habits: habits, offerings: offerings)
        }
        #expect(method([]) == .grub && method([.grub]) == .exitFailure)
        #expect(method([.grub, .exitFailure, .sanboot, .notFound]) == .grub)
        facts.takesKexec = true
        #expect(method([.grub, .exitFailure, .sanboot, .notFound]) == .agentKexec)
        #expect(method([], isUEFI: false) == .exit && method([.exit], isUEFI: false) == .sanboot)
        facts.preferences.localDisk = [.sanboot, .exitFailure]
        #expect(method([]) == .sanboot && method([.sanboot]) == .exitFailure)
        facts = BootFacts(phase: .ready)
        #expect(method([]) == .exitFailure)
    }

    @Test("what firmware is told, from what is known of the machine")
    func instructions() {
        let offerings = BootOfferings(signedChain: true, grub: true)
        func told(
            _ facts: BootFacts?, _ steps: [(Double, Step)] = [], _ architecture: ClientArchitecture = .efiX64,
            offerings: BootOfferings = offerings
        ) -> BootInstruction {
            let (habits, now) = Self.habits(steps)
            return BootPolicy.instruct(
                BootClient(mac: MACAddress(rawValue: 0x5254_0012_3456), architecture: architecture, stage: .firmware),
                facts: facts, habits: habits, admission: .init(unknown: .discover), offerings: offerings, now: now)
        }
        // The question itself closes the case: the firmware is back.
        let refused: [(Double, Step)] = [(0, Self.pxe), (1, Self.file("snponly.efi"))]
        #expect(told(nil) == BootInstruction(.agent))
        #expect(told(nil, refused).program == .signed)
        // Debian's GRUB would wait at its prompt for ever; another's may read by HTTP.
        #expect(told(nil, refused, .efiX64HTTP).program == .standard)
        let other = BootOfferings(signedChain: true, grub: true, grubReadsHTTP: true)
        #expect(told(nil, refused, .efiX64HTTP, offerings: other).program == .signed)
        #expect(told(nil, refused, .biosX86).program == .standard)
        #expect(told(nil, refused, offerings: BootOfferings()).program == .standard)
        var facts = BootFacts(phase: .available, secureBoot: true)
        #expect(told(facts).program == .signed)
        // Secure Boot was switched off since the report: iPXE spoke.
        #expect(told(facts, [(0, Self.pxe), (1, Self.file("snponly.efi")), (5, Self.ipxe)]).program == .standard)
        facts = BootFacts(phase: .ready, bootVolume: "7E1F-02AB")
        #expect(told(facts) == BootInstruction(.localDisk, program: .grub))
        #expect(told(facts, [], .efiX64HTTP) == BootInstruction(.localDisk))
        #expect(told(facts, [], .biosX86).program == .standard)
        facts.preferences = BootPreferences(program: "own.efi", proxyForm: .bootMenu)
        #expect(told(facts) == BootInstruction(.localDisk, program: .file("own.efi"), proxyForm: .bootMenu))
        #expect(told(BootFacts(phase: .retired)) == BootInstruction(.ignore))
    }
}
