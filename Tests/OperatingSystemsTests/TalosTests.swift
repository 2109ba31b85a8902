import ConfigDocuments
import Foundation
import Inventory
import Machines
import TestSupport
import Testing

@testable import OperatingSystems

@Suite struct TalosTests {
    /// As `talosctl gen config` makes them, shortened; of two generations.
    static let bases = [
        "1.11.3": """
        version: v1alpha1
        persist: true
        machine:
            type: worker
            token: d8cwfa.eyvpi0xwxyarbfid
            ca: {crt: LS0tLS1CRUdJTg==, key: ""}
            kubelet: {image: "ghcr.io/siderolabs/kubelet:v1.33.0"}
            install: {disk: /dev/sda, image: "ghcr.io/siderolabs/installer:v1.11.3", wipe: false}
            network: {interfaces: [{interface: eth0, dhcp: true}]}
        cluster:
            id: 0raF93qnkMvF-FZNuvyGozXNdLiT2FOWSlyBaW4PR-w=
            secret: pofHbABZq7VXuObsdLdy/bHmz6hlMHZ3p8+6WKrv1ic=
            controlPlane: {endpoint: "https://10.20.0.10:6443"}
            network: {podSubnets: [10.244.0.0/16]}
            token: inn7ol.u4ehnti8qyls9ymo
        """,
        "1.13.2": """
        version: v1alpha1
        persist: true
        machine:
            type: worker
            token: d8cwfa.eyvpi0xwxyarbfid
            install: {wipe: false}
        cluster:
            controlPlane: {endpoint: "https://10.20.0.10:6443"}
            token: inn7ol.u4ehnti8qyls9ymo
        ---
        apiVersion: v1alpha1
        kind: HostnameConfig
        auto: stable
        """,
        "1.14.0": """
        version: v1alpha1
        machine:
            type: worker
            token: d8cwfa.eyvpi0xwxyarbfid
        cluster:
            token: inn7ol.u4ehnti8qyls9ymo
        ---
        apiVersion: v1alpha1
        kind: DiscoveryIdentityConfig
        clusterID: 0raF93qnkMvF-FZNuvyGozXNdLiT2FOWSlyBaW4PR-w=
        ---
        apiVersion: v1alpha1
        kind: ResolverConfig
        hostDNS: {enabled: true}
        ---
        apiVersion: v1alpha1
        kind: HostnameConfig
        auto: stable
        ---
        apiVersion: v1alpha1
        kind: KubeNodeConfig
        nodeIP: {}
        """,
    ]

    static func input(_ version: String, network: String? = nil, patches: [String] = []) throws -> InstallationInput {
        var input = TrialInput.input(
            join: .talos(.init(config: bases[version] ?? "")), network: try network.map(TrialNetworks.network),
            parameters: ["installer_image": "factory.talos.dev/metal-installer/3765:v\(version)"])
        input.release.version = version
        input.patches = patches
        return input
    }

    static func boot(_ input: InstallationInput) throws -> InstallerBoot {
        guard case .installer(let boot) = try Talos().render(input, route: .installer) else {
            throw ConfigurationError(field: "route", reason: "no installer")
        }
        return boot
    }

    @Test(
        "machine configurations of each generation", arguments: bases.keys.sorted(),
        [nil, "static", "bond-vlan"] as [String?])
    func golden(version: String, network: String?) throws {
        let boot = try Self.boot(try Self.input(version, network: network))
        let served = try #require(boot.served.first)
        try Golden.expect(
            boot.commandLine + "\n\n=== \(served.name)\n" + served.content,
            "systems/talos/\(version)-\(network ?? "dhcp").txt")
        #expect(boot.commandLine.utf8.count < 2048)
    }

    @Test(
        "a machine tells its events where the daemon listens: while it installs and afterwards, unless people have a sink of their own"
    )
    func events() throws {
        var input = try Self.input("1.13.2")
        input.callback.eventSink = "10.77.0.1:3247"
        let boot = try Self.boot(input)
        let served = try #require(boot.served.first)
        try Golden.expect(
            boot.commandLine + "\n\n=== \(served.name)\n" + served.content, "systems/talos/1.13.2-events.txt")
        #expect(boot.tellsEvents)
        let own = "apiVersion: v1alpha1\nkind: EventSinkConfig\nendpoint: 10.9.9.9:3247\n"
        input.patches = [own]
        let patched = try #require(try Self.boot(input).served.first).content
        #expect(patched.contains("endpoint: 10.9.9.9:3247") && !patched.contains("10.77.0.1:3247"))
        let silent = try Self.boot(try Self.input("1.13.2"))
        #expect(!silent.tellsEvents && !silent.commandLine.contains("talos.events"))
        #expect(silent.served.first?.content.contains("EventSinkConfig") == false)
    }

    @Test("the CA on the command line is what Talos reads it for")
    func early() async throws {
        let line = try Self.boot(try Self.input("1.13.2")).commandLine
        let value = try #require(line.firstMatch(of: /talos\.config\.early=(\S+)/)).1
        try await withTemporaryDirectory { directory in
            try Data(value.utf8).write(to: URL(filePath: directory + "/early"))
            let (status, output) = try await ChildProcess.run(
                "sh", ["-c", "base64 -d '\(directory)/early' | zstd -q -d"])
            #expect(status == 0)
            let document = try #require(try ConfigValue.documents(yaml: output + "\n").first)
            #expect(document["kind"]?.string == "TrustedRootsConfig")
            #expect(document["certificates"]?.string == TrialInput.authority)
        }
    }

