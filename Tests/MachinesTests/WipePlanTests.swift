import FoundationEssentials
import Inventory
import Machines
import Testing

/// Which disks a wipe takes, and how. A disk that is wrongly taken is data lost; one that is wrongly passed over is data given away.
@Suite struct WipePlanTests {
    static func disk(
        _ path: String, _ serial: String?, _ transport: DiskTransport, methods: [EraseMethod]? = [.overwrite],
        _ change: (inout Disk) -> Void = { _ in }
    ) -> Disk {
        var disk = Disk(
            path: path, serial: serial, model: "M", sizeBytes: 1 << 40, transport: transport, eraseMethods: methods)
        change(&disk)
        return disk
    }

    static let local = disk("/dev/sda", "A", .sata)

    static func plan(
        _ disks: [Disk], _ request: WipeRequest = WipeRequest(), profile: WipePolicy? = nil, root: Disk? = nil
    ) -> Result<WipePlan, WipeObstacle> {
        Result { () throws(WipeObstacle) in
            try WipePlan.make(request, disks: disks, profilePolicy: profile, rootDisk: root)
        }
    }

    static func obstacle(_ result: Result<WipePlan, WipeObstacle>) -> String {
        guard case .failure(let obstacle) = result else { return "" }
        return obstacle.description
    }

