import DHCP
import FoundationEssentials
import Machines
import NetworkAddresses
import Testing

@Suite struct BootDiagnosisTests {
    typealias Step = BootTraceEvent.Step

    struct Row: Sendable, CustomTestStringConvertible {
        var cause: BootDiagnosis.Cause?
        var name: String
        /// Seconds of silence after the last step.
        var silence: Double
        var steps: [Step]

        init(_ cause: BootDiagnosis.Cause?, _ name: String, after silence: Double = 0, _ steps: [Step]) {
            (self.cause, self.name, self.silence, self.steps) = (cause, name, silence, steps)
        }

        var testDescription: String { "\(cause?.rawValue ?? "no cause"): \(name)" }
    }

    static let mac = MACAddress(rawValue: 0x5254_0012_3456)
    static let address = IPv4Address(10, 77, 0, 50)
    static let asks = Step.discover(stage: .firmware, architecture: .efiX64)
    static let bios = Step.discover(stage: .firmware, architecture: .biosX86)
    static let offer = Step.offer(address: address, file: "snponly.efi")
    static let ack = Step.acknowledge(address: address, file: "snponly.efi")
    static let ipxe = Step.discover(stage: .ipxe, architecture: .efiX64)
    static let ipxeACK = Step.acknowledge(address: address, file: "http://10.77.0.1:8080/boot/ipxe?mac=1")

    static func file(_ name: String, _ transport: BootTraceEvent.Transport = .tftp, _ outcome: String = "completed")
        -> Step
    {
        .transferFinished(
            transport, file: name, bytes: outcome == "completed" ? 1000 : 0, milliseconds: 9, retransmissions: 4,
            outcome: outcome)
    }

    static func missing(_ name: String, _ transport: BootTraceEvent.Transport = .tftp) -> Step {
        .trouble(.notFound(transport, file: name))
    }

    static let program = [asks, offer, ack, file("snponly.efi", .tftp, "probed"), file("snponly.efi")]
    static let script = program + [ipxe, ipxeACK, .script(name: "agent")]
    static let loaded = script + [file("/agent/vmlinuz", .http), file("/agent/initrd", .http)]

