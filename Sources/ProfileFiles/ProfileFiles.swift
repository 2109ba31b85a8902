import Foundation
import Inventory
import Yams

/// Reads `hardware-profiles/*.yaml`.
public enum ProfileDirectory {
    /// Every profile of a directory, by name.
    /// - Throws: ``ProfileFileErrors`` with all faults of all files, so that one run shows everything to mend.
    public static func load(_ directory: String) throws -> [HardwareProfile] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0.hasSuffix(".yaml") }
                .sorted()
        } catch {
            throw ProfileFileErrors(errors: [
                ProfileFileError(file: directory, message: "cannot list the directory: \(error.localizedDescription)")
            ])
        }
        var profiles: [HardwareProfile] = []
        var faults: [ProfileFileError] = []
        for name in names {
            let path = directory + "/" + name
            do {
                let text = try String(contentsOfFile: path, encoding: .utf8)
                profiles.append(try parse(text, file: path, name: String(name.dropLast(".yaml".count))))
            } catch let fault as ProfileFileError {
                faults.append(fault)
            } catch {
                faults.append(ProfileFileError(file: path, message: "cannot be read: \(error)"))
            }
        }
        guard faults.isEmpty else { throw ProfileFileErrors(errors: faults) }
        return profiles
    }

    /// One profile.
    /// - Throws: ``ProfileFileError`` naming line, column and key.
    public static func parse(_ text: String, file: String, name: String) throws -> HardwareProfile {
        var top = try YAMLReader(file: file, text: text)
        let profile = try parse(&top, name: name)
        try top.finish()
        return profile
    }

    /// The keys of a profile, beside which there may be others.
    static func parse(_ top: inout YAMLReader, name: String) throws -> HardwareProfile {
        var profile = HardwareProfile(name: name)
        profile.priority = try top.integer("priority") ?? 0
        if var match = try top.mapping("match") { profile.match = try match.machineCondition() }
        if var disk = try top.mapping("root_disk") {
            profile.rootDisk = try rootDisk(&disk)
            try disk.finish()
        }
        profile.kernelArguments = try top.list("kernel_arguments", KernelArgument.init(parsing:)) ?? []
        profile.kexec = try top.boolean("kexec") ?? true
        profile.readBack = try top.word("read_back", ReadBack.self) ?? .sampled
        profile.bootOrder = try top.word("boot_order", BootOrder.self) ?? .networkFirst
        profile.boot = BootPreferences(
            program: try top.parsed("boot_program", "the name of a file in boot_files") {
                $0.isEmpty || $0.contains("/") ? nil : $0
            },
            proxyForm: try top.word("proxy_form", ProxyForm.self),
            localDisk: try top.words("local_disk", LocalDiskMethod.self) ?? [])
        try top.readConsoles(into: &profile)
        if var wipe = try top.mapping("wipe") { profile.wipe = try wipe.wipePolicy() }
        if var deadlines = try top.mapping("deadlines") { profile.deadlines = try deadlines.phaseDeadlines() }
        if var bmc = try top.mapping("bmc") { profile.bmc = try bmc.bmcPreferences() }
        profile.labels = try top.labels("labels") ?? [:]
        profile.allowedReleases = try top.list("allowed_releases") { text in
            guard let pattern = NamePattern(text) else {
                throw ValueFault("\(text) is not the name of an OS release, or a pattern of names such as talos-1.*")
            }
            return pattern
        }
        return profile
    }

    /// One profile, of a text that came over the network. Like any other, without anchors: a short text with them may stand for a very long
    /// one.
    /// - Throws: ``ProfileFileError``.
    public static func parse(received text: String, file: String, name: String) throws(ProfileFileError)
        -> HardwareProfile
    {
        if let (line, column) = anchor(in: text) {
            throw ProfileFileError(
                file: file, line: line, column: column, message: "anchors (&name) are not read here: write it out")
        }
        do {
            return try parse(text, file: file, name: name)
        } catch let fault as ProfileFileError {
            throw fault
        } catch {
            throw ProfileFileError(file: file, message: "cannot be read: \(error)")
        }
    }

    /// Where a name stands behind an `&` that begins a word, which may be an anchor (YAML 1.2 §6.9.2); line and column count from 1. Behind
    /// any blank, break or control, behind signs of YAML's own, and behind whatever is not ASCII: among that are breaks (U+0085, U+2028) and
    /// the byte order mark.
    private static func anchor(in text: String) -> (line: Int, column: Int)? {
        let bytes = Array(text.utf8)
        var (line, column, previous) = (1, 1, UInt8(0x20))
        for (index, byte) in bytes.enumerated() {
            let isNamed = index + 1 < bytes.count && bytes[index + 1] > 0x20
            let beginsWord = previous <= 0x20 || previous >= 0x7f || "[]{},:-?!\"'".utf8.contains(previous)
            if byte == UInt8(ascii: "&"), isNamed, beginsWord { return (line, column) }
            let isBreak = byte == 0x0a || byte == 0x0d && !(index + 1 < bytes.count && bytes[index + 1] == 0x0a)
            (line, column) = isBreak ? (line + 1, 1) : (line, column + 1)
            previous = byte
        }
        return nil
    }

    private static func rootDisk(_ disk: inout YAMLReader) throws -> RootDiskHint {
        let transports = try disk.list("transports") { text in
            guard let transport = DiskTransport(rawValue: text) else {
                throw ValueFault("\(text) is not a disk transport such as nvme, sata, sas, virtio")
            }
            return transport
        }
        return RootDiskHint(
            serial: try disk.string("serial"), wwn: try disk.string("wwn"), model: try disk.string("model"),
            transports: transports, minimumBytes: try disk.bytes("minimum"), maximumBytes: try disk.bytes("maximum"),
            rotational: try disk.boolean("rotational"), choose: try disk.word("choose", RootDiskHint.Choice.self))
    }
}

/// All faults of a file, or of a set of them.
public struct ProfileFileErrors: Error, CustomStringConvertible {
    public var errors: [ProfileFileError]

    public init(errors: [ProfileFileError]) { self.errors = errors }

    public var description: String { errors.map(\.description).joined(separator: "\n") }
}
