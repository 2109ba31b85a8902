import APIModel
import Foundation
import Inventory
import Machines
import Synchronization
import Testing

@testable import AgentCore

/// A disk is called erased only when its proof says so, whatever drive and tools say.
@Suite struct WipeEngineTests {
    static func disk(_ path: String, _ transport: DiskTransport, _ methods: [EraseMethod] = []) -> Disk {
        Disk(
            path: path, serial: "S-\(path.dropFirst(5))", sizeBytes: 4 << 20, transport: transport,
            eraseMethods: methods)
    }

    static func wipe(
        _ disks: [Disk], _ methods: [EraseMethod], _ devices: FakeDevices, verify: WipePolicy.Verification = .sampled,
        whereFrozen: [EraseMethod] = [], secret: String = "slipway-secret",
        progress: @escaping @Sendable ([DiskProgress]) -> Void = { _ in }
    ) -> [DiskEvidence] {
        let order = WipeOrder(
            disks: disks.map { DiskWipe(disk: DiskTarget($0), methods: methods, whereFrozen: whereFrozen) },
            verify: verify,
            extras: .init(), driveSecret: secret)
        return WipeRun(order: order, disks: disks, devices: devices, progress: progress).run()
    }

    static func reason(_ evidence: DiskEvidence?) -> String {
        guard case .failed(let reason) = evidence?.outcome else { return "" }
        return reason
    }

    // MARK: what a host does

    @Test("an overwrite leaves zeros, by any verification", arguments: WipePolicy.Verification.allCases)
    func overwrite(verify: WipePolicy.Verification) throws {
        // Not a multiple of 4096.
        let target = MemoryTarget(size: (4 << 20) + 512)
        let seen = Mutex<[DiskProgress]>([])
        let found = Self.wipe(
            [Self.disk("/dev/vda", .virtio, [.discard])], [.overwrite], FakeDevices(targets: ["/dev/vda": target]),
            verify: verify
        ) { disks in seen.withLock { $0 += disks } }
        let evidence = try #require(found.first)
        #expect(evidence.outcome == .erased && evidence.method == .overwrite && evidence.category == .clear)
        #expect(evidence.readBack?.kind == verify && evidence.readBack?.finding == "all zeros")
        #expect(target.bytes.allSatisfy { $0 == 0 } && target.state.withLock { $0.discards } == 1)
        let steps = seen.withLock { $0.map(\.step) }
        for step in [DiskProgress.Step.marking, .erasing, .verifying, .erased] { #expect(steps.contains(step)) }
        #expect(seen.withLock { $0.allSatisfy { ($0.fraction ?? 0) <= 1 && $0.disk == "S-vda" } })
    }

    @Test("quick removes what a disk is known by, and calls it no sanitization")
    func quick() throws {
        let target = MemoryTarget(size: 80 << 20)
        let evidence = try #require(
            Self.wipe([Self.disk("/dev/sda", .sata)], [.quick], FakeDevices(targets: ["/dev/sda": target])).first)
        #expect(evidence.outcome == .erased && evidence.category == SanitizationCategory.none)
        let bytes = target.bytes
        #expect(bytes[..<(16 << 20)].allSatisfy { $0 == 0 } && bytes[(48 << 20)...].allSatisfy { $0 == 0 })
        #expect(bytes[(16 << 20)..<(48 << 20)].allSatisfy { $0 == 0xa5 })
    }

    @Test("an I/O error, a disk that forgets what is written, one that is gone: failed, with the serial")
    func faults() {
        let (bad, forgetful, good) = (MemoryTarget(), MemoryTarget(filledWith: 0), MemoryTarget())
        bad.state.withLock { $0.failsAt = 3 << 20 }
        forgetful.state.withLock { $0.forgets = true }
        let disks = ["/dev/sda", "/dev/sdb", "/dev/sdc", "/dev/sdd"].map { Self.disk($0, .raid) }
        let devices = FakeDevices(targets: ["/dev/sda": bad, "/dev/sdb": forgetful, "/dev/sdd": good])
        let found = Self.wipe(disks, [.overwrite], devices)
        #expect(Self.reason(found[0]).contains("S-sda") && Self.reason(found[0]).contains("Input/output error"))
        #expect(Self.reason(found[1]).contains("S-sdb") && Self.reason(found[1]).contains("does not keep"))
        #expect(Self.reason(found[2]).contains("S-sdc") && Self.reason(found[2]).contains("No such device"))
        #expect(found[3].outcome == .erased)
    }