    static let rows: [Row] = [
        Row(nil, "a boot that went well", after: 9999, loaded + [.session]),
        Row(nil, "one that is on its way", after: 5, program),
        Row(
            nil, "one that was handed to its disk", after: 9999,
            program + [ipxe, ipxeACK, .script(name: "local-disk-exit-1")]),
        Row(
            nil, "shim's optional files are not there", after: 1,
            [asks, offer, ack, file("shimx64.efi"), missing("revocations_sbat.efi")]),
        Row(.ignored, "an unknown machine under `ignore`", [asks, .trouble(.ignored)]),
        Row(.ignored, "an iPXE ROM of an unknown machine", after: 200, [ipxe, .trouble(.ignored)]),
        Row(.noFreeAddress, "an iPXE ROM at a full pool", after: 200, [ipxe, .trouble(.noFreeAddress)]),
        Row(.noFreeAddress, "a full pool when iPXE asks", program + [ipxe, .trouble(.noFreeAddress)]),
        Row(
            .otherServer, "an iPXE ROM that takes another server's offer",
            [ipxe, offer, .request(stage: .ipxe), .trouble(.chose(server: IPv4Address(10, 77, 0, 2)))]),
        Row(
            .offerNotFollowed, "an iPXE ROM without an address beside a proxy", after: 25,
            [ipxe, .offer(address: nil, file: "http://10.77.0.1:8080/boot/ipxe?mac=1")]),
        Row(
            .noProgram, "IA32 UEFI",
            [.discover(stage: .firmware, architecture: .efiIA32), .trouble(.noProgram(.efiIA32)), ack]),
        Row(.noFreeAddress, "a full pool", [asks, .trouble(.noFreeAddress)]),
        Row(.addressInUse, "a DECLINE", [asks, offer, .trouble(.addressInUse(address))]),
        Row(
            .refusedAddress, "a NAK",
            [
                .request(stage: .firmware),
                .trouble(.refusedAddress(address, reason: "192.0.2.1 is not of this network")),
            ]),
        Row(
            .otherServer, "REQUEST to another server",
            [asks, offer, .trouble(.chose(server: IPv4Address(10, 77, 0, 2)))]),
        Row(
            .offerNotFollowed, "a proxy's offers", after: 25,
            [asks, .offer(address: nil, file: "snponly.efi"), asks, .offer(address: nil, file: "snponly.efi")]),
        Row(.noTransfer, "an ACK and no TFTP", after: 40, [asks, offer, ack]),
        Row(
            .noTransfer, "firmware without any CA", after: 40,
            [asks, offer, .acknowledge(address: address, file: "https://10.0.0.1:8444/boot/files/snponly.efi")]),
        Row(
            .tftpNegotiation, "OACK never answered",
            [asks, offer, ack, file("snponly.efi", .tftp, "timed out at block 0")]),
        Row(
            .tftpStalled, "stuck in the middle",
            [asks, offer, ack, file("snponly.efi", .tftp, "timed out at block 17")]),
        Row(.fileMissing, "a file by TFTP", [asks, offer, ack, missing("pxelinux.0")]),
        Row(.fileMissing, "a file by HTTP", [asks, offer, ack, missing("/boot/files/own.efi", .http)]),
        Row(.scriptMissing, "a script without its MAC", program + [ipxe, ipxeACK, missing("/boot/ipxe", .http)]),
        Row(.programSilent, "undionly.kpxe that hangs", after: 70, [bios, offer, ack, file("undionly.kpxe")]),
        Row(.secureBoot, "iPXE that the firmware refuses", after: 70, program),
        Row(.secureBoot, "shim and nothing after it", after: 70, [asks, offer, ack, file("shimx64.efi")]),
        Row(
            .grubElsewhere, "GRUB beside another server", after: 70,
            [asks, .offer(address: nil, file: "shimx64.efi"), file("shimx64.efi"), file("grubx64.efi")]),
        Row(
            .programSilent, "GRUB that reaches nobody", after: 70,
            [asks, offer, ack, file("shimx64.efi"), file("grubx64.efi")]),
        Row(
            .noHTTP, "an iPXE ROM without HTTP",
            [.discover(stage: .ipxe, architecture: .biosX86), .trouble(.noHTTP), ipxeACK]),
        Row(
            .tlsRefused, "firmware without our CA",
            [asks, offer, ack, .trouble(.tls(reason: "tlsv1 alert unknown ca"))]),
        Row(.noScript, "iPXE that cannot reach us", after: 70, program + [ipxe, ipxeACK]),
        Row(.noKernel, "a script and nothing after it", after: 100, script),
        Row(
            .transferBroken, "an initrd that was cut",
            script + [file("/agent/vmlinuz", .http), file("/agent/initrd", .http, "broken off: reset")]),
        Row(.noAgent, "a kernel whose agent is silent", after: 200, loaded),
        Row(.noAgent, "a kernel without its initrd", after: 200, script + [file("/agent/vmlinuz", .http)]),
    ]

    static func trace(_ steps: [Step], at start: Double) -> BootTrace {
        var trace = BootTrace(mac: mac, at: Date(timeIntervalSince1970: start))
        for (index, step) in steps.enumerated() {
            trace.note(BootTraceEvent(time: Date(timeIntervalSince1970: start + Double(index)), mac: mac, step: step))
        }
        return trace
    }

    @Test("each stop has its cause, with what was seen, what it means and what to try", arguments: rows)
    func causes(row: Row) {
        let trace = Self.trace(row.steps, at: 1_800_000_000)
        let diagnosis = BootDiagnosis.of([trace], now: trace.lastAt.addingTimeInterval(row.silence))
        #expect(diagnosis?.cause == row.cause, "\(diagnosis?.summary ?? "no diagnosis")")
        guard let diagnosis else { return }
        #expect(!diagnosis.seen.isEmpty && !diagnosis.means.isEmpty && !diagnosis.attempt.isEmpty)
    }

