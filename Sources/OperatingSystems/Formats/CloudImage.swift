import Inventory
import Machines

/// A disk image that its makers mean for clouds: cloud-init in it finds its seed in the root file system, and believes it.
/// Parameters: `root_partition` (`number:1`; a GPT name, `number:N` or `label:L`), `root_file_system` (`ext4`).
enum CloudImage {
    /// - Throws: ``ConfigurationError``.
    static func seed(_ input: InstallationInput) throws(ConfigurationError) -> [ConfigurationFile] {
        let (partition, fileSystem) = (try rootPartition(input), try rootFileSystem(input))
        return try CloudConfig(input).seed.map { file in
            ConfigurationFile(
                partition: partition, fileSystem: fileSystem, path: "var/lib/cloud/seed/nocloud/\(file.name)",
                mode: 0o600,
                content: file.content)
        }
    }

    static func rootPartition(_ input: InstallationInput) throws(ConfigurationError) -> PartitionReference {
        guard let text = input.release.parameters["root_partition"] else { return .number(1) }
        guard let partition = PartitionReference(text) else {
            throw ConfigurationError(
                field: "root_partition", reason: "\(text.debugDescription) is no partition's name, number:N or label:L")
        }
        return partition
    }

    static func rootFileSystem(_ input: InstallationInput) throws(ConfigurationError) -> ConfigurationFile.FileSystem {
        guard let text = input.release.parameters["root_file_system"] else { return .ext4 }
        guard let fileSystem = ConfigurationFile.FileSystem(rawValue: text) else {
            let known = ConfigurationFile.FileSystem.allCases.map(\.rawValue).joined(separator: ", ")
            throw ConfigurationError(field: "root_file_system", reason: "\(text.debugDescription) is none of \(known)")
        }
        return fileSystem
    }

    static func arguments(_ machine: TargetMachine) -> String {
        (["ro"] + machine.kernelArguments.map(\.description)).joined(separator: " ")
    }
}
