import Inventory
import Machines

/// CentOS Stream, RHEL, Fedora, Rocky and Alma, by Anaconda with a kickstart file in its initramfs.
/// Parameters: `repository` (URL of the installation tree; required), `repositories` (`NAME=URL`, more of them, by blanks), `packages`.
public struct RedHatFamily: OperatingSystem {
    public let name: String

    public init(name: String) { self.name = name }

    public var architectures: [String] { ["amd64", "arm64"] }
    public var routes: [InstallRoute] { [.installer] }

    public func artifacts(for route: InstallRoute) -> [ArtifactRole] { [.kernel, .initrd] }

    public func render(_ input: InstallationInput, route: InstallRoute) throws(ConfigurationError) -> Rendering {
        .installer(try installer(input))
    }

    func installer(_ input: InstallationInput) throws(ConfigurationError) -> InstallerBoot {
        InstallerBoot(
            overlay: [OverlayFile(path: "slipway.ks", content: try kickstart(input))],
            arguments: try arguments(input))
    }

    private func arguments(_ input: InstallationInput) throws(ConfigurationError) -> [KernelArgument] {
        [
            // A file of the initramfs: read before any network is up.
            try .checked("inst.ks", "file:/slipway.ks"), try .checked("inst.repo", try repository(input)),
            try .checked("inst.text"), try .checked("inst.cmdline"),
            // Its own boot entry goes behind the network's.
            try .checked("inst.leavebootorder"), try .checked("ip", "dhcp"),
        ] + input.machine.bootInterface + input.machine.kernelArguments
    }

    private func repository(_ input: InstallationInput) throws(ConfigurationError) -> String {
        guard let url = input.release.parameters["repository"], !url.isEmpty else {
            throw ConfigurationError(
                field: "repository", reason: "\(name) is installed from a tree, and the release names none")
        }
        return try Kickstart.word(url, of: "repository")
    }

    private func kickstart(_ input: InstallationInput) throws(ConfigurationError) -> String {
        let machine = input.machine
        let disk = try Kickstart.word(machine.stableDiskPath, of: "disk")
        var file = Kickstart()
        file.command("text")
        file.command("url --url=\(try repository(input))")
        for repository in input.release.words("repositories") {
            let parts = repository.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else {
                throw ConfigurationError(
                    field: "repositories", reason: "\(repository.debugDescription) is not NAME=URL")
            }
            let (name, url) = (
                try Kickstart.word(parts[0], of: "repositories"), try Kickstart.word(parts[1], of: "repositories")
            )
            file.command("repo --name=\(name) --baseurl=\(url)")
        }
        file.command("lang en_US.UTF-8")
        file.command("keyboard us")
        file.command("timezone Etc/UTC --utc")
        // The installer's; the system's own comes with its files.
        file.command("network --bootproto=dhcp --device=link --activate")
        file.command("network --hostname=\(try Kickstart.word(machine.hostname, of: "hostname"))")
        file.command("rootpw --lock")
        file.command("firstboot --disable")
        file.command("selinux --enforcing")
        file.command("zerombr")
        file.command("ignoredisk --only-use=\(disk)")
        file.command("clearpart --all --initlabel --disklabel=gpt --drives=\(disk)")
        // A kubelet does not like swap.
        file.command("autopart --type=plain --nohome --noswap")
        let kept = machine.kernelArguments.map(\.description).joined(separator: " ")
        file.command("bootloader --boot-drive=\(disk)" + (kept.isEmpty ? "" : " --append=\"\(kept)\""))
        file.command("reboot")
        var packages = ["@core", "curl", "efibootmgr"]
        for package in input.release.words("packages") {
            packages.append(try Kickstart.word(package, of: "packages"))
        }
        file.section("%packages", packages.joined(separator: "\n"))
        try addScripts(to: &file, input)
        return file.text
    }

    private func addScripts(to file: inout Kickstart, _ input: InstallationInput) throws(ConfigurationError) {
        var setup = try NodeSetup(input)
        let authority = NodeSetup.File(
            path: "/tmp/slipway-ca.pem", mode: 0o600, content: input.callback.certificateAuthority)
        func report(_ news: InstallationNews) -> String {
            InstallerScripts.report(news, input.callback, authority: authority.path)
        }
        file.section(
            "%pre --erroronfail --log=/tmp/slipway-pre.log",
            Kickstart.write(authority) + InstallerScripts.findDisk(input.machine) + report(.started) + " || true\n")
        setup.add(input.machine.network, for: .networkManager)
        setup.add(input.access)
        let own = input.machine.network == nil ? "" : "rm -f /etc/NetworkManager/system-connections/*\n"
        file.section(
            "%post --erroronfail --log=/root/slipway-post.log",
            "set -e\n" + own + setup.allFiles.map { Kickstart.write($0) }.joined()
                + "systemctl enable \(setup.services)\nrestorecon -R /etc/slipway /etc/systemd/system /etc/NetworkManager /root || true\n"
        )
        file.section("%post --nochroot", InstallerScripts.bootOrder + report(.installed) + " || true\n")
        file.section(
            "%onerror", "tail -c 16000 /tmp/anaconda.log | " + report(.failed) + " --data-binary @- || true\n")
    }
}
