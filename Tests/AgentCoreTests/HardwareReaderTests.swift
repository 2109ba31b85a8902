import Foundation
import Inventory
import NetworkAddresses
import TestSupport
import Testing

@testable import AgentCore

/// Hardware as the kernel shows it: trees of /sys and /proc with the paths of real servers.
@Suite struct HardwareReaderTests {
    @Test(
        "how a disk is attached, by its place in the device tree",
        arguments: [
            ("nvme0n1", "pci0000:00/0000:00:1d.0/0000:3d:00.0/nvme/nvme0", ["device/transport": "pcie"], .nvme),
            ("nvme1n1", "virtual/nvme-fabrics/ctl/nvme1", ["device/transport": "tcp"], .nvmeOverFabrics),
            ("sda", "pci0000:00/0000:00:17.0/ata3/host2/target2:0:0/2:0:0:0", [:], .sata),
            (
                "sdb",
                "pci0000:3a/0000:3a:00.0/0000:3b:00.0/host0/port-0:0/end_device-0:0/target0:0:0/0:0:0:0", [:], .sas
            ),
            ("sdc", "pci0000:17/0000:17:00.0/0000:18:00.0/host0/target0:2:0/0:2:0:0", [:], .raid),
            ("sdd", "pci0000:00/0000:00:14.0/usb1/1-8/1-8:1.0/host6/target6:0:0/6:0:0:0", ["removable": "1"], .usb),
            ("sde", "platform/host7/session1/target7:0:0/7:0:0:1", [:], .iscsi),
            ("sdf", "pci0000:80/0000:81:00.0/host8/rport-8:0-1/target8:0:0/8:0:0:3", [:], .fibreChannel),
            ("vda", "pci0000:00/0000:00:02.0/virtio1", [:], .virtio),
        ] as [(String, String, [String: String], DiskTransport)])
    func transports(name: String, device: String, attributes: [String: String], transport: DiskTransport) async throws {
        try await withTree { tree in
            try tree.disk(name, device: device, attributes)
            #expect(tree.report.disks.map(\.transport) == [transport])
            #expect(tree.report.disks.first?.removable == (attributes["removable"] == "1"))
        }
    }

    @Test("a disk's names: serial from the drive or its VPD page, WWN only where the standard makes it unique")
    func names() async throws {
        try await withTree { tree in
            try tree.disk(
                "nvme0n1", device: "pci0000:00/0000:3d:00.0/nvme/nvme0", sectors: 3_750_748_848,
                [
                    "device/serial": "S4YPNE0N800123      ", "wwid": "eui.36344730528001230025384500000001",
                    "device/model": "SAMSUNG MZQLB1T9HAJR-00007              ", "queue/rotational": "0",
                ])
            try tree.disk(
                "sda", device: "pci0000:00/0000:00:17.0/ata3/host2/target2:0:0/2:0:0:0",
                [
                    "device/wwid": "t10.ATA     QEMU HARDDISK                           QM00001",
                    "queue/rotational": "1",
                    "ro": "1",
                ])
            try tree.write(
                "/sys/devices/pci0000:00/0000:00:17.0/ata3/host2/target2:0:0/2:0:0:0/vpd_pg80",
                Data([0, 0x80, 0, 8]) + Data("  ZC1A2B".utf8))
            let disks = tree.report.disks
            let nvme = try #require(disks.first { $0.path == "/dev/nvme0n1" })
            #expect(nvme.serial == "S4YPNE0N800123" && nvme.wwn == "eui.36344730528001230025384500000001")
            #expect(nvme.model == "SAMSUNG MZQLB1T9HAJR-00007" && nvme.sizeBytes == 1_920_383_410_176)
            #expect(!nvme.rotational && !nvme.readOnly)
            let sata = try #require(disks.first { $0.path == "/dev/sda" })
            #expect(sata.serial == "ZC1A2B" && sata.wwn == nil && sata.rotational && sata.readOnly)
        }
    }

    @Test("what is no disk, or nobody's to write to")
    func others() async throws {
        try await withTree { tree in
            for name in ["loop0", "ram0", "sr0", "dm-0", "md127", "fd0", "nvme0c0n1", "mmcblk0boot0", "zram0"] {
                try tree.disk(name, device: "virtual/block/" + name)
            }
            try tree.disk("sdx", device: "pci0000:00/host0/target0:0:0/0:0:0:0", sectors: 0)
            #expect(tree.report.disks.isEmpty)
            try tree.disk("sdy", device: "pci0000:00/host0/rport-0:0-1/target0:0:0/0:0:0:1")
            try tree.write("/sys/block/sdy/holders/dm-0/x", "")
            #expect(tree.report.disks.first?.sharedBecause?.contains("dm-0") == true)
            #expect(tree.report.disks.first?.untargetable != nil)
        }
    }

    @Test(
        "what is on a disk, by its first bytes",
        arguments: [
            (512, "EFI PART", ["gpt"]), (4096, "EFI PART", ["gpt"]), (0, "XFSB", ["xfs"]), (512, "LABELONE", ["lvm"]),
            (0, "LUKS", ["luks"]), (1000, "x", ["data"]), (0, "", []),
        ] as [(Int, String, [String])])
    func signatures(offset: Int, text: String, found: [String]) {
        var bytes = [UInt8](repeating: 0, count: 70_000)
        bytes.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
        #expect(DiskReader.signatures(bytes) == found)
    }

