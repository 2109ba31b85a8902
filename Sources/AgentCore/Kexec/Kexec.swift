import CAgent
import Glibc
import Machines

/// Loads the installed system's kernel so that the agent can jump into it.
enum Kexec {
    /// Loads kernel, initrd and command line from the installed disk.
    /// - Throws: ``InstallError``; then the way in is through firmware.
    static func load(_ disk: InstalledDisk, _ entry: SystemEntry) throws {
        guard case .kexec(let partition, let fileSystem, let kernel, let initrd, let commandLineFile) = entry else {
            throw InstallError("the release is entered through firmware")
        }
        try disk.mounted(partition, fileSystem, writable: false) { root in
            let commandLine = SystemFiles(root: root).text("/" + commandLineFile)
            guard let line = commandLine?.split(separator: "\n").first.map(String.init) else {
                throw InstallError("\(commandLineFile) holds no kernel command line")
            }
            let kernelFile = open(root + "/" + kernel, O_RDONLY | O_CLOEXEC)
            guard kernelFile >= 0 else { throw InstallError.system("open", kernel) }
            defer { close(kernelFile) }
            let initrdFile = open(root + "/" + initrd, O_RDONLY | O_CLOEXEC)
            guard initrdFile >= 0 else { throw InstallError.system("open", initrd) }
            defer { close(initrdFile) }
            guard agent_kexec_load(kernelFile, initrdFile, line) == 0 else {
                throw InstallError.system(
                    "load for kexec (lockdown refuses kernels signed by keys it does not trust)", kernel)
            }
        }
    }
}
