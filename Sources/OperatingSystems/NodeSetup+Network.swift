import Machines

extension NodeSetup {
    /// What looks after the system's networks.
    enum NetworkManagement { case systemd, networkManager }

    /// Adds the machine's networks, where it has any of its own.
    mutating func add(_ network: SystemNetwork?, for management: NetworkManagement) {
        guard let network else { return }
        switch management {
        case .systemd:
            files += SystemdNetwork.render(network).map {
                File(path: "/etc/systemd/network/\($0.name)", mode: 0o644, content: $0.content)
            }
        case .networkManager:
            files += KeyfileNetwork.render(network).map {
                File(path: "/etc/NetworkManager/system-connections/\($0.name)", mode: 0o600, content: $0.content)
            }
            guard !network.ntp.isEmpty else { return }
            // chrony reads every such file of this folder (chrony.conf(5), sourcedir); NetworkManager knows nothing of time.
            let sources = network.ntp.map { "server \($0) iburst\n" }.joined()
            files.append(File(path: "/etc/chrony.d/slipway.sources", mode: 0o644, content: sources))
        }
    }

    /// Adds who may log in as root.
    mutating func add(_ access: AdministratorAccess) {
        guard !access.sshKeys.isEmpty else { return }
        files.append(
            File(path: "/root/.ssh/authorized_keys", mode: 0o600, content: access.sshKeys.map { $0 + "\n" }.joined()))
    }

    /// Files, and units as files.
    var allFiles: [File] {
        files + units.map { File(path: "/etc/systemd/system/\($0.name)", mode: 0o644, content: $0.content) }
    }

    var services: String { units.map(\.name).joined(separator: " ") }
}

extension TargetRelease {
    /// A parameter that is a list with blanks between.
    func words(_ parameter: String) -> [String] { parameters[parameter]?.split(separator: " ").map(String.init) ?? [] }
}