    // MARK: NVMe

    static func nvme(_ namespaces: [UInt32] = [1], _ change: (inout FakeNVMe.State) -> Void) -> (
        FakeNVMe, FakeDevices, [Disk]
    ) {
        let targets = Dictionary(uniqueKeysWithValues: namespaces.map { ($0, MemoryTarget()) })
        let drive = FakeNVMe(targets) { state in
            state.activeNamespaces = namespaces
            change(&state)
        }
        var devices = FakeDevices(targets: [:], drives: ["/dev/nvme0": drive])
        for (id, target) in targets {
            devices.targets["/dev/nvme0n\(id)"] = target
            devices.namespaces["/dev/nvme0n\(id)"] = id
        }
        return (drive, devices, namespaces.map { disk("/dev/nvme0n\($0)", .nvme) })
    }

    @Test(
        "NVMe sanitize: the log tells the end, the marks tell the truth; one command for all namespaces",
        arguments: [EraseMethod.nvmeSanitizeBlock, .nvmeSanitizeCrypto, .nvmeSanitizeOverwrite])
    func sanitize(method: EraseMethod) throws {
        let (drive, devices, disks) = Self.nvme([1, 2]) { $0.sanitizeCapabilities = 7 }
        let found = Self.wipe(disks, [method, .overwrite], devices, verify: .full)
        for evidence in found {
            #expect(evidence.outcome == .erased && evidence.method == method && evidence.category == .purge)
            #expect(evidence.readBack?.finding.contains("marks left") ?? false)
        }
        #expect(drive.state.withLock { $0.commands.count } == 1)
        // Whatever the drive left there, it looks blank.
        #expect(devices.targets.values.allSatisfy { $0.bytes[..<4096].allSatisfy { $0 == 0 } })
    }

