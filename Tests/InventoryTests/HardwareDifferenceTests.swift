import Inventory
import NetworkAddresses
import Testing

/// What two reports of one machine differ in, in the words that a person reads.
@Suite struct HardwareDifferenceTests {
    static let report: HardwareReport = {
        let modules = ["A1", "A2", "A3"].map {
            HardwareReport.Memory.Module(
                slot: $0, sizeBytes: 32 << 30, speedMTps: 3200, manufacturer: "Samsung", partNumber: "M393A4K40DB3",
                serial: "S-" + $0)
        }
        return HardwareReport(
            system: .init(manufacturer: "Dell Inc.", product: "PowerEdge R650", serial: "7XJQ1K3"),
            board: .init(serial: "B-1"), firmware: .init(kind: .uefi, version: "1.9.2", secureBoot: true),
            tpm: .init(version: "2.0"),
            processor: .init(architecture: "amd64", model: "Xeon", sockets: 2, cores: 64, threads: 128),
            memory: .init(installedBytes: 96 << 30, usableBytes: 94 << 30, sockets: 32, modules: modules),
            disks: [
                Disk(
                    path: "/dev/nvme0n1", serial: "D-1", model: "PM9A3", sizeBytes: 960_197_124_096, transport: .nvme,
                    firmware: "GDC7", health: .init(isFailing: false, temperatureCelsius: 30)),
                Disk(path: "/dev/sda", model: "Virtual Floppy", sizeBytes: 1 << 20, transport: .usb, removable: true),
            ],
            controllers: [
                .init(kind: .raid, address: "0000:65:00.0", id: "1000:10e2", driver: "megaraid_sas", disks: 1)
            ],
            nics: [
                NIC(
                    name: "eth0", mac: MACAddress(rawValue: 0xb8ca_3a00_0001), firmware: "22.31",
                    slot: "Integrated NIC 1", neighbour: LLDPNeighbour(system: "leaf-7", port: "Ethernet1/7"),
                    pciAddress: "0000:04:00.0")
            ],
            devices: [
                PCIDevice(address: "0000:17:00.0", id: "10de:20b5", classCode: "030200", slot: "Slot 3"),
                PCIDevice(address: "0000:18:00.0", id: "10de:20b5", classCode: "030200", slot: "Slot 3"),
            ], hasBMC: true, bmc: .init(firmware: "6.10", specification: "2.0", address: "10.0.0.5"), bootID: "1")
    }()

    static func changes(_ change: (inout HardwareReport) -> Void) -> [String] {
        var other = report
        change(&other)
        return other.changes(since: report).map(\.description)
    }

    @Test("each change in words")
    func words() {
        #expect(
            Self.changes {
                $0.memory.modules.remove(at: 2)
                $0.memory.installedBytes = 64 << 30
            } == [
                "memory module A3 gone (32 GiB Samsung M393A4K40DB3 serial S-A3)", "memory: 96 GiB → 64 GiB",
            ])
        #expect(
            Self.changes { $0.memory.modules[0].serial = "S-9" } == ["memory module A1 serial: S-A1 → S-9"])
        #expect(
            Self.changes { $0.disks[0].serial = "D-2" } == [
                "disk D-1 gone (PM9A3 960 GB nvme)", "disk D-2 appeared (PM9A3 960 GB nvme)",
            ])
        #expect(Self.changes { $0.disks[0].health?.isFailing = true } == ["disk D-1 health: good → failing"])
        #expect(Self.changes { $0.firmware.version = "1.10.0" } == ["firmware version: 1.9.2 → 1.10.0"])
        #expect(Self.changes { $0.tpm = nil } == ["TPM: 2.0 → none"])
        #expect(
            Self.changes { $0.nics[0].neighbour?.port = "Ethernet1/8" } == [
                "NIC b8:ca:3a:00:00:01 switch port: leaf-7 Ethernet1/7 → leaf-7 Ethernet1/8"
            ])
        #expect(Self.changes { $0.controllers = [] } == ["RAID controller 0000:65:00.0 gone (1000:10e2 megaraid_sas)"])
        #expect(Self.changes { $0.devices.removeLast() } == ["GPU Slot 3 gone (10de:20b5)"])
        #expect(Self.changes { $0.devices[1].id = "10de:2330" } == ["GPU Slot 3 id: 10de:20b5 → 10de:2330"])
        #expect(Self.changes { $0.bmc?.firmware = "7.0" } == ["BMC firmware: 6.10 → 7.0"])
        #expect(
            Self.changes {
                $0.nics.append(
                    NIC(
                        name: "eth1", mac: MACAddress(rawValue: 0xb8ca_3a00_0002), driver: "ice",
                        pciAddress: "0000:05:00.0"))
            } == ["NIC b8:ca:3a:00:00:02 appeared (ice 0000:05:00.0)"])
    }

    @Test("what differs from boot to boot, and what was not known before, is no change")
    func quiet() {
        #expect(
            Self.changes { report in
                report.bootID = "2"
                report.disks[0].path = "/dev/nvme1n1"
                report.disks[0].health?.temperatureCelsius = 45
                report.disks[0].signatures = ["gpt"]
                report.disks.remove(at: 1)
                report.memory.usableBytes -= 1 << 20
                report.nics[0].neighbour = nil
                report.nics[0].linkUp = true
                report.nics[0].name = "eth7"
                report.nics.append(
                    NIC(name: "usb0", mac: MACAddress(rawValue: 0x0432_0100_0003)))
                report.system.sku = "SKU"
                report.bmc?.mac = "b8:ca:3a:00:00:09"
            } == [])
    }

    @Test("a newer agent that looks for more changes nothing")
    func learned() throws {
        var old = Self.report
        (old.controllers, old.devices, old.tpm, old.bmc) = ([], [], nil, nil)
        (old.memory.modules, old.memory.sockets, old.board) = ([], nil, nil)
        #expect(Self.report.changes(since: old) == [])
        // A disk is looked for by every agent.
        var bare = old
        bare.disks = []
        #expect(old.changes(since: bare).map(\.kind) == [.appeared])
    }

    @Test("memory of which firmware tells no modules is told in whole gibibytes: kernels differ in what they leave")
    func usable() {
        var (old, new) = (Self.report, Self.report)
        for index in [0, 1] {
            let bytes = Int64(index == 0 ? 33_566_720 : 33_570_816) << 10
            let memory = HardwareReport.Memory(installedBytes: bytes)
            if index == 0 { old.memory = memory } else { new.memory = memory }
        }
        #expect(new.changes(since: old) == [])
    }

    @Test("numbers that no machine has come from the network too, and are only numbers")
    func extremes() {
        for extreme in [Int64.max, .min, -1, 0] {
            var report = Self.report
            report.memory = .init(installedBytes: extreme)
            report.nics[0].speedMbps = Int(extreme)
            report.disks[0].sizeBytes = extreme
            report.disks[0].health = .init(mediaErrors: extreme)
            report.processor.threads = Int(extreme)
            #expect(!report.changes(since: Self.report).isEmpty && Self.report.changes(since: report) != [])
            for field in HardwareField.ofMachine {
                _ = HardwareCondition.field(field, .compares([Comparison(.atLeast, extreme)])).explain(report).faults
            }
            for list in HardwareParts.allCases {
                for field in list.fields {
                    let part = HardwareCondition.field(field, .compares([Comparison(.equal, extreme)]))
                    _ = HardwareCondition.count(list, where: part, [Comparison(.less, extreme)]).explain(report).faults
                }
            }
            _ = (report.problems, report.identity)
        }
    }
}
