import Foundation
import Inventory
import Testing

@testable import AgentCore

@Suite struct PCIReaderTests {
    /// A function below a path of bridges.
    static func function(_ tree: Tree, _ path: String, _ facts: [String: String], driver: String? = nil) throws {
        let address = path.split(separator: "/").last ?? ""
        try tree.link("/sys/bus/pci/devices/\(address)", to: "/sys/devices/" + path)
        for (name, value) in facts { try tree.write("/sys/devices/\(path)/\(name)", value + "\n") }
        if let driver { try tree.link("/sys/devices/\(path)/driver", to: "/sys/bus/pci/drivers/" + driver) }
    }

    static func slot(_ kind: UInt8, _ name: String, segment: UInt8 = 0, bus: UInt8, function: UInt8) -> Data {
        let area: [UInt8] =
            kind == 9
            ? [1, 0, 0, 0, 0, 0, 0, 0, 0, segment, 0, bus, function] : [1, 0x85, 1, segment, 0, bus, function]
        return Data([kind, UInt8(area.count + 4), 0, 0] + area + Array(name.utf8) + [0, 0])
    }

    @Test("GPUs, controllers and NICs, with what is printed beside them")
    func devices() async throws {
        try await withTree { tree in
            try Self.function(
                tree, "pci0000:17/0000:17:00.0/0000:18:00.0/0000:19:00.0",
                ["vendor": "0x10de", "device": "0x20b5", "class": "0x030200", "numa_node": "1"], driver: "nvidia")
            try Self.function(
                tree, "pci0000:00/0000:03:00.0",
                [
                    "vendor": "0x1a03", "device": "0x2000", "class": "0x030000", "numa_node": "-1",
                    "subsystem_vendor": "0x15d9", "subsystem_device": "0x1b0f",
                ])
            try Self.function(
                tree, "pci0000:00/0000:00:1f.0", ["vendor": "0x8086", "device": "0xa1c8", "class": "0x060100"])
            try Self.function(
                tree, "pci0000:3a/0000:3a:00.0/0000:3b:00.0",
                ["vendor": "0x1000", "device": "0x0014", "class": "0x010400"], driver: "megaraid_sas")
            try Self.function(
                tree, "pci0000:00/0000:00:17.0", ["vendor": "0x8086", "device": "0xa182", "class": "0x010601"],
                driver: "ahci")
            try Self.function(
                tree, "pci0000:00/0000:00:1c.0/0000:01:00.1",
                ["vendor": "0x14e4", "device": "0x16d6", "class": "0x020000", "label": "Integrated NIC 1 Port 2-1"])
            try tree.nic(
                "eno2", device: "pci0000:00/0000:00:1c.0/0000:01:00.1",
                ["type": "1", "address": "b8:ca:3a:00:00:02"])
            try tree.disk("sda", device: "pci0000:00/0000:00:17.0/ata1/host1/target1:0:0/1:0:0:0")
            // The slot's bus address is that of the bridge that the GPU's board carries.
            try tree.write(
                "/sys/firmware/dmi/tables/DMI",
                Self.slot(9, "PCIe Slot 3", bus: 0x18, function: 0)
                    + Self.slot(9, "PCIe Slot 1", bus: 0x3b, function: 0)
                    + Self.slot(41, "Embedded Video", bus: 3, function: 0))
            let report = tree.report
            #expect(report.devices.map(\.id) == ["8086:a182", "14e4:16d6", "1a03:2000", "10de:20b5", "1000:0014"])
            let gpus = report.devices.filter(\.isGPU)
            #expect(
                gpus == [
                    PCIDevice(
                        address: "0000:19:00.0", id: "10de:20b5", classCode: "030200", driver: "nvidia",
                        slot: "PCIe Slot 3", node: 1)
                ])
            let video = try #require(report.devices.first { $0.id == "1a03:2000" })
            #expect(video.slot == "Embedded Video" && video.subsystem == "15d9:1b0f" && video.node == nil)
            #expect(report.nics.first?.slot == "Integrated NIC 1 Port 2-1")
            #expect(report.controllers.map(\.kind) == [.sata, .raid] && report.controllers.map(\.disks) == [1, 0])
            #expect(report.controllers.last?.slot == "PCIe Slot 1" && report.disks.first?.controller == "0000:00:17.0")
        }
    }

    @Test("NUMA nodes, and modules by their socket")
    func memory() async throws {
        try await withTree { tree in
            for node in 0..<2 {
                let base = "/sys/devices/system/node/node\(node)"
                try tree.write(base + "/meminfo", "Node \(node) MemTotal:       131841920 kB\nNode 0 MemFree: 1 kB\n")
                for thread in 0..<3 { try tree.write("\(base)/cpu\(node * 3 + thread)/x", "") }
                try tree.write(base + "/cpulist", "0-2\n")
            }
            let memory = tree.report.memory
            #expect(memory.nodes.map(\.threads) == [3, 3] && memory.nodes.map(\.number) == [0, 1])
            #expect(memory.nodes.first?.memoryBytes == 131_841_920 << 10 && memory.sockets == nil)
        }
    }
}
