import FoundationEssentials
import Inventory
import Machines
import TestSupport
import Testing

@testable import AgentCore

@Suite struct WipePartsTests {
    @Test("programs: what they print, how they end, and an end to those that do not")
    func programs() {
        let echo = ChildProgram.run("/bin/sh", ["-c", "echo one; echo two >&2; exit 3"], within: .seconds(20))
        #expect(
            echo == ProgramResult(ending: .exit(3), output: "one\ntwo\n") && echo.words == "one / two (exit status 3)")
        #expect(ChildProgram.run("/bin/sh", ["-c", "kill -9 $$"], within: .seconds(20)).ending == .signal(9))
        #expect(ChildProgram.run("/bin/sleep", ["60"], within: .milliseconds(300)).ending == .timeout)
        #expect(
            ChildProgram.run("/bin/sh", ["-c", "exec >&- 2>&-; sleep 60"], within: .milliseconds(300)).ending
                == .timeout)
        guard case .notStarted(let why) = ChildProgram.run("/no/such", [], within: .seconds(1)).ending else {
            Issue.record("started")
            return
        }
        #expect(why.contains("/no/such"))
        let much = ChildProgram.run("/bin/sh", ["-c", "head -c 1000000 /dev/zero | tr '\\0' x"], within: .seconds(20))
        #expect(much.isSuccess && much.output.count == 16_384)
    }

    @Test(
        "labels have their places at both ends of every disk, however small",
        arguments: [
            (0, []), (4096, [0..<4096]), (1 << 20, [0..<1 << 20]), ((40 << 20) + 512, [0..<(40 << 20) + 512]),
            (1 << 30, [0..<16 << 20, 64 << 20..<(64 << 20) + 65536, (1 << 30) - (32 << 20)..<1 << 30]),
        ] as [(Int64, [Range<Int64>])])
    func places(size: Int64, ranges: [Range<Int64>]) {
        #expect(LabelPlaces.ranges(sizeBytes: size, partitions: []) == ranges)
    }

    @Test("partitions have labels of their own, and what lies beyond the disk is none")
    func partitions() {
        let size: Int64 = 2000 << 30
        let places = LabelPlaces.ranges(
            sizeBytes: size,
            partitions: [20 << 20..<100 << 20, 500 << 20..<(500 << 20) + 512, size - 4096..<size + (1 << 30)])
        #expect(places.contains(20 << 20..<36 << 20) && places.contains(99 << 20..<100 << 20))
        #expect(places.contains(500 << 20..<(500 << 20) + 4096))
        #expect(places.last?.upperBound == size && places.contains(1000 << 30..<(1000 << 30) + 65536))
        #expect(zip(places, places.dropFirst()).allSatisfy { $0.upperBound < $1.lowerBound })
    }

    @Test(
        "marks lie within the disk, do not overlap, and are told from all else",
        arguments: [0, 512, 4096, 4608, 1 << 20, (1 << 40) + 512] as [Int64])
    func marks(size: Int64) {
        var generator = SystemRandomNumberGenerator()
        let marks = Marks(
            sizeBytes: size, places: LabelPlaces.ranges(sizeBytes: size, partitions: []), using: &generator)
        #expect(zip(marks.offsets, marks.offsets.dropFirst()).allSatisfy { $0 + 4096 <= $1 })
        #expect(marks.offsets.allSatisfy { $0 >= 0 && $0 + 4096 <= size && $0 % 512 == 0 })
        #expect(Set(marks.ends).isSubset(of: marks.offsets))
        guard size >= 4096 else { return }
        #expect(marks.offsets.first == (size == 4608 ? 512 : 0) && marks.offsets.last == size - 4096)
        let buffer = AlignedBuffer(4096)
        marks.fill(buffer.bytes, for: 0)
        let bytes = UnsafeRawBufferPointer(buffer.bytes)
        #expect(marks.isWhole(in: bytes, at: 0) && marks.isLeft(in: bytes, at: 0) && !marks.isLeft(in: bytes, at: 4096))
        // 16 bytes that stayed are enough.
        for index in 0..<4080 { buffer.bytes[index] = 0 }
        #expect(marks.isLeft(in: bytes, at: 0) && !marks.isWhole(in: bytes, at: 0))
        for index in 4080..<4096 { buffer.bytes[index] = 0 }
        #expect(!marks.isLeft(in: bytes, at: 0))
    }

    @Test("answers that are cut or odd are none")
    func total() {
        for count in 0..<20 { #expect(NVMeSanitizeLog(log: [UInt8](repeating: 2, count: count)) == nil) }
        for count in 0..<22 { #expect(ATASanitizeStatus(sense: [UInt8](repeating: 0x72, count: count)) == nil) }
        #expect(ATASecurity(identify: [UInt8](repeating: 0, count: 511)) == nil)
        #expect(ATACapacity(identify: [UInt8](repeating: 0, count: 511)) == nil)
        #expect(ATACapacity.lastSector(overlay: [UInt8](repeating: 255, count: 511)) == nil)
        for count in 0..<22 {
            let sense = [UInt8](repeating: 0x72, count: count)
            #expect(ATACapacity.lastSector(sense: sense, of: .protectedArea) == nil)
        }
        // What a 28-bit address has above its lower 24 bits.
        let sense: [UInt8] = [0x72, 1, 0, 0x1d, 0, 0, 0, 14, 9, 12, 0, 0, 0, 0, 0, 3, 0, 2, 0, 1, 0xed, 0x50]
        #expect(ATACapacity.lastSector(sense: sense, of: .shortProtectedArea) == 0xd01_0203)
        #expect(ATACapacity.lastSector(sense: sense, of: .protectedArea) == 0x1_0203)
        #expect(NVMeData.namespaces(list: [1, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 9, 9]) == [1, 3])
        #expect(NVMeData.namespaces(list: [1, 0, 0]).isEmpty)
        #expect(SCSISanitizeStatus(sense: []) == .ready)
        #expect(GPT.partitions(head: [UInt8](repeating: 0x45, count: 600)).isEmpty)
    }

    @Test("the places and numbers of words 59, 89, 90 and 128 (ACS-4 §7.13.6)")
    func security() throws {
        let page = DriveDataTests.page([59: 0xb000, 82: 2, 89: 0x20, 90: 0x8123, 128: 0x2f])
        let state = try #require(ATASecurity(identify: Array(page.suffix(512))))
        #expect(
            state.isSupported && state.isEnabled && state.isLocked && state.isFrozen && !state.isExpired
                && state.hasEnhanced)
        #expect(state.eraseMinutes == 64 && state.enhancedMinutes == 0x123 * 2)
        #expect(state.hasSanitize && state.hasCrypto && !state.hasOverwrite && state.hasBlock)
    }

    // MARK: a machine of files

    private static func machine(_ directory: String, faults: String? = nil) throws -> SimulatedMachine {
        var report = HardwareReport(
            system: .init(serial: "SN"), firmware: .init(kind: .bios),
            processor: .init(architecture: "amd64", sockets: 1, cores: 1, threads: 1),
            memory: .init(installedBytes: 1 << 30),
            disks: [], nics: [], hasBMC: false, bootID: "b")
        report.disks = ["a", "b", "c", "d", "e"].map {
            Disk(
                path: "\($0).raw", serial: "D-\($0)", sizeBytes: 52 << 20, transport: $0 == "d" ? .sata : .virtio,
                eraseMethods: [.overwrite])
        }
        try JSONEncoder().encode(report).write(to: URL(filePath: directory + "/hardware.json"))
        for disk in report.disks {
            try Data(repeating: 0x5a, count: Int(disk.sizeBytes)).write(to: URL(filePath: directory + "/" + disk.path))
        }
        if let faults { try Data(faults.utf8).write(to: URL(filePath: directory + "/faults.json")) }
        return try SimulatedMachine(directory: directory)
    }

    @Test("a machine of files: its disks are overwritten, and fail as they are told to")
    func simulated() async throws {
        try await withTemporaryDirectory { directory in
            let machine = try Self.machine(
                directory, faults: #"{"D-b": "read-only", "c.raw": "io-error", "D-d": "frozen", "D-e": "slow"}"#)
            let disks = machine.hardware().disks
            let methods: [[EraseMethod]] = [[.overwrite], [.overwrite], [.overwrite], [.ataSecureErase], [.quick]]
            let order = WipeOrder(
                disks: zip(disks, methods).map { DiskWipe(disk: DiskTarget($0), methods: $1) }, verify: .full,
                extras: .init(),
                driveSecret: "s")
            let found = machine.wipe(order, disks) { _ in }.disks
            func bytes(_ name: String) throws -> Data {
                try Data(contentsOf: URL(filePath: directory + "/\(name).raw"))
            }
            #expect(found[0].outcome == .erased && found[0].readBack?.kind == .full)
            #expect(try bytes("a").allSatisfy { $0 == 0 })
            #expect(
                WipeEngineTests.reason(found[1]).contains("D-b")
                    && WipeEngineTests.reason(found[1]).contains("read-only"))
            #expect(try bytes("b").allSatisfy { $0 == 0x5a })
            #expect(
                WipeEngineTests.reason(found[2]).contains("D-c")
                    && WipeEngineTests.reason(found[2]).contains("Input/output error"))
            #expect(WipeEngineTests.reason(found[3]).contains("froze"))
            #expect(found[4].outcome == .erased && found[4].method == .quick)
            let quick = try bytes("e")
            #expect(quick.prefix(16 << 20).allSatisfy { $0 == 0 } && quick.suffix(32 << 20).allSatisfy { $0 == 0 })
            #expect(quick[18 << 20] == 0x5a)
        }
    }

    // MARK: beside the disks

    @Test(
        "entries of partitions that no disk has are removed; those of kept disks, of the network and of the firmware stay"
    )
    func bootEntries() async throws {
        try await withTree { tree in
            let vendor = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
            func entry(_ guid: UInt8) -> [UInt8] {
                EFIBootEntry(
                    title: "System \(guid)",
                    partition: GPT.Entry(
                        number: 1, type: [], unique: [UInt8](repeating: guid, count: 16), blocks: 2048...4095,
                        name: "ESP"),
                    file: "\\EFI\\BOOT\\BOOTX64.EFI"
                ).encoded
            }
            // A network card's path, and one that is empty.
            let network: [UInt8] =
                [1, 0, 0, 0, 41, 0, 0x4e, 0, 0, 0, 3, 11, 37, 0] + [UInt8](repeating: 0, count: 33) + [
                    0x7f, 0xff, 4, 0,
                ]
            let variables: [(UInt16, [UInt8])] = [(0, entry(1)), (1, entry(2)), (2, network)]
            for (number, content) in variables {
                try tree.write("/sys/firmware/efi/efivars/Boot000\(number)-\(vendor)", Data([7, 0, 0, 0] + content))
            }
            try tree.write("/sys/firmware/efi/efivars/BootOrder-\(vendor)", Data([7, 0, 0, 0, 2, 0, 0, 0, 1, 0]))
            try tree.write(
                "/sys/firmware/efi/efivars/dump-type0-1-1-1600000000-C-cfc8fc79-be2e-4ddc-97f0-9f98bfe298a0", "x")
            try tree.write("/sys/fs/pstore/dmesg-efi-1", "panic")
            // The disk that is kept has the second one's partition.
            var head = [UInt8](repeating: 0, count: 70_000)
            head.replaceSubrange(512..<520, with: Array("EFI PART".utf8))
            (head[512 + 80], head[512 + 84]) = (128, 128)
            head.replaceSubrange(1024..<1056, with: [UInt8](repeating: 9, count: 16) + [UInt8](repeating: 2, count: 16))
            try tree.disk("sda", device: "pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0")
            try tree.write("/dev/sda", Data(head))
            let files = SystemFiles(root: tree.root)
            let (facts, failures) = WipeExtras(wanted: .init(tpm: true), files: files).run()
            #expect(facts["bootEntries"] == "removed System 1" && facts["crashRecords"] == "2 removed")
            #expect(failures == ["the TPM is not cleared: this machine has none"])
            #expect(
                files.list("/sys/firmware/efi/efivars") == [
                    "Boot0001-\(vendor)", "Boot0002-\(vendor)", "BootOrder-\(vendor)",
                ])
            #expect(
                files.bytes("/sys/firmware/efi/efivars/BootOrder-\(vendor)")?.prefix(8) == [7, 0, 0, 0, 2, 0, 1, 0])
        }
    }
}
