import ConfigDocuments
import Inventory
import Machines
import NetworkAddresses

/// A system that only its owner knows: a disk image with files, or a kernel with arguments and files in its initramfs, all of them templates.
/// Parameters: `arguments` (of the kernel), `partition` and `file_system` of an image's files, and for each file `file:PATH` (its text); a file of
/// the release beside kernel and initrd is put into the initramfs by `archive:ROLE` (its path). ``facts(_:)`` has the names for templates.
public struct GenericOS: OperatingSystem {
    public init() {}

    public var name: String { "generic" }
    public var architectures: [String] { ["amd64", "arm64"] }
    public var routes: [InstallRoute] { [.image, .installer] }
    public func evidence(_ route: InstallRoute) -> Evidence { route == .image ? .rendered : .bootPath }

    public func artifacts(for route: InstallRoute) -> [ArtifactRole] {
        route == .image ? [.image] : [.kernel, .initrd]
    }

    public func remarks(_ route: InstallRoute) -> [String] {
        [
            "what it is told is its owner's affair: it has to tell of its end by {{ callback }}/installed and /joined, and of a failure by /failed"
        ]
    }

    public func render(_ input: InstallationInput, route: InstallRoute) throws(ConfigurationError) -> Rendering {
        let facts = Self.facts(input)
        let files = try Self.files(input.release.parameters, facts)
        guard
            input.machine.network == nil || input.release.parameters.values.contains(where: { $0.contains("netplan") })
        else {
            throw ConfigurationError(
                field: "network",
                reason: "no template of \(input.release.name) says what becomes of it: {{ netplan | base64 }}")
        }
        switch route {
        case .image:
            let (partition, fileSystem) = (
                try CloudImage.rootPartition(input), try CloudImage.rootFileSystem(input)
            )
            return .image(
                files: files.map {
                    ConfigurationFile(
                        partition: partition, fileSystem: fileSystem, path: $0.path, mode: $0.mode, content: $0.content)
                }, entry: .reboot)
        case .installer:
            let line = try Template(text: input.release.parameters["arguments"] ?? "").render(facts, field: "arguments")
            var arguments: [KernelArgument] = []
            for word in line.split(separator: " ") {
                do {
                    arguments.append(try KernelArgument(parsing: String(word)))
                } catch {
                    throw ConfigurationError(field: "arguments", reason: "\(error)")
                }
            }
            var boot = InstallerBoot(overlay: files, arguments: arguments + input.machine.kernelArguments)
            for (name, path) in input.release.parameters where name.hasPrefix("archive:") {
                boot.archived[try Self.place(path, named: name)] = ArtifactRole(
                    rawValue: String(name.dropFirst("archive:".count)))
            }
            return .installer(boot)
        }
    }

    /// In the order of their paths. Shell scripts can be run.
    private static func files(
        _ parameters: [String: String], _ facts: [String: String]
    ) throws(ConfigurationError) -> [OverlayFile] {
        var files: [OverlayFile] = []
        for (name, text) in parameters.sorted(by: { $0.key < $1.key }) where name.hasPrefix("file:") {
            let path = try place(String(name.dropFirst("file:".count)), named: name)
            let content = try Template(text: text).render(facts, field: name)
            files.append(OverlayFile(path: path, mode: content.hasPrefix("#!") ? 0o700 : 0o600, content: content))
        }
        return files
    }

    /// A path in an initramfs or on a partition.
    private static func place(_ text: String, named name: String) throws(ConfigurationError) -> String {
        let path = String(text.drop { $0 == "/" })
        let isPlain = path.utf8.count <= 255 && !path.utf8.contains { $0 < 0x20 || $0 == 0x7f }
        guard !path.isEmpty, isPlain, !path.split(separator: "/").contains("..") else {
            throw ConfigurationError(
                field: name,
                reason: "\(text.debugDescription) is no path of a file: a few words with / between them, without ..")
        }
        return path
    }

    /// What templates may name.
    static func facts(_ input: InstallationInput) -> [String: String] {
        let machine = input.machine
        var facts = [
            "hostname": machine.hostname, "machine": machine.id, "role": machine.role.rawValue,
            "architecture": machine.architecture, "disk": machine.stableDiskPath, "serial": machine.disk.serial ?? "",
            "mac": machine.bootMAC?.description ?? "", "provider_id": machine.providerID, "cluster": input.cluster,
            "release": input.release.name, "version": input.release.version, "callback": input.callback.url,
            "ca": input.callback.certificateAuthority, "setup": input.setup ?? "",
            "ssh_keys": input.access.sshKeys.joined(separator: "\n"),
            "netplan": machine.network.map { Netplan.render($0).yaml } ?? "",
        ]
        for (role, url) in input.release.urls { facts["url.\(role.rawValue)"] = url }
        for (role, digest) in input.release.digests { facts["sha256.\(role.rawValue)"] = digest }
        for (name, value) in machine.labels { facts["label.\(name)"] = value }
        switch input.join {
        case .standalone(let join): facts.merge(["server": join.server, "token": join.token]) { $1 }
        case .kubernetes(let join):
            facts.merge([
                "server": join.endpoint, "token": join.token, "cluster_ca": join.certificateAuthority,
                "cluster_ca_hash": join.certificateAuthorityHash, "kubernetes": join.version,
            ]) { $1 }
        case .k3s(let join): facts.merge(["server": join.server, "token": join.token]) { $1 }
        case .talos(let join): facts["config"] = join.config
        case .rancher(let registration): facts["config"] = registration
        }
        return facts
    }
}
