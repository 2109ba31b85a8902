import Glibc
import Inventory
import Machines
import NetworkAddresses
import SMBIOS

/// Reads this machine's hardware from /sys and /proc. Of the SMBIOS tables the kernel has decoded who the machine is; what it shows
/// under `/sys/class/dmi/id` is what they hold.
public struct HardwareReader: Sendable {
    private let files: SystemFiles
    private let permanentMAC: @Sendable (String) -> MACAddress?

    /// - Parameter permanentMAC: the burnt-in address of a NIC by its name.
    public init(files: SystemFiles, permanentMAC: @escaping @Sendable (String) -> MACAddress?) {
        (self.files, self.permanentMAC) = (files, permanentMAC)
    }

    public func report() -> HardwareReport {
        HardwareReport(
            system: system(), firmware: firmware(), processor: processor(), memoryBytes: memoryBytes(),
            disks: DiskReader(files: files).disks(), nics: nics(),
            hasBMC: files.exists("/dev/ipmi0")
                || !files.list("/sys/bus/platform/drivers/ipmi_si").filter { $0.contains("IPI") }.isEmpty,
            bootID: bootID())
    }

    /// What the report will say of who this is, as soon as NICs are there.
    public func identity() -> (facts: MachineFacts, bootID: String) {
        (MachineFacts(system: system(), nics: nics()), bootID())
    }

    private func bootID() -> String { files.text("/proc/sys/kernel/random/boot_id") ?? "" }

    /// Texts that firmware fills in where nobody told it better mean "none".
    static func meaningful(_ text: String?) -> String? {
        guard let text else { return nil }
        let fillers: Set = [
            "to be filled by o.e.m.", "default string", "not specified", "system serial number", "none", "n/a", "0",
            "0123456789",
            "to be filled by oem", "not applicable", "unknown", "chassis serial number", "system product name",
            "system manufacturer",
        ]
        return fillers.contains(text.lowercased()) ? nil : text
    }

    private func dmi(_ name: String) -> String? { Self.meaningful(files.text("/sys/class/dmi/id/" + name)) }

    private func system() -> HardwareReport.System {
        .init(
            manufacturer: dmi("sys_vendor"), product: dmi("product_name"), serial: dmi("product_serial"),
            uuid: files.text("/sys/class/dmi/id/product_uuid").flatMap { SystemUUID($0) }, sku: dmi("product_sku"),
            boardSerial: dmi("board_serial"), assetTag: dmi("chassis_asset_tag"))
    }

    private func firmware() -> HardwareReport.Firmware {
        let isUEFI = files.exists("/sys/firmware/efi")
        // Attributes (4 bytes), then one byte: 1 enabled.
        let secureBoot = files.bytes("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c").map {
            $0.last == 1
        }
        return .init(
            kind: isUEFI ? .uefi : .bios, vendor: dmi("bios_vendor"), version: dmi("bios_version"),
            date: dmi("bios_date"),
            secureBoot: isUEFI ? secureBoot : nil)
    }

    private func processor() -> HardwareReport.Processor {
        var machine = utsname()
        uname(&machine)
        let name = withUnsafePointer(to: &machine.machine) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 65) { String(cString: $0) }
        }
        let text = files.text("/proc/cpuinfo") ?? ""
        var model: String?
        var threads = 0
        var cores: Set<String> = []
        var sockets: Set<String> = []
        var socket = "0"
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1).map { Self.trimmed($0) }
            guard parts.count == 2 else { continue }
            switch parts[0] {
            case "processor": threads += 1
            case "model name": model = parts[1]
            case "physical id":
                socket = parts[1]
                sockets.insert(socket)
            case "core id": cores.insert(socket + "/" + parts[1])
            default: continue
            }
        }
        return .init(
            architecture: name == "x86_64" ? "amd64" : name == "aarch64" ? "arm64" : name, model: model,
            sockets: max(1, sockets.count), cores: cores.isEmpty ? threads : cores.count, threads: threads)
    }

    /// What is installed, as firmware tells of its sockets: what the kernel can use is some percent less, so that a machine of 512 GiB
    /// would not be one. Firmware is not believed when it tells of less than there is, or of four times as much and more (a mirror
    /// halves what can be used).
    private func memoryBytes() -> Int64 {
        let usable = usableMemoryBytes()
        let table = SMBIOSTable(files.bytes("/sys/firmware/dmi/tables/DMI") ?? [])
        let installed = table.memoryDevices.filter(\.isRAM).reduce(Int64(0)) { sum, module in
            let (next, overflow) = sum.addingReportingOverflow(module.sizeBytes ?? 0)
            return overflow ? .max : next
        }
        return installed >= usable && installed / 4 < usable ? installed : usable
    }

    private func usableMemoryBytes() -> Int64 {
        for line in (files.text("/proc/meminfo") ?? "").split(separator: "\n") where line.hasPrefix("MemTotal:") {
            let digits = line.filter(\.isNumber)
            return (Int64(digits) ?? 0) * 1024
        }
        return 0
    }

    private func nics() -> [NIC] {
        files.list("/sys/class/net").compactMap { name in
            let base = "/sys/class/net/\(name)"
            // Ethernet (ARPHRD 1) with a device behind it: no loopback, bridges, bonds, tunnels.
            guard files.number(base + "/type") == 1, files.exists(base + "/device"),
                let mac = files.text(base + "/address").flatMap({ MACAddress($0) })
            else { return nil }
            let device = files.resolve(base + "/device") ?? ""
            let speed = files.number(base + "/speed").flatMap { $0 > 0 ? Int($0) : nil }
            return NIC(
                name: name, mac: mac, permanentMAC: permanentMAC(name),
                driver: files.resolve(base + "/device/driver")?.split(separator: "/").last.map(String.init),
                pciAddress: Self.pciAddress(inPath: device), isVirtualFunction: files.exists(base + "/device/physfn"),
                linkUp: files.number(base + "/carrier") == 1, speedMbps: speed)
        }
    }

    /// The last component that looks like `0000:03:00.0`; nil when a USB device lies between it and the NIC.
    static func pciAddress(inPath path: String) -> String? {
        let parts = path.split(separator: "/").map(String.init)
        guard !parts.contains(where: { $0.hasPrefix("usb") }) else { return nil }
        return parts.last { part in
            let fields = part.split(separator: ":")
            return fields.count == 3 && fields[0].count == 4 && fields[2].contains(".")
        }
    }

    private static func trimmed(_ text: Substring) -> String {
        String(text.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }
}
