import FoundationEssentials
import Glibc
import Inventory
import Machines
import TPM

/// What a machine remembers beside its disks, and is removed with them.
struct WipeExtras {
    let wanted: WipeRequest.Extras
    let files: SystemFiles

    /// - Returns: what became of each, for the record; and what was asked for and not done, for a person.
    func run() -> (facts: [String: String], failures: [String]) {
        var (facts, failures): ([String: String], [String]) = ([:], [])
        if wanted.bootEntries { facts["bootEntries"] = bootEntries() }
        if wanted.crashRecords { facts["crashRecords"] = CrashRecords(files: files).remove() }
        if wanted.tpm {
            let outcome = TPMClearing(files: files).run()
            facts["tpm"] = outcome.words
            if !outcome.isDone { failures.append("the TPM is not cleared: \(outcome.words)") }
        }
        return (facts, failures)
    }

    /// An entry that leads to a partition which no disk has any more is removed: those of disks that are kept stay.
    private func bootEntries() -> String {
        guard let variables = EFIVariables(files: files) else { return "none: this machine keeps no EFI variables" }
        var present: Set<[UInt8]> = []
        for name in files.list("/sys/block") where DiskReader.isDisk(name) {
            // Table and entries of a disk with blocks of 4096 bytes end at byte 24576.
            guard let head = files.bytes("/dev/" + name, limit: 70_000) else {
                return "left as they are: /dev/\(name) cannot be read"
            }
            present.formUnion(GPT.partitions(head: head))
        }
        do {
            let removed = try variables.removeEntries { option in
                EFIBootEntry.partition(of: option).map { !present.contains($0) } ?? false
            }
            return removed.isEmpty ? "none led nowhere" : "removed \(removed.joined(separator: ", "))"
        } catch {
            return "\(error)"
        }
    }
}

/// What kernels left of their crashes in NVRAM: pstore, and the variables that it is made of where its driver is not loaded.
struct CrashRecords {
    let files: SystemFiles
    private static let pstore = "/sys/fs/pstore"
    /// LINUX_EFI_CRASH_GUID (Linux, drivers/firmware/efi/efi-pstore.c).
    private static let vendor = "cfc8fc79-be2e-4ddc-97f0-9f98bfe298a0"

    func remove() -> String {
        if files.exists(Self.pstore), files.list(Self.pstore).isEmpty {
            _ = mount("pstore", files.root + Self.pstore, "pstore", UInt(MS_NOSUID | MS_NODEV | MS_NOEXEC), nil)
        }
        var (removed, kept): (Int, [String]) = (0, [])
        for name in files.list(Self.pstore) {
            if unlink(files.root + Self.pstore + "/" + name) == 0 { removed += 1 } else { kept.append(name) }
        }
        if let variables = EFIVariables(files: files) {
            do {
                removed += try variables.removeAll(prefix: "dump-", vendor: Self.vendor)
            } catch {
                kept.append("\(error)")
            }
        }
        return "\(removed) removed" + (kept.isEmpty ? "" : ", not removed: \(kept.joined(separator: ", "))")
    }
}

/// Clears the TPM: by its own command, or by asking the firmware to do so at the next start.
struct TPMClearing {
    struct Outcome: Equatable {
        /// Done, or handed to the firmware.
        var isDone: Bool
        var words: String
    }

    let files: SystemFiles
    private static let request = "/sys/class/tpm/tpm0/ppi/request"

    func run() -> Outcome {
        guard files.exists("/sys/class/tpm/tpm0") else { return Outcome(isDone: false, words: "this machine has none") }
        var refusal = "it does not answer"
        if let tpm = KernelTPM(path: files.root + "/dev/tpmrm0") {
            switch TPMOwner.clear(tpm) {
            case .cleared: return Outcome(isDone: true, words: "cleared")
            case .refused(let code): refusal = "it refused (\(String(code.rawValue, radix: 16)))"
            case .silent: break
            }
        }
        // TCG PC Client Physical Presence Interface 1.30, table 3: operation 5 clears. Firmware may ask at the screen.
        let file = open(files.root + Self.request, O_WRONLY | O_CLOEXEC)
        guard file >= 0 else {
            return Outcome(
                isDone: false, words: "\(refusal), and the firmware takes no request; clear it in the firmware's setup")
        }
        defer { close(file) }
        guard write(file, "5\n", 2) == 2 else {
            return Outcome(
                isDone: false,
                words: "\(refusal), and the firmware refused the request; clear it in the firmware's setup")
        }
        return Outcome(
            isDone: true, words: "\(refusal); the firmware clears it at the next start, and may ask at the screen first"
        )
    }
}
