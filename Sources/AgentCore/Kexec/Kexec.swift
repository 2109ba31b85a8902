import CAgent
import Glibc
import Machines

/// Loads the installed system's kernel so that the agent can jump into it.
enum Kexec {
    /// Loads kernel, initrd and command line from the installed disk.
    /// - Throws: ``InstallError``; then the way in is through firmware.
    static func load(_ disk: InstalledDisk, _ entry: SystemEntry) throws {
        switch entry {
        case .reboot: throw InstallError("the release is entered through firmware")
        case .kexec(let partition, let fileSystem, let kernel, let initrd, let commandLineFile):
            try disk.mounted(partition, fileSystem, writable: false) { root in
                let commandLine = SystemFiles(root: root).text("/" + commandLineFile)
                guard let line = commandLine?.split(separator: "\n").first.map(String.init) else {
                    throw InstallError("\(commandLineFile) holds no kernel command line")
                }
                try load(kernel: root + "/" + kernel, initrd: root + "/" + initrd, line)
            }
        case .kexecRoot(let partition, let fileSystem, let kernel, let initrd, let arguments):
            let identity = try disk.entry(partition).uniqueText
            try disk.mounted(partition, fileSystem, writable: false) { root in
                try load(
                    kernel: root + "/" + kernel, initrd: root + "/" + initrd, "root=PARTUUID=\(identity) \(arguments)")
            }
        }
    }

    /// Loads files of any file system.
    /// - Throws: ``InstallError``.
    static func load(kernel: String, initrd: String, _ commandLine: String) throws {
        let kernelFile = open(kernel, O_RDONLY | O_CLOEXEC)
        guard kernelFile >= 0 else { throw InstallError.system("open", kernel) }
        defer { close(kernelFile) }
        let initrdFile = open(initrd, O_RDONLY | O_CLOEXEC)
        guard initrdFile >= 0 else { throw InstallError.system("open", initrd) }
        defer { close(initrdFile) }
        guard agent_kexec_load(kernelFile, initrdFile, commandLine) == 0 else {
            throw InstallError.system(
                "load for kexec (lockdown refuses kernels signed by keys it does not trust)", kernel)
        }
    }
}
