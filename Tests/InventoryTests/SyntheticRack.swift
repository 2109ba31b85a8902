import Inventory
import NetworkAddresses

/// Machines and profiles such as large racks have them, made by a fixed seed: makers and models of several kinds with their parts, and profiles
/// that ask for all that can be asked for.
struct SyntheticRack {
    private var random: SplitMix

    init(seed: UInt64) { random = SplitMix(state: seed) }

    struct SplitMix: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var z = state
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            return z ^ (z >> 31)
        }
    }

    private mutating func pick<Item>(_ items: [Item]) -> Item { items[Int(random.next() % UInt64(items.count))] }
    private mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    private mutating func chance(_ percent: UInt64) -> Bool { random.next() % 100 < percent }

    // MARK: Machines

    private static let makers: [(name: String, models: [String], pattern: String)] = [
        ("Dell Inc.", (["R", "C"]).flatMap { kind in (64...76).map { "PowerEdge \(kind)\($0)0" } }, "^Dell "),
        (
            "HPE",
            (["DL360", "DL380", "DL385", "DL325"]).flatMap { model in
                ["Gen10", "Gen10 Plus", "Gen11"].map { "ProLiant \(model) \($0)" }
            }, "^HPE$"
        ),
        ("Lenovo", (63...68).flatMap { model in ["", " V2", " V3"].map { "ThinkSystem SR\(model)0\($0)" } }, "lenovo"),
        ("Supermicro", (0..<20).map { "SYS-\(510 + $0)E-WR" }, "super ?micro"),
        ("GIGABYTE", (0..<10).map { "R\(180 + $0)-Z93" }, "gigabyte"),
        ("Quanta Cloud Technology Inc.", (0..<10).map { "QuantaGrid D\(50 + $0)B-1U" }, "quanta"),
    ]
    private static let processors = [
        "Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz", "Intel(R) Xeon(R) Silver 4310 CPU @ 2.10GHz",
        "AMD EPYC 7543 32-Core Processor", "AMD EPYC 9654 96-Core Processor", "Ampere(R) Altra(R) Processor",
    ]
    private static let diskModels = [
        "SAMSUNG MZQL21T9HCJR-00A07", "INTEL SSDPE2KX010T8", "KIOXIA KCD61LUL1T92", "ST4000NM0035-1V4107",
        "MICRON_M5100_MTFDDAK480TCC",
    ]
    private static let diskSizes: [Int64] = [
        480_103_981_056, 960_197_124_096, 1_920_383_410_176, 3_840_755_982_336, 4_000_787_030_016,
    ]
    private static let drivers = ["ice", "i40e", "mlx5_core", "bnxt_en", "tg3", "igb"]
    private static let flags = [
        "vmx", "svm", "avx512f", "amx_tile", "sgx", "x86-64-v2", "x86-64-v3", "x86-64-v4", "sha_ni", "aes",
    ]
    private static let gpus = ["10de:20b5", "10de:2330", "1002:740f"]
    private static let gibibyte: Int64 = 1 << 30

    mutating func machine(number: Int) -> HardwareReport {
        let (maker, processor) = (pick(Self.makers), pick(Self.processors))
        let (sockets, cores) = (self.number(1...2), pick([8, 16, 32, 64, 96]))
        let module = pick([16, 32, 64].map { Int64($0) * Self.gibibyte })
        let modules = pick([8, 12, 16, 24, 32])
        return HardwareReport(
            system: .init(
                manufacturer: maker.name, product: pick(maker.models), serial: "SER\(number)",
                uuid: SystemUUID(smbios: (0..<16).map { _ in UInt8.random(in: 0...255, using: &random) }),
                sku: "SKU-\(self.number(0...50))"),
            board: .init(manufacturer: maker.name, product: "0\(self.number(0...50))X", serial: "BRD\(number)"),
            chassis: .init(kind: "rack mount chassis"),
            firmware: .init(
                kind: chance(80) ? .uefi : .bios, vendor: maker.name,
                version: "\(self.number(1...3)).\(self.number(0...20)).\(self.number(0...9))", secureBoot: chance(30)),
            tpm: chance(70) ? .init(version: "2.0") : nil,
            processor: .init(
                architecture: processor.hasPrefix("Ampere") ? "arm64" : "amd64", model: processor, sockets: sockets,
                cores: sockets * cores, threads: 2 * sockets * cores, flags: Self.flags.filter { _ in chance(60) }),
            memory: .init(
                installedBytes: module * Int64(modules), mendsErrors: true, sockets: 32,
                modules: (0..<modules).map { slot in
                    .init(
                        slot: "A\(slot)", sizeBytes: module, speedMTps: 3200, manufacturer: "Samsung",
                        partNumber: "M393A4K40DB3", serial: "MOD\(number)-\(slot)")
                }),
            disks: disks(of: number),
            controllers: [
                StorageController(kind: chance(40) ? .raid : .hba, address: "0000:18:00.0", id: "1000:10e2", disks: 1)
            ],
            nics: nics(of: number), devices: devices(), hasBMC: chance(95),
            bmc: .init(firmware: "2.1", specification: "2.0", mac: "b8:ca:3a:\(number)"), bootID: "\(number)")
    }

    private mutating func disks(of number: Int) -> [Disk] {
        (0..<pick([1, 2, 2, 4, 8, 12, 24])).map { place in
            let transport = pick([DiskTransport.nvme, .nvme, .sata, .sas])
            return Disk(
                path: "/dev/disk\(place)", serial: "DSK\(number)-\(place)", wwn: "eui.\(number)\(place)",
                model: pick(Self.diskModels), sizeBytes: pick(Self.diskSizes), transport: transport,
                rotational: transport == .sas && chance(50), firmware: "GDC\(self.number(1...9))02Q",
                eraseMethods: [.nvmeSanitizeCrypto, .nvmeFormatCrypto])
        }
    }

    private mutating func nics(of number: Int) -> [NIC] {
        (0..<pick([2, 4, 4, 6])).map { place in
            NIC(
                name: "eth\(place)", mac: MACAddress(rawValue: 0xb8ca_3a00_0000 + UInt64(number * 8 + place)),
                permanentMAC: MACAddress(rawValue: 0xb8ca_3a00_0000 + UInt64(number * 8 + place)),
                driver: pick(Self.drivers), slot: "PCIe Slot \(place)", pciAddress: "0000:3b:00.\(place)",
                linkUp: chance(70), speedMbps: pick([1000, 10_000, 25_000, 100_000]))
        }
    }

    private mutating func devices() -> [PCIDevice] {
        let gpus = chance(20) ? pick([1, 2, 4, 8]) : 0
        let id = pick(Self.gpus)
        return (0..<pick([12, 20, 30])).map { place in
            PCIDevice(
                address: "0000:\(place):00.0", id: "8086:\(1000 + place)", subsystem: "1028:1f47", classCode: "060400",
                driver: "pcieport")
        } + (0..<gpus).map { PCIDevice(address: "0000:e\($0):00.0", id: id, classCode: "030200", driver: "nvidia") }
    }

    // MARK: Profiles

    mutating func profile(number: Int) -> HardwareProfile {
        let maker = pick(Self.makers)
        var parts: [HardwareCondition] = []
        if chance(95) { parts.append(text("manufacturer", [maker.name], pattern: maker.pattern)) }
        if parts.isEmpty || chance(70) {
            let model = pick(maker.models)
            parts.append(text("product", [model, pick(maker.models)], pattern: String(model.suffix(6))))
        }
        for _ in 0..<self.number(1...5) { parts.append(condition(depth: 2)) }
        return HardwareProfile(name: "p\(number)", priority: pick([0, 0, 0, 1, 2, 5]), match: .all(parts))
    }

    /// Anything that can be demanded of a machine.
    mutating func condition(depth: Int) -> HardwareCondition {
        switch self.number(0...(depth > 0 ? 13 : 9)) {
        case 0: return bounds("memory", Int64(pick([64, 128, 256, 512, 1024])) * Self.gibibyte)
        case 1: return bounds("cores", Int64(pick([16, 32, 64, 128])))
        case 2: return bounds("sockets", Int64(pick([1, 2])))
        case 3: return text("flags", [pick(Self.flags), pick(Self.flags)], pattern: "^x86-64-v[34]$")
        case 4: return text("processor", [pick(Self.processors)], pattern: pick(["EPYC", "Xeon.*Gold", "Altra"]))
        case 5: return text("firmware_version", ["2.1.0"], pattern: "^\(self.number(1...3))\\.1?[0-9]\\.")
        case 6: return .field(Self.field(pick(["secure_boot", "bmc", "ecc"])), .isSet(chance(70)))
        case 7: return text("tpm", ["2.0"], pattern: "^2")
        case 8: return text("sku", ["SKU-7", "SKU-\(self.number(0...50))"], pattern: "-[0-4]$")
        case 9: return text("architecture", [pick(["amd64", "arm64"])], pattern: "64$")
        case 10: return .not(condition(depth: depth - 1))
        case 11: return .any((0..<self.number(1...3)).map { _ in condition(depth: depth - 1) })
        case 12: return .all((0..<self.number(0...3)).map { _ in condition(depth: depth - 1) })
        default: return count()
        }
    }

    private mutating func count() -> HardwareCondition {
        let least = [Comparison(pick(Comparison.Relation.allCases), Int64(pick([0, 1, 2, 4, 8])))]
        func all(_ list: HardwareParts, _ parts: [HardwareCondition]) -> HardwareCondition {
            .count(list, where: parts.isEmpty ? nil : .all(parts), least)
        }
        switch self.number(0...4) {
        case 0:
            var parts = [text("transport", [pick(["nvme", "sata", "sas"])], pattern: "^(nvme|sas)$", of: .disks)]
            if chance(70) { parts.append(bounds("size", pick(Self.diskSizes), of: .disks)) }
            if chance(30) {
                parts.append(text("model", [pick(Self.diskModels)], pattern: "^(samsung|kioxia)", of: .disks))
            }
            return all(.disks, parts)
        case 1:
            return all(
                .nics,
                [
                    bounds("speed", Int64(pick([1, 10, 25, 100])) * 1_000_000_000, of: .nics),
                    text("driver", [pick(Self.drivers)], pattern: "^(ice|mlx5)", of: .nics),
                ])
        case 2: return all(.gpus, chance(50) ? [] : [text("id", [pick(Self.gpus)], pattern: "^10de:", of: .gpus)])
        case 3: return all(.modules, [bounds("size", Int64(pick([16, 32, 64])) * Self.gibibyte, of: .modules)])
        default: return all(.controllers, [text("kind", ["raid"], pattern: "^hba$", of: .controllers)])
        }
    }

    private mutating func text(
        _ name: String, _ texts: [String], pattern: String, of parts: HardwareParts? = nil
    ) -> HardwareCondition {
        let expression = chance(40) ? try? TextPattern(pattern) : nil
        return .field(Self.field(name, of: parts), expression.map { .matches($0) } ?? .isOneOf(texts))
    }

    private mutating func bounds(_ name: String, _ bound: Int64, of parts: HardwareParts? = nil) -> HardwareCondition {
        let upper = chance(20) ? [Comparison(.atMost, bound * 4)] : []
        return .field(
            Self.field(name, of: parts),
            .compares([Comparison(pick([.atLeast, .atLeast, .more, .atMost, .equal]), bound)] + upper))
    }

    private static func field(_ name: String, of parts: HardwareParts? = nil) -> HardwareField {
        let fields = parts.map(\.fields) ?? HardwareField.ofMachine
        guard let field = fields.first(where: { $0.name == name }) else { fatalError("no field \(name)") }
        return field
    }
}
