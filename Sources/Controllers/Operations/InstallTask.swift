import Inventory
import Machines
import OperatingSystems

/// What an agent is told to do with what was rendered for its machine, and how the system is entered afterwards.
struct InstallTask {
    let task: Order.Task
    let entry: SystemEntry
    /// What the machine's boot program is to be given after the order; nil: the agent enters whatever there is.
    private(set) var networkStart: KernelOrder?

    /// - Parameter bootURL: what artifacts are fetched below.
    /// - Throws: ``ServiceError`` when the machine or the release does not allow it.
    init(_ rendering: Rendering, _ plan: OperationPlanner.Plan, _ machine: Machine, bootURL: String) throws {
        let maker = Maker(plan: plan, machine: machine, bootURL: bootURL)
        switch rendering {
        case .image(let files, let entry):
            (task, self.entry) = (.install(try maker.install(files, entry, first: nil)), entry)
        case .imageStartedBy(let boot):
            let first = try maker.kernel(boot)
            (task, entry) = (.install(try maker.install([], .reboot, first: first)), .reboot)
        case .installer(let boot) where !maker.mayKexec && plan.release.allowsPlainHTTP ?? false:
            networkStart = try maker.networkKernel(boot)
            let order = NetworkStartOrder(release: plan.release.name, disk: DiskTarget(plan.disk))
            (task, entry) = (.startInstaller(order), .reboot)
        case .installer(let boot):
            let order = InstallerOrder(
                release: plan.release.name, disk: DiskTarget(plan.disk), boot: try maker.kernel(boot))
            // Its own boot loader starts the system; where its kernel lies is its own affair.
            (task, entry) = (.runInstaller(order), .reboot)
        }
    }
}

private struct Maker {
    var plan: OperationPlanner.Plan
    var machine: Machine
    var bootURL: String

    private var release: OSRelease { plan.release }
    var mayKexec: Bool { (plan.profile?.kexec ?? true) && !machine.observed.kexecFailed }

    func install(_ files: [ConfigurationFile], _ entry: SystemEntry, first: KernelOrder?) throws -> InstallOrder {
        let image = try artifact(.image)
        return InstallOrder(
            release: release.name,
            image: .init(
                url: image.url(below: bootURL), sha256: image.sha256, compression: image.compression,
                compressedBytes: image.bytes, rawBytes: image.rawBytes),
            disk: DiskTarget(plan.disk), files: files, readBack: plan.profile?.readBack ?? .sampled,
            entry: mayKexec ? entry : .reboot, bootOrder: plan.profile?.bootOrder ?? .networkFirst,
            firstStart: first)
    }

    func kernel(_ boot: InstallerBoot) throws -> KernelOrder {
        guard mayKexec else {
            throw ServiceError(
                .conflict,
                "\(machine.name) cannot enter a kernel of \(release.name): \(whyNoKexec)"
                    + (release.route == .installer
                        ? "; `slipway os set \(release.name) --plain-http` lets its firmware start the installer" : ""))
        }
        return try order(boot)
    }

    private var whyNoKexec: String {
        machine.observed.kexecFailed
            ? "one that was entered by kexec gave no sign of life on it"
            : "its hardware profile \(plan.profile?.name ?? "") forbids kexec"
    }

    /// For a boot program, which is iPXE.
    func networkKernel(_ boot: InstallerBoot) throws -> KernelOrder {
        func refusal(_ why: String) -> ServiceError {
            ServiceError(
                .conflict,
                "\(machine.name) cannot start \(release.name) from the network: \(why); nor from its agent: \(whyNoKexec)"
            )
        }
        let firmware = machine.observed.hardware?.firmware
        guard firmware?.secureBoot != true else {
            throw refusal("its Secure Boot is on, and iPXE is not signed for it")
        }
        guard release.architecture == "amd64" else {
            throw refusal("a machine of \(release.architecture) boots by GRUB, and this is for iPXE")
        }
        let order = try order(boot)
        guard order.initrdParts != nil else { throw refusal("an initramfs has no room for a file of 4 GiB") }
        return order
    }

    private func order(_ boot: InstallerBoot) throws -> KernelOrder {
        // COMMAND_LINE_SIZE of x86 and arm64, with its end.
        guard boot.commandLine.utf8.count < 2048 else {
            throw ServiceError(
                .conflict,
                "the kernel arguments of \(release.name) are \(boot.commandLine.utf8.count) bytes, and a kernel takes 2047"
            )
        }
        return KernelOrder(
            kernel: .init(try artifact(boot.kernel), below: bootURL),
            initrds: try boot.initrds.map { .init(try artifact($0), below: bootURL) },
            archived: try boot.archived.sorted { $0.key < $1.key }.map {
                .init(path: $0.key, file: .init(try artifact($0.value), below: bootURL))
            },
            overlay: boot.overlay, commandLine: boot.commandLine)
    }

    private func artifact(_ role: ArtifactRole) throws -> Artifact {
        guard let artifact = release.artifacts[role] else {
            throw ServiceError(.notFound, "\(release.name) has no \(role.rawValue); add the release again")
        }
        return artifact
    }
}