    @Test(
        "a refusal by Secure Boot names who signed the file",
        arguments: [
            ("shimx64.efi", ["Microsoft Corporation UEFI CA 2011"], "which Microsoft Corporation UEFI CA 2011 signed"),
            ("own.efi", ["A", "B"], "refuses it, which A and B signed"), ("snponly.efi", [], "that nobody signed"),
            ("grubaa64.efi", [], "or Secure Boot refuses it, since nobody signed it"),
            ("shimx64.efi", nil, "refused shim: "),
        ] as [(String, [String]?, String)])
    func signers(name: String, signers: [String]?, words: String) {
        let steps = [
            Self.asks, Self.offer, Self.ack, .transferStarted(.tftp, file: name, signers: signers), Self.file(name),
        ]
        let trace = Self.trace(steps, at: 1_800_000_000)
        let diagnosis = BootDiagnosis.of([trace], now: trace.lastAt.addingTimeInterval(70))
        let cause: BootDiagnosis.Cause = name.hasPrefix("grub") ? .programSilent : .secureBoot
        #expect(
            diagnosis?.cause == cause && diagnosis?.means.contains(words) == true, "\(diagnosis?.means ?? "")")
    }

    @Test("a trace that was kept before signers were noted is read")
    func former() throws {
        let step = try JSONDecoder().decode(
            Step.self, from: Data(#"{"transferStarted": {"_0": "tftp", "file": "shimx64.efi"}}"#.utf8))
        #expect(step == .transferStarted(.tftp, file: "shimx64.efi"))
    }

    @Test("every cause has a row, but for the loop, which needs more than one attempt")
    func complete() {
        let caused = Set(Self.rows.compactMap(\.cause))
        #expect(Set(BootDiagnosis.Cause.allCases).subtracting(caused) == [.loop])
    }

    @Test("three attempts that end alike within an hour are a loop; spread over a day they are not")
    func loop() {
        let attempts = (0..<3).map { Self.trace(Self.loaded, at: 1_800_000_000 + Double($0) * 300) }
        #expect(BootDiagnosis.of(attempts, now: attempts[2].lastAt)?.cause == .loop)
        #expect(BootDiagnosis.of(Array(attempts.prefix(2)), now: attempts[1].lastAt) == nil)
        let spread = (0..<3).map { Self.trace(Self.loaded, at: 1_800_000_000 + Double($0) * 30_000) }
        #expect(BootDiagnosis.of(spread, now: spread[2].lastAt) == nil)
        #expect(
            BootDiagnosis.of(attempts + [Self.trace(Self.loaded + [.session], at: 1_800_002_000)], now: Date()) == nil)
    }

    @Test("a machine that was sent to its disk, however often it restarts, is no loop")
    func restarts() {
        let disk = Self.program + [Self.ipxe, Self.ipxeACK, .script(name: "local-disk-exit-1")]
        let attempts = (0..<5).map { Self.trace(disk, at: 1_800_000_000 + Double($0) * 300) }
        #expect(BootDiagnosis.of(attempts, now: attempts[4].lastAt) == nil)
    }

    @Test("a file that the boot went on without is no cause, one that ended it is")
    func optionalFile() {
        let autoexec = Self.missing("autoexec.ipxe")
        let disk = [Self.ipxe, Self.ipxeACK, Step.script(name: "local-disk-exit-1")]
        let fine = Self.trace(Self.program + [autoexec] + disk, at: 0)
        #expect(BootDiagnosis.of([fine], now: fine.lastAt.addingTimeInterval(9999)) == nil)
        let stopped = Self.trace(Self.program + [autoexec], at: 0)
        #expect(BootDiagnosis.of([stopped], now: stopped.lastAt)?.cause == .fileMissing)
    }

    @Test("a stranger's file name does nothing to a terminal")
    func printable() {
        let trouble = BootTrouble.missing(
            .tftp, "\u{1b}]0;owned\u{7}\u{9b}31m\r\nname" + String(repeating: "x", count: 999))
        let text = "\(trouble)"
        #expect(text.unicodeScalars.allSatisfy { (0x20...0x7e).contains($0.value) } && text.count < 300, "\(text)")
    }

    @Test("renewals of the installed system are no part of its boot")
    func over() {
        let life: [Step] = [.request(stage: .system), .acknowledge(address: Self.address, file: nil)]
        let trace = Self.trace(Self.loaded + [.session] + life + life + life, at: 0)
        #expect(trace.isOver && trace.entries.count == Self.loaded.count + 3)
        #expect(trace.lastAt.timeIntervalSince1970 == Double(Self.loaded.count + 6))
    }

    @Test("a trace counts what repeats, keeps a bounded number of steps, and knows where the machine is plugged in")
    func bounded() {
        var trace = BootTrace(mac: Self.mac, at: Date(timeIntervalSince1970: 0))
        for second in 0..<7 {
            trace.note(
                BootTraceEvent(time: Date(timeIntervalSince1970: Double(second)), location: "sw-1", step: Self.asks))
        }
        #expect(trace.entries.count == 1 && trace.entries[0].count == 7 && trace.location == "sw-1")
        for number in 0..<1000 { trace.note(BootTraceEvent(step: Self.missing("\(number)"))) }
        #expect(trace.entries.count == BootTrace.capacity && trace.dropped == 1001 - BootTrace.capacity)
    }
}