    @Test("a drive that reports success and leaves data has failed, and nothing else is tried")
    func lies() {
        for method in [EraseMethod.nvmeSanitizeBlock, .nvmeSanitizeCrypto, .nvmeFormat] {
            let (_, devices, disks) = Self.nvme { ($0.sanitizeCapabilities, $0.hasFormat, $0.lies) = (7, true, true) }
            let found = Self.wipe(disks, [method, .overwrite], devices)
            #expect(Self.reason(found.first).contains("marks that were written before are still there"))
            #expect(
                Self.reason(found.first).contains("S-nvme0n1") && Self.reason(found.first).contains(method.rawValue))
        }
    }

    @Test(
        "power was cut in mid-sanitize: the drive goes on by itself, is waited for, and is then erased and proved anew")
    func resumed() throws {
        let (drive, devices, disks) = Self.nvme { ($0.sanitizeCapabilities, $0.status, $0.action) = (2, 2, 2) }
        let evidence = try #require(Self.wipe(disks, [.nvmeSanitizeBlock], devices).first)
        #expect(evidence.outcome == .erased)
        #expect(evidence.remarks.contains { $0.contains("had begun before was waited for") })
        #expect(drive.state.withLock { $0.commands.count } == 1)
    }

    @Test("a failed sanitize shuts the data away: another one brings the drive back, or the words say what to do")
    func sanitizeFailed() throws {
        let (_, devices, disks) = Self.nvme { ($0.sanitizeCapabilities, $0.status) = (3, 3) }
        let evidence = try #require(Self.wipe(disks, [.nvmeSanitizeBlock], devices).first)
        #expect(evidence.outcome == .erased && evidence.remarks.contains { $0.contains("brought the drive back") })
        let (_, others, same) = Self.nvme { ($0.sanitizeCapabilities, $0.status) = (3, 3) }
        #expect(Self.reason(Self.wipe(same, [.overwrite], others).first).contains("last sanitize operation failed"))
        let (_, failing, again) = Self.nvme { ($0.sanitizeCapabilities, $0.endsWith) = (3, 3) }
        #expect(
            Self.reason(Self.wipe(again, [.nvmeSanitizeBlock, .overwrite], failing).first).contains(
                "sanitize operation failed"))
    }

    @Test("a method that the drive does not have is passed over; format erases each namespace")
    func format() throws {
        let (drive, devices, disks) = Self.nvme([1, 2]) { $0.hasFormat = true }
        let found = Self.wipe(disks, [.nvmeSanitizeBlock, .nvmeFormatCrypto, .nvmeFormat, .overwrite], devices)
        #expect(found.allSatisfy { $0.outcome == .erased && $0.method == .nvmeFormat && $0.category == .clear })
        #expect(found[0].remarks.contains { $0.hasPrefix("nvme-sanitize-block: ") })
        #expect(
            drive.state.withLock { $0.commands.map { $0.filter { $0.hasPrefix("--n") || $0.hasPrefix("--ses") } } }
                == [["--namespace-id=1", "--ses=1"], ["--namespace-id=2", "--ses=1"]])
    }

    @Test("a namespace that the order does not name is not erased with the others")
    func foreignNamespace() throws {
        let (drive, devices, disks) = Self.nvme([1]) {
            ($0.sanitizeCapabilities, $0.hasFormat, $0.activeNamespaces) = (7, true, [1, 7])
        }
        let evidence = try #require(Self.wipe(disks, [.nvmeSanitizeBlock, .nvmeFormat], devices).first)
        #expect(Self.reason(evidence).contains("would erase namespace 7 too"))
        #expect(drive.state.withLock { $0.commands.isEmpty })
        // Writing it harms no other.
        #expect(Self.wipe(disks, [.nvmeSanitizeBlock, .overwrite], devices).first?.method == .overwrite)
    }

    @Test("one namespace that cannot be reached keeps its controller's command back")
    func halfController() {
        var (drive, devices, disks) = Self.nvme([1, 2]) { $0.sanitizeCapabilities = 7 }
        devices.targets["/dev/nvme0n2"] = nil
        let found = Self.wipe(disks, [.nvmeSanitizeBlock], devices)
        #expect(Self.reason(found[1]).contains("No such device"))
        #expect(Self.reason(found[0]).contains("another namespace of its controller failed"))
        #expect(drive.state.withLock { $0.commands.isEmpty })
    }

    // MARK: SATA

    static func ata(_ change: (inout FakeATA.State) -> Void) -> (FakeATA, FakeDevices, [Disk]) {
        let target = MemoryTarget()
        let drive = FakeATA(target, change)
        return (
            drive, FakeDevices(targets: ["/dev/sda": target], drives: ["/dev/sda": drive]), [disk("/dev/sda", .sata)]
        )
    }

    @Test(
        "ATA secure erase: password set, erased, password gone",
        arguments: [EraseMethod.ataSecureErase, .ataSecureEraseEnhanced])
    func secureErase(method: EraseMethod) throws {
        let (drive, devices, disks) = Self.ata { ($0.hasSecurity, $0.hasEnhanced) = (true, true) }
        let evidence = try #require(Self.wipe(disks, [method], devices).first)
        #expect(evidence.outcome == .erased && evidence.method == method)
        #expect(
            drive.state.withLock {
                $0.password == nil
                    && $0.commands.map { $0[2] } == [
                        "--security-set-pass",
                        "--" + method.rawValue.dropFirst(4).replacing("secure", with: "security"),
                    ]
            })
    }

    @Test("hdparm's lie: it exits 0, the drive forgot its password, and the data is there")
    func hdparmLie() {
        let (_, devices, disks) = Self.ata { ($0.hasSecurity, $0.lies) = (true, true) }
        #expect(Self.reason(Self.wipe(disks, [.ataSecureErase, .overwrite], devices).first).contains("still there"))
    }

    @Test(
        "hdparm's other lie: it exits 0 and the drive refused; the password is taken off, never told, and the next method is tried"
    )
    func hdparmRefusal() throws {
        let (drive, devices, disks) = Self.ata { ($0.hasSecurity, $0.refusesErase) = (true, true) }
        let evidence = try #require(Self.wipe(disks, [.ataSecureErase, .overwrite], devices).first)
        #expect(evidence.outcome == .erased && evidence.method == .overwrite)
        #expect(evidence.remarks.contains { $0.contains("did not erase itself") })
        #expect(drive.state.withLock { $0.password == nil })
        let alone = Self.ata { ($0.hasSecurity, $0.refusesErase) = (true, true) }
        let failed = Self.wipe(alone.2, [.ataSecureErase], alone.1).first
        #expect(Self.reason(failed).contains("did not erase itself"))
        for words in evidence.remarks + [Self.reason(failed)] { #expect(!words.contains("slipway-secret")) }
    }

    @Test("a frozen drive is said to be frozen; only where the policy allows it something else is done")
    func frozen() throws {
        for method in [EraseMethod.ataSecureErase, .ataSanitizeBlock] {
            let (_, devices, disks) = Self.ata {
                ($0.hasSecurity, $0.isFrozen, $0.sanitize, $0.isSanitizeFrozen) = (true, true, 0xf000, true)
            }
            let failed = Self.reason(Self.wipe(disks, [method], devices).first)
            #expect(failed.contains("froze") && failed.contains("S-sda") && failed.contains("frozen: clear"))
            let cleared = try #require(Self.wipe(disks, [method], devices, whereFrozen: [.overwrite]).first)
            #expect(cleared.outcome == .erased && cleared.category == .clear)
            #expect(cleared.remarks.contains { $0.contains("frozen") })
        }
        // Not frozen, but without the method: the policy allows nothing else.
        let (_, devices, disks) = Self.ata { $0.hasSecurity = true }
        #expect(
            Self.reason(Self.wipe(disks, [.ataSanitizeBlock], devices, whereFrozen: [.overwrite]).first).contains(
                "does not have it"))
    }

    @Test("a drive that an earlier order left locked is unlocked; a stranger's lock is a failure that says so")
    func locked() throws {
        let (_, devices, disks) = Self.ata {
            ($0.hasSecurity, $0.password, $0.isLocked) = (true, "slipway-secret", true)
        }
        let evidence = try #require(Self.wipe(disks, [.ataSecureErase], devices).first)
        #expect(evidence.outcome == .erased && evidence.remarks.contains { $0.contains("password") })
        let (_, others, same) = Self.ata { ($0.hasSecurity, $0.password, $0.isLocked) = (true, "stranger", true) }
        #expect(Self.reason(Self.wipe(same, [.ataSecureErase], others).first).contains("not ours"))
        let (drive, expired, third) = Self.ata {
            ($0.hasSecurity, $0.password, $0.isLocked, $0.isExpired) = (true, "x", true, true)
        }
        #expect(Self.reason(Self.wipe(third, [.ataSecureErase], expired).first).contains("power the machine off"))
        #expect(drive.state.withLock { $0.commands.isEmpty })
    }

    @Test(
        "hidden sectors are no erased ones",
        arguments: [FakeATA.Feature.protectedArea, .shortProtectedArea, .addressConfiguration, .overlay])
    func hidden(by feature: FakeATA.Feature) throws {
        let (drive, devices, disks) = Self.ata { $0.features = [feature] }
        let last = UInt64(drive.target.sizeBytes / 512 - 1)
        drive.state.withLock { $0.lastSector = last }
        #expect(Self.wipe(disks, [.overwrite], devices).first?.outcome == .erased)
        drive.state.withLock { $0.lastSector = last + 7 }
        let failed = Self.reason(Self.wipe(disks, [.overwrite], devices).first)
        #expect(failed.contains("hides its last 7 sectors") && failed.contains("S-sda"))
        let remedy = feature == .overlay ? "hdparm --dco-restore" : "hdparm -N p\(last + 8) "
        #expect(failed.contains(remedy))
        // Quick promises nothing.
        let quick = try #require(Self.wipe(disks, [.quick], devices).first)
        #expect(quick.outcome == .erased && quick.remarks.contains { $0.contains("hides its last 7 sectors") })
    }

    @Test(
        "a drive that does not tell what it hides is erased, and its certificate says so",
        arguments: [
            (FakeATA.Feature.overlay, "device configuration overlay"), (.protectedArea, "host protected area"),
            (.addressConfiguration, "host protected area"),
        ])
    func silent(of feature: FakeATA.Feature, words: String) throws {
        let (_, devices, disks) = Self.ata { $0.features = [feature] }
        let evidence = try #require(Self.wipe(disks, [.overwrite], devices).first)
        #expect(evidence.outcome == .erased)
        #expect(evidence.remarks.contains { $0.contains("does not tell whether a \(words)") })
        let (_, plain, others) = Self.ata { _ in }
        #expect(Self.wipe(others, [.overwrite], plain).first?.remarks.contains { $0.contains("tell") } == false)
    }

    @Test(
        "ATA sanitize, and one that fails",
        arguments: [EraseMethod.ataSanitizeBlock, .ataSanitizeCrypto, .ataSanitizeOverwrite])
    func ataSanitize(method: EraseMethod) throws {
        let (_, devices, disks) = Self.ata { $0.sanitize = 0xf000 }
        let evidence = try #require(Self.wipe(disks, [method], devices).first)
        #expect(evidence.outcome == .erased && evidence.method == method && evidence.category == .purge)
        let (_, failing, same) = Self.ata { ($0.sanitize, $0.sanitizeFails) = (0xf000, true) }
        #expect(
            Self.reason(Self.wipe(same, [method, .overwrite], failing).first).contains("sanitize operation failed"))
        let (_, lying, third) = Self.ata { ($0.sanitize, $0.lies) = (0xf000, true) }
        #expect(Self.reason(Self.wipe(third, [method], lying).first).contains("reported as done"))
        let (_, cut, fourth) = Self.ata { ($0.sanitize, $0.sanitizing) = (0xf000, 100) }
        #expect(Self.wipe(fourth, [method], cut).first?.outcome == .erased)
        let (_, dead, fifth) = Self.ata { ($0.sanitize, $0.sanitizeFailed) = (0xf000, true) }
        #expect(
            Self.wipe(fifth, [method], dead).first?.remarks.contains { $0.contains("brought the drive back") } ?? false)
    }

    // MARK: SAS

    @Test("SCSI sanitize, passed over where the drive has it not, waited for, failed")
    func scsi() throws {
        func drive(_ change: (inout FakeSCSI.State) -> Void) -> (FakeDevices, [Disk]) {
            let target = MemoryTarget()
            return (
                FakeDevices(targets: ["/dev/sda": target], drives: ["/dev/sda": FakeSCSI(target, change)]),
                [Self.disk("/dev/sda", .sas)]
            )
        }
        let (devices, disks) = drive { $0.actions = [1, 3] }
        let evidence = try #require(Self.wipe(disks, [.scsiSanitizeBlock, .scsiSanitizeCrypto], devices).first)
        #expect(evidence.outcome == .erased && evidence.method == .scsiSanitizeCrypto)
        #expect(Self.wipe(disks, [.scsiSanitizeOverwrite], devices).first?.readBack?.finding == "all zeros")
        let (failing, same) = drive { ($0.actions, $0.fails) = ([2], true) }
        #expect(Self.reason(Self.wipe(same, [.scsiSanitizeBlock], failing).first).contains("sanitize operation failed"))
        let (cut, third) = drive { ($0.actions, $0.progress) = ([2], 5) }
        #expect(Self.wipe(third, [.scsiSanitizeBlock], cut).first?.outcome == .erased)
        let (dead, fourth) = drive { ($0.actions, $0.hasFailed) = ([2], true) }
        #expect(Self.wipe(fourth, [.scsiSanitizeBlock], dead).first?.outcome == .erased)
        #expect(Self.reason(Self.wipe(fourth, [.discard], dead).first).contains("promises nothing"))
    }
}
