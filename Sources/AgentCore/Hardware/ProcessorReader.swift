import Glibc
import Inventory
import SMBIOS

/// Processors, by /proc/cpuinfo, whose form differs between architectures.
struct ProcessorReader {
    let files: SystemFiles
    let table: SMBIOSTable

    func processor() -> HardwareReport.Processor {
        let architecture = Self.architecture()
        var threads = 0
        var cores: Set<String> = []
        var sockets: Set<String> = []
        var first: [String: String] = [:]
        var socket = "0"
        for line in (files.text("/proc/cpuinfo") ?? "").split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1).map { Self.trimmed($0) }
            guard parts.count == 2 else { continue }
            switch parts[0] {
            case "processor": threads += 1
            case "physical id":
                socket = parts[1]
                sockets.insert(socket)
            case "core id": cores.insert(socket + "/" + parts[1])
            default: if first[parts[0]] == nil { first[parts[0]] = parts[1] }
            }
        }
        let populated = table.processors.filter(\.isPopulated)
        var packages = sockets.count
        if sockets.isEmpty {
            // arm64's cpuinfo says nothing of either, and to its kernel a cluster may be a package.
            (sockets, cores) = topology()
            packages = populated.isEmpty ? sockets.count : populated.count
        }
        let told = populated.compactMap(\.version).first.flatMap { SystemReader.meaningful($0) }
        return .init(
            architecture: architecture, model: first["model name"] ?? told,
            sockets: max(1, packages),
            cores: cores.isEmpty ? threads : cores.count, threads: threads,
            flags: Self.deciding(first["flags"] ?? first["Features"] ?? ""),
            microcode: first["microcode"].map { $0.hasPrefix("0x") ? String($0.dropFirst(2)) : $0 })
    }

    private func topology() -> (sockets: Set<String>, cores: Set<String>) {
        var (sockets, cores): (Set<String>, Set<String>) = ([], [])
        for name in files.list("/sys/devices/system/cpu") where name.hasPrefix("cpu") {
            let base = "/sys/devices/system/cpu/\(name)/topology/"
            // Numbers of cores are those of a cluster: the threads that share one tell it from others.
            guard let threads = files.text(base + "thread_siblings") else { continue }
            // -1 where firmware does not tell.
            let socket = files.text(base + "physical_package_id") ?? "0"
            sockets.insert(socket)
            cores.insert(threads)
        }
        return (sockets, cores)
    }

    private static func architecture() -> String {
        var machine = utsname()
        uname(&machine)
        let name = withUnsafePointer(to: &machine.machine) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 65) { String(cString: $0) }
        }
        return name == "x86_64" ? "amd64" : name == "aarch64" ? "arm64" : name
    }

    private static let deciders: Set<String> = [
        "vmx", "svm", "aes", "sha_ni", "avx", "avx2", "avx512f", "amx_tile", "sgx", "sev", "sev_es", "sev_snp",
        "hypervisor", "rdrand", "asimd", "sve", "sve2", "atomics", "crc32", "sha2", "pmull",
    ]

    /// Levels of the x86-64 psABI, each with what it adds to the one before.
    private static let levels: [(String, Set<String>)] = [
        ("x86-64-v2", ["cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"]),
        ("x86-64-v3", ["avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"]),
        ("x86-64-v4", ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"]),
    ]

    static func deciding(_ text: String) -> [String] {
        let flags = Set(text.split(separator: " ").map(String.init))
        let reached = levels.prefix { flags.isSuperset(of: $0.1) }.map(\.0)
        return flags.intersection(deciders).sorted() + reached
    }

    private static func trimmed(_ text: Substring) -> String {
        String(text.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }
}