    @Test("NICs with a device behind them, and their place")
    func nics() async throws {
        try await withTree { tree in
            try tree.nic(
                "eno1", device: "pci0000:00/0000:00:1c.0/0000:01:00.0",
                ["type": "1", "address": "b8:ca:3a:00:00:01", "carrier": "1", "speed": "25000"])
            try tree.link(
                "/sys/devices/pci0000:00/0000:00:1c.0/0000:01:00.0/driver", to: "/sys/bus/pci/drivers/bnxt_en")
            try tree.nic(
                "enp1s0v0", device: "pci0000:00/0000:00:1c.0/0000:01:02.0",
                ["type": "1", "address": "02:ca:3a:00:00:02", "speed": "-1"])
            try tree.write("/sys/devices/pci0000:00/0000:00:1c.0/0000:01:02.0/physfn", "")
            // The BMC's own network over USB, an InfiniBand port, a bridge.
            try tree.nic(
                "enx0", device: "pci0000:00/0000:00:14.0/usb1/1-14/1-14.3/1-14.3:1.0",
                ["type": "1", "address": "04:32:01:00:00:03"])
            try tree.nic("ib0", device: "pci0000:00/0000:02:00.0", ["type": "32", "address": "00:00:10:29:fe:80"])
            try tree.write("/sys/class/net/br0/address", "02:00:00:00:00:09\n")
            try tree.write("/sys/class/net/br0/type", "1\n")
            let nics = tree.report.nics
            #expect(nics.map(\.name) == ["eno1", "enp1s0v0", "enx0"])
            #expect(nics[0].driver == "bnxt_en" && nics[0].pciAddress == "0000:01:00.0" && nics[0].speedMbps == 25000)
            #expect(nics[0].linkUp && !nics[0].isVirtualFunction)
            #expect(nics[1].isVirtualFunction && nics[1].speedMbps == nil && !nics[1].linkUp)
            #expect(nics[2].pciAddress == nil)
        }
    }

    @Test("who the machine is, without the texts that mean nothing")
    func system() async throws {
        try await withTree { tree in
            for (name, value) in [
                "sys_vendor": "Supermicro", "product_name": "SYS-6019U-TR4", "product_serial": "To Be Filled By O.E.M.",
                "product_uuid": "00000000-0000-0000-0000-ac1f6b123456", "board_serial": "OM187S000001",
                "chassis_asset_tag": "Default string", "bios_vendor": "American Megatrends Inc.",
            ] { try tree.write("/sys/class/dmi/id/" + name, value + "\n") }
            try tree.write(
                "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c", Data([6, 0, 0, 0, 1]))
            try tree.write("/proc/meminfo", "MemTotal:       32780000 kB\nMemFree: 1 kB\n")
            let block = { (processor: Int, socket: Int, core: Int) in
                "processor\t: \(processor)\nmodel name\t: Xeon\nphysical id\t: \(socket)\ncore id\t\t: \(core)\n\n"
            }
            try tree.write(
                "/proc/cpuinfo",
                block(0, 0, 0) + block(1, 0, 1) + block(2, 1, 0) + block(3, 1, 1) + block(4, 0, 0) + block(5, 0, 1)
                    + block(6, 1, 0) + block(7, 1, 1))
            let report = tree.report
            #expect(report.system.manufacturer == "Supermicro" && report.system.serial == nil)
            #expect(report.board?.serial == "OM187S000001" && report.chassis == nil)
            #expect(report.firmware.kind == .uefi && report.firmware.secureBoot == true)
            #expect(report.memory.installedBytes == 32_780_000 * 1024)
            // Modules of 32 GiB, which is more than the kernel can use; then one that tells of less, a broken one, and sums that no
            // machine of this size has: the last is beyond 64 bits.
            let usable = 32_780_000 << 10
            for (mebibytes, modules, length, expected) in [
                (32767, 1, 40, 32767 << 20), (32767, 3, 40, 3 * 32767 << 20), (1024, 1, 40, usable),
                (32767, 1, 50, usable),
                (32767, 4, 40, usable), (0x7fff_ffff, 4200, 40, usable),
            ] {
                // 7FFFh MiB: see the extended size.
                var module = [17, UInt8(length), 0, 17] + [UInt8](repeating: 0, count: 36)
                withUnsafeBytes(of: UInt16(min(mebibytes, 0x7fff)).littleEndian) {
                    module.replaceSubrange(12..<14, with: $0)
                }
                withUnsafeBytes(of: UInt32(mebibytes).littleEndian) { module.replaceSubrange(28..<32, with: $0) }
                let table = Array(repeating: module + [0, 0], count: modules).flatMap { $0 }
                try tree.write("/sys/firmware/dmi/tables/DMI", Data(table))
                #expect(tree.report.memory.installedBytes == Int64(expected), "\(modules) of \(mebibytes), \(length)")
            }
            #expect(report.processor.sockets == 2 && report.processor.cores == 4 && report.processor.threads == 8)
            #expect(report.processor.model == "Xeon")
        }
    }
}
