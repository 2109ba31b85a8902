import Inventory
import SMBIOS

/// Memory: what firmware says is in the sockets, and what the kernel has of it.
struct MemoryReader {
    let files: SystemFiles
    let table: SMBIOSTable

    func memory() -> HardwareReport.Memory {
        let (usable, sockets) = (usableBytes(), table.memoryDevices.filter(\.isRAM))
        let arrays = table.memoryArrays.filter(\.isSystemMemory)
        let modules = sockets.filter(\.isPopulated).enumerated().map { index, module in
            HardwareReport.Memory.Module(
                slot: module.locator ?? "\(index + 1)", bank: SystemReader.meaningful(module.bank),
                sizeBytes: module.sizeBytes, speedMTps: module.speedMTps,
                manufacturer: SystemReader.meaningful(module.manufacturer),
                partNumber: SystemReader.meaningful(module.partNumber), serial: SystemReader.meaningful(module.serial))
        }
        return .init(
            installedBytes: installedBytes(modules, usable: usable), usableBytes: usable,
            mendsErrors: arrays.compactMap(\.correction.mendsErrors).first,
            sockets: sockets.isEmpty ? nil : sockets.count, modules: modules, nodes: nodes())
    }

    /// What the kernel can use is some percent less than what is installed, so that a machine of 512 GiB would not be one. Firmware is not
    /// believed when it tells of less than there is, or of four times as much and more (a mirror halves what can be used).
    private func installedBytes(_ modules: [HardwareReport.Memory.Module], usable: Int64) -> Int64 {
        let installed = modules.reduce(Int64(0)) { sum, module in
            let (next, overflow) = sum.addingReportingOverflow(module.sizeBytes ?? 0)
            return overflow ? .max : next
        }
        return installed >= usable && installed / 4 < usable ? installed : usable
    }

    private func usableBytes() -> Int64 { kibibytes("MemTotal:", in: "/proc/meminfo") ?? 0 }

    /// - Returns: in bytes.
    private func kibibytes(_ key: String, in path: String) -> Int64? {
        for line in (files.text(path) ?? "").split(separator: "\n") {
            guard let found = line.firstRange(of: key) else { continue }
            let digits = line[found.upperBound...].filter(\.isNumber)
            return Int64(digits).flatMap { $0 > .max >> 10 ? nil : $0 << 10 }
        }
        return nil
    }

    private func nodes() -> [HardwareReport.Memory.Node] {
        let base = "/sys/devices/system/node/"
        let nodes = files.list(base).compactMap { name -> HardwareReport.Memory.Node? in
            guard name.hasPrefix("node"), let number = Int(name.dropFirst(4)) else { return nil }
            return .init(
                number: number, memoryBytes: kibibytes("MemTotal:", in: base + name + "/meminfo") ?? 0,
                threads: files.list(base + name).count {
                    $0.hasPrefix("cpu") && $0.dropFirst(3).allSatisfy(\.isNumber) && $0 != "cpu"
                })
        }
        return nodes.sorted { $0.number < $1.number }
    }
}