    @Test(
        "what is not this machine's own is left alone, with the reason",
        arguments: [
            (disk("/dev/sdb", "B", .fibreChannel), "not a local disk (fc)"),
            (disk("/dev/sdb", "B", .iscsi), "not a local disk (iscsi)"),
            (disk("/dev/nvme1n1", "B", .nvmeOverFabrics), "not a local disk (nvmeof)"),
            (disk("/dev/sdb", "B", .usb), "removable or a BMC's virtual medium"),
            (disk("/dev/sdb", nil, .usb), "removable or a BMC's virtual medium"),
            (disk("/dev/sdb", "B", .sata) { $0.removable = true }, "it is removable"),
            (disk("/dev/sdb", "B", .sas) { $0.sharedBecause = "it is held by dm-0, such as multipath" }, "multipath"),
            (disk("/dev/sdb", "B", .sas) { $0.sharedBecause = "another machine has reserved it" }, "reserved"),
            (disk("/dev/sdb", "B", .iscsi) { $0.readOnly = true }, "not a local disk (iscsi)"),
        ])
    func foreign(disk: Disk, reason: String) throws {
        let plan = try Self.plan([Self.local, disk]).get()
        #expect(plan.targets.map(\.disk) == [Self.local])
        #expect(plan.leftAlone.map(\.disk) == [disk])
        #expect(plan.leftAlone.first?.reason.contains(reason) ?? false)
        // Naming it changes nothing.
        #expect(
            Self.obstacle(Self.plan([Self.local, disk], WipeRequest(paths: ["/dev/sdb"]))) != ""
                || disk.path != "/dev/sdb")
    }

    @Test("a local disk in a state that forbids writing is an obstacle with its serial, not passed over")
    func readOnly() throws {
        let disk = Self.disk("/dev/sdb", "RO-1", .sata) { $0.readOnly = true }
        let words = Self.obstacle(Self.plan([Self.local, disk]))
        #expect(words.contains("RO-1") && words.contains("read-only") && words.contains("--keep-disk RO-1"))
        let plan = try Self.plan([Self.local, disk], WipeRequest(keep: ["ro-1"])).get()
        #expect(plan.leftAlone.map(\.reason) == ["it is to be kept"])
        // What may or may not be foreign is for a person to say.
        let unknown = Self.disk("/dev/mmcblk0", "U-1", .unknown)
        #expect(Self.obstacle(Self.plan([Self.local, unknown])).contains("U-1"))
    }

    @Test(
        "an account is that of the plan when it shows each target once, erased by a method of the plan, and no other disk"
    )
    func account() throws {
        let nameless = [Self.disk("/dev/vdb", nil, .virtio), Self.disk("/dev/vdc", nil, .virtio)]
        let plan = try Self.plan(
            [Self.local] + nameless, WipeRequest(paths: ["/dev/vdb", "/dev/vdc"])
        ).get()
        func erased(_ disk: Disk, by method: EraseMethod? = .overwrite) -> DiskEvidence {
            DiskEvidence(
                disk, method: method, startedAt: .distantPast, endedAt: .distantPast, readBack: nil, outcome: .erased)
        }
        let whole = ([Self.local] + nameless).map { erased($0) }
        #expect(plan.gap(in: whole) == nil)
        #expect(plan.gap(in: whole.reversed()) == nil)
        var (failed, smaller) = (whole, whole)
        failed[0].outcome = .failed("I/O error")
        smaller[0].sizeBytes -= 512
        let rows: [([DiskEvidence], String)] = [
            ([], "A, /dev/vdb, /dev/vdc"), (Array(whole.dropFirst()), "for A"), (failed, "for A"), (smaller, "for A"),
            (whole + whole.prefix(1), "for A"), ([whole[0], whole[1], whole[1]], "/dev/vdb, /dev/vdc"),
            ([erased(Self.local, by: .ataSecureErase)] + whole.dropFirst(), "for A"),
            ([erased(Self.local, by: nil)] + whole.dropFirst(), "for A"),
            (whole + [erased(Self.disk("/dev/sdz", "Z", .sata))], "Z, which was not ordered"),
        ]
        for (disks, words) in rows {
            let gap = plan.gap(in: disks)
            #expect(gap?.contains(words) == true, "\(words): \(gap ?? "none")")
        }
    }

    @Test("a disk without a name is a target by its path, kept by its path, and otherwise an obstacle")
    func nameless() throws {
        let disk = Self.disk("/dev/vdb", nil, .virtio)
        let words = Self.obstacle(Self.plan([Self.local, disk]))
        #expect(words.contains("/dev/vdb") && words.contains("neither serial nor WWN"))
        let named = try Self.plan([Self.local, disk], WipeRequest(paths: ["/dev/vdb"])).get()
        #expect(named.targets.map(\.disk.path) == ["/dev/sda", "/dev/vdb"])
        #expect(
            named.order(driveSecret: "s").disks.last?.disk
                == DiskTarget(serial: nil, wwn: nil, path: "/dev/vdb", sizeBytes: 1 << 40))
        let kept = try Self.plan([Self.local, disk], WipeRequest(keep: ["/dev/vdb"])).get()
        #expect(kept.targets.map(\.disk.path) == ["/dev/sda"])
        #expect(
            Self.obstacle(Self.plan([Self.local, disk], WipeRequest(keep: ["/dev/vdb"], paths: ["/dev/vdb"]))) != "")
        // A path names no disk that has a better name, and no disk that is not there.
        #expect(Self.obstacle(Self.plan([Self.local], WipeRequest(paths: ["/dev/sda"]))).contains("is called A"))
        #expect(
            Self.obstacle(Self.plan([Self.local], WipeRequest(paths: ["/dev/sdz"]))).contains("no disk is at /dev/sdz"))
        #expect(Self.obstacle(Self.plan([Self.local], WipeRequest(keep: ["/dev/sda"]))).contains("no disk to keep"))
    }

    @Test("a name to keep that no disk has is an error: it may be a slip of the pen")
    func keep() throws {
        let other = Self.disk("/dev/sdb", "B", .sata) { $0.wwn = "naa.5000c500a1b2c3d4" }
        #expect(Self.obstacle(Self.plan([Self.local, other], WipeRequest(keep: ["C"]))).contains("called C"))
        let plan = try Self.plan([Self.local, other], WipeRequest(keep: ["NAA.5000C500A1B2C3D4"])).get()
        #expect(plan.targets.map(\.disk.serial) == ["A"] && plan.leftAlone.map(\.disk.serial) == ["B"])
        #expect(Self.obstacle(Self.plan([Self.local], WipeRequest(keep: ["A"]))).contains("no local disk is left"))
        #expect(Self.obstacle(Self.plan([])).contains("driver"))
    }

    @Test("only the root disk")
    func rootDisk() throws {
        let disks = [
            Self.local, Self.disk("/dev/sdb", nil, .sata), Self.disk("/dev/sdc", "C", .sata) { $0.readOnly = true },
        ]
        let plan = try Self.plan(disks, WipeRequest(scope: .rootDisk), root: Self.local).get()
        #expect(plan.targets.map(\.disk.serial) == ["A"])
        #expect(plan.leftAlone.map(\.reason) == ["only the root disk is wiped", "only the root disk is wiped"])
        #expect(Self.obstacle(Self.plan(disks, WipeRequest(scope: .rootDisk))).contains("root disk"))
        #expect(
            Self.obstacle(Self.plan(disks, WipeRequest(scope: .rootDisk, keep: ["A"]), root: Self.local)).contains(
                "to be kept"))
        #expect(Self.obstacle(Self.plan(disks, WipeRequest(scope: .rootDisk), root: disks[2])).contains("read-only"))
        let stick = Self.disk("/dev/sdd", "D", .usb)
        #expect(Self.obstacle(Self.plan(disks + [stick], WipeRequest(scope: .rootDisk), root: stick)).contains("usb"))
    }

    @Test("the namespaces of one NVMe controller are one target")
    func namespaces() throws {
        let disks = [("/dev/nvme0n1", "1"), ("/dev/nvme0n2", "2"), ("/dev/nvme1n1", "3")].map { path, number in
            Self.disk(path, number == "3" ? "T" : "S", .nvme, methods: [.nvmeFormat, .overwrite]) {
                ($0.wwn, $0.controller) = ("eui.000\(number)", number == "3" ? "0000:02:00.0" : "0000:01:00.0")
            }
        }
        #expect(try Self.plan(disks).get().targets.count == 3)
        // The controller's serial names both.
        #expect(try Self.plan(disks, WipeRequest(keep: ["S"])).get().targets.map(\.disk.path) == ["/dev/nvme1n1"])
        let words = Self.obstacle(Self.plan(disks, WipeRequest(keep: ["eui.0002"])))
        #expect(
            words.contains("/dev/nvme0n1") && words.contains("/dev/nvme0n2") && words.contains("one NVMe controller"))
        #expect(
            Self.obstacle(Self.plan(disks, WipeRequest(scope: .rootDisk), root: disks[0])).contains(
                "one NVMe controller"))
        // Writing a namespace touches no other one.
        let quick = WipeRequest(policy: WipePolicy(method: .quick), keep: ["eui.0002"])
        #expect(try Self.plan(disks, quick).get().targets.map(\.disk.wwn) == ["eui.0001", "eui.0003"])
        // Where the PCI function is not known, the path tells.
        let bare = disks.map { disk in
            var disk = disk
            disk.controller = nil
            return disk
        }
        #expect(Self.obstacle(Self.plan(bare, WipeRequest(keep: ["eui.0002"]))).contains("one NVMe controller"))
        #expect(try Self.plan(bare, WipeRequest(keep: ["eui.0003"])).get().targets.count == 2)
    }

    @Test("two disks that an order could not tell apart are none's target")
    func twins() {
        let twins = [Self.disk("/dev/sda", "A", .sata), Self.disk("/dev/sdb", "A", .sata)]
        #expect(Self.obstacle(Self.plan(twins)).contains("nothing tells"))
        // Not even when the other one is foreign.
        #expect(Self.obstacle(Self.plan([twins[0], Self.disk("/dev/sdb", "A", .iscsi)])).contains("nothing tells"))
    }

    static let everything = EraseMethod.allCases.filter { $0 != .quick }

    @Test(
        "methods by policy: what the drive has, the best first, and none below the policy",
        arguments: [
            (.quick, everything, false, [.quick]),
            (.clear, [.discard, .overwrite], false, [.overwrite]), (.clear, nil, false, [.overwrite]),
            (
                .clear,
                [.nvmeFormat, .nvmeFormatCrypto, .nvmeSanitizeCrypto, .nvmeSanitizeBlock, .discard, .overwrite], false,
                [.nvmeSanitizeBlock, .nvmeSanitizeCrypto, .nvmeFormatCrypto, .nvmeFormat, .overwrite]
            ),
            (.purge, [.nvmeFormat, .nvmeFormatCrypto, .nvmeSanitizeCrypto, .overwrite], false, [.nvmeSanitizeCrypto]),
            (.clear, [.ataSecureErase, .overwrite], true, [.ataSecureErase, .overwrite]),
            (.purge, [.ataSecureErase, .ataSecureEraseEnhanced, .overwrite], true, [.ataSecureEraseEnhanced]),
            (.purge, [.ataSecureErase, .ataSanitizeOverwrite], true, [.ataSanitizeOverwrite]),
            (.purge, [.scsiSanitizeCrypto, .scsiSanitizeBlock], false, [.scsiSanitizeBlock, .scsiSanitizeCrypto]),
        ] as [(WipePolicy.Method, [EraseMethod]?, Bool, [EraseMethod])])
    func methods(policy: WipePolicy.Method, had: [EraseMethod]?, rotational: Bool, methods: [EraseMethod]) throws {
        let disk = Self.disk("/dev/sda", "A", .sata, methods: had) { $0.rotational = rotational }
        let plan = try Self.plan([disk], WipeRequest(policy: WipePolicy(method: policy))).get()
        #expect(plan.targets.map(\.methods) == [methods])
        for method in methods where policy == .purge { #expect(method.category(rotational: rotational) == .purge) }
    }

    @Test("no way to purge is an obstacle that names the drive and what to say instead")
    func noPurge() {
        let purge = WipeRequest(policy: WipePolicy(method: .purge, frozen: .clear))
        for had in [nil, [.discard, .overwrite], [.nvmeFormat, .overwrite], [.ataSecureEraseEnhanced]]
            as [[EraseMethod]?]
        {
            let words = Self.obstacle(Self.plan([Self.disk("/dev/sda", "A", .sata, methods: had)], purge))
            #expect(words.contains("serial A") && words.contains("policy clear"), "\(words)")
        }
    }

    @Test("where frozen, and only there, a purge may become a clear")
    func frozen() throws {
        let disk = Self.disk("/dev/sda", "A", .sata, methods: [.ataSanitizeBlock, .ataSecureErase, .overwrite])
        func frozen(_ policy: WipePolicy) throws -> [EraseMethod] {
            try Self.plan([disk], WipeRequest(policy: policy)).get().targets[0].whereFrozen
        }
        #expect(try frozen(WipePolicy(method: .purge, frozen: .clear)) == [.ataSecureErase, .overwrite])
        #expect(
            try frozen(WipePolicy(method: .purge)).isEmpty && frozen(WipePolicy(method: .clear, frozen: .clear)).isEmpty
        )
    }

    @Test("the request's policy comes before the profile's, and that before the standard")
    func policy() throws {
        let quick = WipePolicy(method: .quick), full = WipePolicy(method: .clear, verify: .full)
        #expect(try Self.plan([Self.local]).get().policy == .standard)
        #expect(try Self.plan([Self.local], profile: full).get().policy == full)
        let plan = try Self.plan([Self.local], WipeRequest(policy: quick), profile: full).get()
        #expect(plan.policy == quick && plan.order(driveSecret: "s").verify == .sampled)
    }

    @Test("every method has a category and a name, and is in the order of worth where it erases")
    func categories() {
        for method in EraseMethod.allCases {
            #expect(method.category(rotational: true) >= method.category && !method.term.isEmpty)
        }
        #expect(EraseMethod.discard.category == .none && EraseMethod.quick.category == .none)
        #expect(
            EraseMethod.nvmeFormatCrypto.category == .clear && EraseMethod.ataSecureEraseEnhanced.category == .clear)
    }

    @Test("the plan in words")
    func words() throws {
        let disks = [
            Self.disk("/dev/nvme0n1", "S4", .nvme, methods: [.nvmeSanitizeBlock, .overwrite]),
            Self.disk("/dev/sdb", "B", .usb) { $0.sizeBytes = 16_000_000_000 },
        ]
        let plan = try Self.plan(disks, WipeRequest(extras: .init(tpm: true))).get()
        #expect(
            WipePlan.words(plan) == [
                "erase S4, M, 1TiB, /dev/nvme0n1: nvme-sanitize-block (purge), else overwrite (clear)",
                "leave B, M, 16GB, /dev/sdb: it is removable or a BMC's virtual medium (usb)",
                "policy: clear, verified sampled",
                "clear boot entries of systems that are gone, crash records, the TPM's owner and keys",
            ])
    }
}
