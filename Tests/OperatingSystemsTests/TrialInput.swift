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
    static let k3s = JoinMaterial.k3s(.init(server: "https://10.20.0.10:6443", token: "K10abc::node:secret"))

    static func input(
        join: JoinMaterial = kubernetes(), role: Machine.NodeRole = .worker, network: SystemNetwork? = nil,
        disk: Disk = disk(), parameters: [String: String] = [:], setup: String? = "apt-get install kubeadm\n",
        sshKeys: [String] = ["ssh-ed25519 AAAAC3Nz admin@example.org"]
    ) -> InstallationInput {
        InstallationInput(
            machine: TargetMachine(
                id: "m-00163e000001", hostname: "node-1", role: role, disk: disk, network: network,
                bootMAC: MACAddress(rawValue: 0x0016_3e00_0001),
                kernelArguments: [KernelArgument(made: "console", "ttyS1,115200")],
                labels: ["topology.kubernetes.io/zone": "ams1", "rack": "r12"]),
            release: TargetRelease(
                name: "trial-1", version: "1", urls: urls, parameters: parameters),
            cluster: "prod", join: join,
            callback: Callback(
                url: "https://10.77.0.1:8443/api/v1/installations/5ec2e7", certificateAuthority: authority),
            access: AdministratorAccess(sshKeys: sshKeys), setup: setup)
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
        "kernel \(kernel.rawValue), initrds \(initrds.map(\.rawValue).joined(separator: " "))\n\(commandLine)\n"
            + overlay.map { "\n=== \($0.path) 0\(String($0.mode, radix: 8))\n\($0.content)" }.joined()
    }
}