    @Test("people's patches are merged as Talos merges them, and cannot send a machine to another disk")
    func patches() throws {
        let patch = """
            machine:
              install: {disk: /dev/sdz}
              network:
                interfaces:
                - interface: eth0
                  mtu: 9000
                - interface: eth1
                  dhcp: false
              sysctls: {vm.swappiness: "0"}
            cluster:
              network: {podSubnets: [10.1.0.0/16]}
            ---
            apiVersion: v1alpha1
            kind: WatchdogTimerConfig
            device: /dev/watchdog0
            """
        let jsonPatch = #"[{"op": "add", "path": "/machine/env", "value": {"GRPC_GO_LOG": "99"}}]"#
        let served = try #require(
            try Self.boot(try Self.input("1.11.3", patches: [jsonPatch, patch])).served.first)
        let documents = try ConfigValue.documents(yaml: served.content)
        let machine = documents[0]["machine"]
        #expect(machine?["install"]?["disk"]?.string == "/dev/disk/by-id/nvme-eui.0025385b71b0a1c2")
        #expect(machine?["sysctls"]?["vm.swappiness"]?.string == "0" && machine?["env"]?["GRPC_GO_LOG"]?.string == "99")
        let interfaces = machine?["network"]?["interfaces"]?.items
        #expect(interfaces?.count == 2)
        #expect(interfaces?.first?["dhcp"]?.string == "true" && interfaces?.first?["mtu"]?.string == "9000")
        #expect(documents[0]["cluster"]?["network"]?["podSubnets"]?.items?.map(\.string) == ["10.1.0.0/16"])
        #expect(documents.last?["kind"]?.string == "WatchdogTimerConfig")
        // What the base has beside all that is as it was.
        #expect(machine?["token"]?.string == "d8cwfa.eyvpi0xwxyarbfid" && machine?["ca"]?["key"] == .text(""))
    }

    @Test("a patch takes things away where it says so")
    func deletes() throws {
        let base = try ConfigValue.documents(yaml: "a: {b: 1, c: 2}\ninterfaces: [{interface: x}, {interface: y}]")
        func applied(_ patch: String) throws -> String { ConfigValue.yaml(try TalosPatch.apply(patch, to: base)) }
        #expect(
            try applied("a: {b: {$patch: delete}}") == "a:\n  c: 2\ninterfaces:\n- interface: x\n- interface: y\n")
        #expect(try applied("interfaces: [{interface: x, $patch: delete}]").contains("interface: x") == false)
        #expect(try applied("$patch: delete") == "")
    }

    @Test(
        "a machine with Secure Boot takes a kernel that somebody signed, with an installer that leaves a signed system, and no other"
    )
    func secureBoot() throws {
        var input = try Self.input("1.13.2")
        input.machine.isSecureBoot = true
        func refusal() -> String? {
            do {
                _ = try Self.boot(input)
                return nil
            } catch { return "\(error)" }
        }
        #expect(refusal()?.contains("Nobody signed Talos' kernel") == true)
        input.release.parameters["secure_boot"] = "yes"
        #expect(refusal()?.contains("Nobody signed Talos' kernel") == true)
        input.release.parameters["secure_boot"] = "signed"
        #expect(refusal()?.contains("metal-installer-secureboot/SCHEMATIC:v1.13.2") == true)
        input.release.parameters["installer_image"] = "factory.example.org/metal-installer-secureboot/3765:v1.13.2"
        #expect(refusal() == nil)
        #expect(Talos().remarks(.installer).contains { $0.contains("Secure Boot") })
    }

    @Test("what does not fit is refused")
    func refused() throws {
        func refusal(_ change: (inout InstallationInput) -> Void) throws -> String? {
            var input = try Self.input("1.13.2")
            change(&input)
            do {
                _ = try Talos().render(input, route: .installer)
                return nil
            } catch {
                return "\(error)"
            }
        }
        #expect(try refusal { _ in } == nil)
        #expect(
            try refusal { $0.machine.role = .controlPlane }?.contains(
                "it is for a worker, and this is to be a controlplane") == true)
        #expect(try refusal { $0.join = TrialInput.standalone }?.contains("clusters of Talos machines only") == true)
        #expect(try refusal { $0.release.version = "1.10.0" }?.contains("before 1.11") == true)
        #expect(try refusal { $0.release.version = "latest" }?.contains("is no version of Talos") == true)
        #expect(try refusal { $0.join = .talos(.init(config: "a: 1")) }?.contains("no machine configuration") == true)
        #expect(try refusal { $0.join = .talos(.init(config: "a: [")) } != nil)
        #expect(
            try refusal { $0.patches = ["- op: remove\n  path: /x"] }?.contains("one document, and this has 2") == true)
        #expect(
            try refusal {
                $0.release.version = "1.14.0"
                $0.machine.disk.serial = "a\" || true || \"b"
            }?.contains("has no serial number that Talos could find it by") == true)
    }
}
