import Inventory
import NetworkAddresses
import TestSupport
import Testing

@testable import AgentCore

@Suite struct KernelCommandLineTests {
    @Test("reads what slipwayd wrote; the last of a name wins")
    func reads() throws {
        let pin = String(repeating: "ab", count: 32)
        let line = KernelCommandLine(
            "initrd=initrd slipway.server=https://10.77.0.1:8443 slipway.ca=sha256:\(pin) slipway.ticket=t slipway.mac=52:54:00:12:34:56 "
                + "slipway.address=10.77.0.50 slipway.vlan=12 quiet slipway.ticket=u\n")
        #expect(line.server?.host == "10.77.0.1" && line.server?.port == 8443)
        #expect(line.pin == pin && line.ticket == "u" && line.vlan == 12)
        #expect(line.mac == MACAddress("52:54:00:12:34:56") && line.address == IPv4Address(10, 77, 0, 50))
    }

    @Test(
        "what is not right is not there",
        arguments: [
            "slipway.server=http://10.0.0.1", "slipway.server=https://name:8443", "slipway.ca=sha256:12",
            "slipway.vlan=4095", "slipway.mac=x",
        ])
    func refuses(text: String) {
        let line = KernelCommandLine(text)
        #expect(line.server == nil && line.pin == nil && line.vlan == nil && line.mac == nil)
    }
}

@Suite struct ModuleIndexTests {
    static let index = ModuleIndex(
        dependencies:
            "kernel/drivers/net/virtio_net.ko: kernel/net/net_failover.ko kernel/net/failover.ko\nkernel/net/net_failover.ko: kernel/net/failover.ko\n"
            + "kernel/net/failover.ko:\nkernel/drivers/nvme/host/nvme.ko: kernel/drivers/nvme/host/nvme-core.ko\nkernel/drivers/nvme/host/nvme-core.ko:\n",
        aliases:
            "alias virtio:d00000001v* virtio_net\nalias pci:v*d*sv*sd*bc01sc08i02* nvme\nalias acpi*:PNP0[AC]0[0-9]:* x-y\n"
    )

    @Test(
        "finds the module of a device by its modalias",
        arguments: [
            ("virtio:d00000001v00001AF4", ["virtio_net"]),
            ("pci:v00001B36d00000010sv00001AF4sd00001100bc01sc08i02", ["nvme"]),
            ("pci:v00008086d0000100Esv0sd0bc02sc00i00", []), ("virtio:d00000002v00001AF4", []),
        ])
    func aliases(modalias: String, modules: [String]) { #expect(Self.index.modules(for: modalias) == modules) }

    @Test("loads what a module needs before it")
    func order() {
        #expect(Self.index.loadOrder(of: "virtio-net").map(\.name) == ["failover", "net_failover", "virtio_net"])
        #expect(Self.index.loadOrder(of: "nvme").map(\.name) == ["nvme_core", "nvme"])
        #expect(Self.index.loadOrder(of: "nothing").isEmpty)
    }

    @Test(
        "patterns as in fnmatch(3)",
        arguments: [
            ("*", "", true), ("a*c", "abbc", true), ("a*c", "abbd", false), ("a?c", "abc", true),
            ("a[0-9]c", "a5c", true),
            ("a[0-9]c", "axc", false), ("a[xy]*", "ayz", true), ("*b*d", "abcd", true), ("", "a", false),
            ("a[", "a[", false),
        ])
    func patterns(pattern: String, text: String, matches: Bool) {
        #expect(ModuleIndex.matches(Array(pattern.utf8), Array(text.utf8)) == matches)
    }
}

@Suite struct DiskFactsTests {
    @Test(
        "how a disk is attached follows from its place in /sys",
        arguments: [
            ("nvme0n1", "/sys/devices/pci0000:00/0000:00:03.0/nvme/nvme0", "pcie", "nvme"),
            ("nvme1n1", "/sys/devices/virtual/nvme", "tcp", "nvmeof"),
            ("sda", "/sys/devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0", nil, "sata"),
            (
                "sdb", "/sys/devices/pci0000:00/0000:02:00.0/host1/port-1:0/end_device-1:0/target1:0:0/1:0:0:0", nil,
                "sas"
            ),
            ("sdc", "/sys/devices/pci0000:00/0000:03:00.0/host2/target2:0:0/2:0:0:0", nil, "raid"),
            ("sdd", "/sys/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0/host3/target3:0:0/3:0:0:0", nil, "usb"),
            ("sde", "/sys/devices/pci0000:00/0000:04:00.0/host4/rport-4:0-0/target4:0:0/4:0:0:0", nil, "fc"),
            ("sdf", "/sys/devices/platform/host5/session1/target5:0:0/5:0:0:0", nil, "iscsi"),
            ("vda", "/sys/devices/pci0000:00/0000:00:04.0/virtio1", nil, "virtio"),
        ] as [(String, String, String?, String)])
    func transports(name: String, device: String, nvme: String?, transport: String) {
        #expect(DiskReader.transport(name: name, device: device, nvme: nvme).rawValue == transport)
    }

    @Test("a NIC counts by its PCI function, and not behind USB")
    func pciAddress() {
        #expect(PCIReader.address(inPath: "/sys/devices/pci0000:00/0000:00:02.0/virtio0") == "0000:00:02.0")
        #expect(PCIReader.address(inPath: "/sys/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0") == nil)
    }

    @Test("signatures tell a blank disk from one that holds data")
    func signatures() {
        #expect(DiskReader.signatures([UInt8](repeating: 0, count: 70_000)).isEmpty)
        #expect(DiskReader.signatures(sampleImageHead()) == ["gpt"])
        var data = [UInt8](repeating: 0, count: 70_000)
        data[60_000] = 1
        #expect(DiskReader.signatures(data) == ["data"])
    }

    @Test(
        "fillers of careless firmware mean none",
        arguments: ["Default string", "To Be Filled By O.E.M.", "0123456789", "None"])
    func fillers(text: String) { #expect(SystemReader.meaningful(text) == nil) }
}

@Suite struct MissingFirmwareTests {
    @Test(
        "a driver's missing file is told by device and name",
        arguments: [
            (
                "3,612,5259352,-;e100 0000:00:01.0: firmware: failed to load e100/d102e_ucode.bin (-2)\n SUBSYSTEM=pci\n",
                "e100 0000:00:01.0 misses its firmware e100/d102e_ucode.bin: build the agent image with FIRMWARE_DIR"
            ),
            (
                "4,613,5268792,-;bnx2x 0000:01:00.0: Direct firmware load for bnx2x/bnx2x-e2-7.13.15.0.fw failed with error -2\n",
                "bnx2x 0000:01:00.0 misses its firmware bnx2x/bnx2x-e2-7.13.15.0.fw: build the agent image with FIRMWARE_DIR"
            ), ("6,1,0,-;e1000e 0000:00:02.0 eth0: NIC Link is Up\n", nil), ("", nil),
            ("3,1,0,-;x: firmware: failed to load ", nil),
        ] as [(String, String?)])
    func words(record: String, words: String?) { #expect(MissingFirmware.words(of: record) == words) }
}
