import Crypto
import FoundationEssentials
import Machines
import OperatingSystems

/// All that a machine gets for one installation, as a list of texts.
struct RenderedInstallation: Sendable {
    /// How the system or its installer is entered.
    var entry: String
    /// Of an installer.
    var kernelArguments: String?
    var files: [RenderedFile]

    init(_ rendering: Rendering) {
        switch rendering {
        case .image(let files, let entry):
            self.entry = Self.words(entry)
            self.files = files.map {
                .init(
                    place: "partition \($0.partition) (\($0.fileSystem.rawValue))", path: $0.path, mode: $0.mode,
                    content: $0.content)
            }
        case .installer(let boot), .imageStartedBy(let boot):
            entry = "kexec of \(boot.kernel.rawValue) with \(boot.initrds.map(\.rawValue).joined(separator: ", "))"
            kernelArguments = boot.commandLine
            let archived = boot.archived.sorted { $0.key < $1.key }.map { "\($0.value.rawValue) as /\($0.key)" }
            if !archived.isEmpty { entry += ", \(archived.joined(separator: ", "))" }
            files =
                boot.overlay.map { .init(place: "initramfs", path: $0.path, mode: $0.mode, content: $0.content) }
                + boot.served.map { .init(place: "fetched", path: $0.name, mode: nil, content: $0.content) }
        }
    }

    private static func words(_ entry: SystemEntry) -> String {
        switch entry {
        case .reboot: "firmware"
        case .kexec(let partition, _, let kernel, let initrd, let commandLine):
            "kexec of \(kernel) with \(initrd) and the arguments in \(commandLine), on partition \(partition)"
        case .kexecRoot(let partition, _, let kernel, let initrd, let arguments):
            "kexec of \(kernel) with \(initrd) and \(arguments.debugDescription), on partition \(partition)"
        }
    }

    /// HMAC-SHA-256 of it and of the release's files, as 64 hex digits: nobody without the key can guess what is in it.
    func digest(_ release: OSRelease, key: SymmetricKey) -> String {
        var hash = HMAC<SHA256>(
            key: SymmetricKey(
                data: HKDF<SHA256>.deriveKey(
                    inputKeyMaterial: key, info: Data("slipway rendering".utf8), outputByteCount: 32)))
        func add(_ text: String) {
            // With its length: two texts are not one.
            hash.update(data: Data("\(text.utf8.count):".utf8))
            hash.update(data: Data(text.utf8))
        }
        for (role, artifact) in release.artifacts.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            add(role.rawValue)
            add(artifact.sha256)
        }
        add(entry)
        add(kernelArguments ?? "")
        for file in files {
            add(file.place)
            add(file.path)
            add(file.mode.map(String.init) ?? "")
            add(file.content)
        }
        return Credential.hex(Array(hash.finalize()))
    }
}
