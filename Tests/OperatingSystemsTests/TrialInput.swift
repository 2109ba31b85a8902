import Inventory
import Machines
import NetworkAddresses

@testable import OperatingSystems

/// Inputs that every driver renders; see Fixtures/systems.
enum TrialInput {
    static let authority = "-----BEGIN CERTIFICATE-----\nMIIBtrial\n-----END CERTIFICATE-----\n"

    static func disk(serial: String = "S3CR1AL", names: [String] = ["nvme-eui.0025385b71b0a1c2"]) -> Disk {
        Disk(
            path: "/dev/nvme0n1", serial: serial, wwn: "eui.0025385b71b0a1c2", model: "Trial",
            sizeBytes: 960_197_124_096,
            transport: .nvme, names: names)
    }

    static func kubernetes(certificateKey: String? = nil, version: String = "1.31.4") -> JoinMaterial {
        .kubernetes(
            .init(
                endpoint: "https://10.20.0.10:6443", certificateAuthority: authority,
                certificateAuthorityHash: "sha256:7c2e6b0f", token: "abcdef.0123456789abcdef", version: version,
                certificateKey: certificateKey))
    }

    static let urls = [ArtifactRole.iso, .rootfs, .image].reduce(into: [ArtifactRole: String]()) { urls, role in
        urls[role] = "http://10.77.0.1:8080/images/\(role.rawValue)digest/\(role.rawValue)"
    }

    static let standalone = JoinMaterial.standalone(
        .init(server: "https://10.77.0.1:8443", certificateAuthority: authority, token: "0123abcd"))
    static let rancher = JoinMaterial.rancher(
        registration:
            "elemental:\n  registration:\n    url: https://rancher.example.org/elemental/registration/t0ken\n    ca-cert: PEM\n  install:\n    device-selector: []\n"
    )
    static let k3s = JoinMaterial.k3s(.init(server: "https://10.20.0.10:6443", token: "K10abc::node:secret"))

    static func input(
        join: JoinMaterial = kubernetes(), role: Machine.NodeRole = .worker, network: SystemNetwork? = nil,
        disk: Disk = disk(), parameters: [String: String] = [:], setup: String? = "apt-get install kubeadm\n",
        sshKeys: [String] = ["ssh-ed25519 AAAAC3Nz admin@example.org"], isUEFI: Bool = true, patches: [String] = []
    ) -> InstallationInput {
        InstallationInput(
            machine: TargetMachine(
                id: "m-00163e000001", hostname: "node-1", role: role, isUEFI: isUEFI, disk: disk, network: network,
                bootMAC: MACAddress(rawValue: 0x0016_3e00_0001),
                kernelArguments: [KernelArgument(made: "console", "ttyS1,115200")],
                labels: ["topology.kubernetes.io/zone": "ams1", "rack": "r12"]),
            release: TargetRelease(
                name: "trial-1", version: "1", urls: urls,
                digests: urls.mapValues { _ in String(repeating: "e", count: 64) }, parameters: parameters),
            cluster: "prod", join: join,
            callback: Callback(
                url: "https://10.77.0.1:8443/api/v1/installations/5ec2e7", certificateAuthority: authority),
            access: AdministratorAccess(sshKeys: sshKeys), setup: setup, patches: patches)
    }

    /// What a driver takes: its parameters, and the ways to join that it knows.
    static func fit(for system: any OperatingSystem, network: String? = nil) throws -> InstallationInput {
        let network = try network.map { try TrialNetworks.network($0) }
        switch system {
        case is Talos:
            var input = try TalosTests.input("1.13.2")
            input.machine.network = network
            return input
        case is Bottlerocket: return input(network: network, setup: nil)
        case is Elemental: return input(join: rancher, network: network)
        case is Harvester, is K3OS: return input(join: k3s, network: network)
        case is MicroOS:
            return input(network: network, parameters: ["boot_options": "root=UUID=1f3c-2e net.ifnames=0 quiet"])
        case is Photon:
            return input(
                network: network,
                parameters: ["repository": "https://packages.example.org/photon/5.0", "packages": "containerd"],
                sshKeys: [])
        case is RancherOS:
            var disk = disk(names: ["ata-TRIAL_S3CR1AL"])
            (disk.path, disk.transport) = ("/dev/sda", .sata)
            return input(
                join: standalone, network: network, disk: disk,
                parameters: ["image": "registry.example.org/rancher/os:v1.5.8"],
                isUEFI: false)
        case is GenericOS:
            return input(
                join: standalone, network: network,
                parameters: [
                    "arguments": "own.config=/own.conf own.disk={{ disk }} own.tell={{callback}}",
                    "file:/own.conf":
                        "name={{ hostname | sh }}\nkey={{ token | json }}\nca={{ ca | base64 }}\nnetwork={{ netplan | base64 }}\n",
                    "file:/bin/own": "#!/bin/sh\nexec own {{ label.rack }}\n", "archive:rootfs": "own.squashfs",
                ])
        case is ReferenceOS: return input(join: standalone, network: network, setup: nil, sshKeys: [])
        default: return input(network: network, parameters: InstallerTests.tree)
        }
    }

    /// Workers and control planes, DHCP and fixed addresses, and each way to join.
    static let cases = [
        "worker-dhcp", "worker-static", "worker-bond-vlan", "control-plane-static", "standalone-dhcp", "k3s-static",
    ]

    static func named(_ name: String, parameters: [String: String] = [:]) throws -> InstallationInput {
        let network =
            name.hasSuffix("bond-vlan")
            ? try TrialNetworks.network("bond-vlan")
            : name.hasSuffix("static") ? try TrialNetworks.network("static") : nil
        switch name.split(separator: "-").first {
        case "control":
            return input(
                join: kubernetes(certificateKey: "9f3c"), role: .controlPlane, network: network, parameters: parameters)
        case "standalone": return input(join: standalone, network: network, parameters: parameters, setup: nil)
        case "k3s": return input(join: k3s, network: network, parameters: parameters, setup: nil)
        default: return input(network: network, parameters: parameters)
        }
    }
}

extension InstallerBoot {
    /// All of it, for people to read.
    var golden: String {
        let archived = archived.sorted { $0.key < $1.key }.map { ", \($0.value.rawValue) as /\($0.key)" }.joined()
        let texts =
            overlay.map { "\n=== \($0.path) 0\(String($0.mode, radix: 8))\n\($0.content)" }
            + served.map { "\n=== served: \($0.name)\n\($0.content)" }
        return
            "kernel \(kernel.rawValue), initrds \(initrds.map(\.rawValue).joined(separator: " "))\(archived)\n\(commandLine)\n"
            + texts.joined()
    }
}
