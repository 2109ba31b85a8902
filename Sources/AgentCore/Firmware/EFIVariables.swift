import CAgent
import Glibc
import Inventory

/// Boot entries in NVRAM, through efivarfs.
struct EFIVariables {
    private static let directory = "/sys/firmware/efi/efivars"
    /// EFI_GLOBAL_VARIABLE.
    private static let vendor = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
    /// Non-volatile, boot service access, runtime access.
    private static let attributes: [UInt8] = [7, 0, 0, 0]

    let files: SystemFiles

    /// Mounts the variables where they are read; nothing on BIOS, or when they are there. The driver must be loaded.
    static func mount(files: SystemFiles) {
        guard files.exists("/sys/firmware/efi"), files.list(directory).isEmpty else { return }
        _ = Glibc.mount("efivarfs", directory, "efivarfs", UInt(MS_NOSUID | MS_NODEV | MS_NOEXEC), nil)
    }

    /// Nil on BIOS, or when the variables cannot be reached.
    init?(files: SystemFiles) {
        guard files.exists("/sys/firmware/efi") else { return nil }
        Self.mount(files: files)
        guard files.exists(Self.directory + "/BootOrder-" + Self.vendor) || !files.list(Self.directory).isEmpty else {
            return nil
        }
        self.files = files
    }

    /// Makes the one entry for an installed system and puts the boot order as it is wanted.
    /// - Throws: ``InstallError``.
    func install(_ entry: EFIBootEntry, wanted: BootOrder) throws {
        let options = self.options
        let order = numbers("BootOrder")
        let plan = BootOrderPlan(
            adding: entry, to: options, order: order, current: numbers("BootCurrent").first, wanted: wanted)
        for number in plan.removed { try remove(Self.name(number)) }
        if options[plan.number] != plan.entry { try write(Self.name(plan.number), plan.entry) }
        if order != plan.order { try writeOrder(plan.order) }
    }

    /// Has the next start begin with the entry that this one began with (UEFI 2.10 §3.3: `BootCurrent`, `BootNext`).
    /// - Returns: its name; nil where firmware does not tell it.
    /// - Throws: ``InstallError``.
    func beginAgainAsNow() throws -> String? {
        guard let current = numbers("BootCurrent").first else { return nil }
        try write(
            "BootNext-" + Self.vendor, [UInt8(truncatingIfNeeded: current), UInt8(truncatingIfNeeded: current >> 8)])
        return String(Self.name(current).prefix(8))
    }

    /// Removes the entries that `isStale` says of their content, from the boot order too.
    /// - Returns: their titles.
    /// - Throws: ``InstallError``.
    func removeEntries(where isStale: ([UInt8]) -> Bool) throws -> [String] {
        let stale = options.filter { isStale($0.value) }
        guard !stale.isEmpty else { return [] }
        let order = numbers("BootOrder")
        let kept = order.filter { stale[$0] == nil }
        if kept != order { try writeOrder(kept) }
        for number in stale.keys { try remove(Self.name(number)) }
        return stale.sorted { $0.key < $1.key }.map { EFIBootEntry.title(of: $0.value) ?? Self.name($0.key) }
    }

    /// Removes a maker's variables whose names begin so.
    /// - Returns: how many.
    /// - Throws: ``InstallError``.
    func removeAll(prefix: String, vendor: String) throws -> Int {
        let names = files.list(Self.directory).filter { $0.hasPrefix(prefix) && $0.hasSuffix(vendor) }
        for name in names { try remove(name) }
        return names.count
    }

    /// The content of each `Boot####`.
    private var options: [UInt16: [UInt8]] {
        var options: [UInt16: [UInt8]] = [:]
        for name in files.list(Self.directory) where name.hasPrefix("Boot") && name.hasSuffix(Self.vendor) {
            guard let number = UInt16(name.dropFirst(4).prefix(4), radix: 16), name.dropFirst(8).hasPrefix("-") else {
                continue
            }
            options[number] = read(name)
        }
        return options
    }

    private func writeOrder(_ order: [UInt16]) throws {
        try write(
            "BootOrder-" + Self.vendor,
            order.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] })
    }

    private static func name(_ number: UInt16) -> String {
        let digits = String(number, radix: 16, uppercase: true)
        return "Boot" + String(repeating: "0", count: 4 - digits.count) + digits + "-" + vendor
    }

    /// The numbers of entries that a variable holds.
    private func numbers(_ name: String) -> [UInt16] {
        let bytes = read(name + "-" + Self.vendor) ?? []
        return stride(from: 0, to: bytes.count - bytes.count % 2, by: 2).map {
            UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8
        }
    }

    private func read(_ name: String) -> [UInt8]? {
        files.bytes(Self.directory + "/" + name).flatMap { $0.count >= 4 ? Array($0.dropFirst(4)) : nil }
    }

    /// efivarfs takes a variable in one write, and marks what it does not know as immutable.
    private func write(_ name: String, _ content: [UInt8]) throws {
        let path = files.root + Self.directory + "/" + name
        makeMutable(path)
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw InstallError.system("open", path) }
        defer { close(file) }
        let bytes = Self.attributes + content
        guard Glibc.write(file, bytes, bytes.count) == bytes.count else { throw InstallError.system("write", path) }
    }

    private func remove(_ name: String) throws {
        let path = files.root + Self.directory + "/" + name
        makeMutable(path)
        guard unlink(path) == 0 || errno == ENOENT else { throw InstallError.system("remove", path) }
    }

    private func makeMutable(_ path: String) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        _ = agent_clear_immutable(file)
        close(file)
    }
}
