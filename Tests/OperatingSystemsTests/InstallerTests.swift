import ConfigDocuments
import Foundation
import Inventory
import Machines
import TestSupport
import Testing

@testable import OperatingSystems

/// What each system's own installer is told; see Fixtures/systems.
@Suite struct InstallerTests {
    static let tree = ["repository": "http://10.77.0.1:8080/releases/trial-1/tree"]

    @Test("Debian", arguments: TrialInput.cases)
    func debian(name: String) throws {
        try Golden.expect(try Debian().installer(try TrialInput.named(name)).golden, "systems/debian/\(name).txt")
    }

    @Test("Ubuntu", arguments: TrialInput.cases)
    func ubuntu(name: String) throws {
        try Golden.expect(try Ubuntu().installer(try TrialInput.named(name)).golden, "systems/ubuntu/\(name).txt")
    }

    @Test("CentOS Stream and its kin", arguments: TrialInput.cases)
    func redHat(name: String) throws {
        let boot = try RedHatFamily(name: "centos-stream").installer(try TrialInput.named(name, parameters: Self.tree))
        try Golden.expect(boot.golden, "systems/centos-stream/\(name).txt")
    }

    @Test("Fedora CoreOS", arguments: TrialInput.cases)
    func coreOS(name: String) throws {
        try Golden.expect(
            try FedoraCoreOS().installer(try TrialInput.named(name)).golden, "systems/fedora-coreos/\(name).txt")
    }

    @Test("Flatcar", arguments: TrialInput.cases)
    func flatcar(name: String) throws {
        try Golden.expect(try Flatcar().installer(try TrialInput.named(name)).golden, "systems/flatcar/\(name).txt")
    }

    @Test("images of Debian, Ubuntu, Fedora CoreOS and Flatcar get files of their own", arguments: TrialInput.cases)
    func images(name: String) throws {
        for system in [Debian(), Ubuntu(), FedoraCoreOS(), Flatcar()] as [any OperatingSystem] {
            let rendering = try system.render(try TrialInput.named(name), route: .image)
            try Golden.expect(rendering.golden, "systems/\(system.name)/\(name).image.txt")
        }
    }

    /// Those that were rendered above in all cases have fixtures of their own.
    private static let others: [any OperatingSystem] = [
        Bottlerocket(), Elemental(), Kairos(), Harvester(), MicroOS(), Photon(), K3OS(), RancherOS(), GenericOS(),
    ]

    @Test(
        "the others: with DHCP, a fixed address, and a bond with a VLAN, or the reason why not",
        arguments: ["dhcp", "static", "bond-vlan", "bond-vlan-static4"])
    func others(network: String) throws {
        for system in Self.others {
            let input = try TrialInput.fit(for: system, network: network == "dhcp" ? nil : network)
            for route in system.routes {
                let text: String
                do {
                    text = try system.render(input, route: route).golden
                } catch {
                    text = "refused: \(error)\n"
                }
                let suffix = system.routes.count > 1 ? ".\(route.rawValue)" : ""
                try Golden.expect(text, "systems/\(system.name)/\(network)\(suffix).txt")
            }
        }
    }

    @Test("the others: control planes, or the reason why not")
    func controlPlanes() throws {
        for system in Self.others {
            var input = try TrialInput.fit(for: system)
            input.machine.role = .controlPlane
            if case .kubernetes = input.join { input.join = TrialInput.kubernetes(certificateKey: "9f3c") }
            let text: String
            do {
                text = try system.render(input, route: system.routes[0]).golden
            } catch {
                text = "refused: \(error)\n"
            }
            try Golden.expect(text, "systems/\(system.name)/control-plane.txt")
        }
    }

    @Test("the others: each way to join that Kairos and MicroOS know")
    func joins() throws {
        for (name, join) in [("standalone", TrialInput.standalone), ("k3s", TrialInput.k3s)] {
            for system in [Kairos(), MicroOS()] as [any OperatingSystem] {
                var input = try TrialInput.fit(for: system)
                input.join = join
                try Golden.expect(
                    try system.render(input, route: system.routes[0]).golden, "systems/\(system.name)/\(name).txt")
            }
        }
    }

    @Test("every system renders each of its routes, and says which files that takes")
    func catalog() throws {
        let names = OperatingSystemCatalog.all.map(\.name)
        #expect(Set(names).count == names.count)
        for system in OperatingSystemCatalog.all {
            #expect(!system.support.words.contains("\n"))
            for route in system.routes {
                #expect(!system.artifacts(for: route).isEmpty)
                let rendering = try system.render(try TrialInput.fit(for: system), route: route)
                #expect(RouteEntry(rendering) == system.entry(route), "\(system.name) by \(route)")
                switch rendering {
                case .installer(let boot), .imageStartedBy(let boot):
                    var roles = Set([boot.kernel] + boot.initrds)
                    if !(system is GenericOS) { roles.formUnion(boot.archived.values) }
                    #expect(roles.isSubset(of: Set(system.artifacts(for: route))))
                case .image: #expect(system.artifacts(for: route).contains(.image))
                }
            }
        }
    }

    @Test("nobody's patch sends an installer to another disk, and a patch that is none is refused")
    func patches() throws {
        let disk = "nvme-eui.0025385b71b0a1c2"
        let rows: [(any OperatingSystem, patch: String)] = [
            (Kairos(), "install: {device: /dev/sdz, extra: word}"), (Harvester(), "install: {device: /dev/sdz}"),
            (Elemental(), "elemental: {install: {device: /dev/sdz, extra: word}}"), (Photon(), "disk: /dev/sdz"),
            (Kairos(), "[{op: add, path: /install, value: {device: /dev/sdz}}]"),
            (Bottlerocket(), "settings: {motd: word}"), (K3OS(), "k3os: {sysctls: {a: word}}"),
            (Kairos(), "k3s: {word: word}"), (Harvester(), "os: {password: word}"),
        ]
        for (system, patch) in rows {
            var input = try TrialInput.fit(for: system)
            let plain = try system.render(input, route: system.routes[0]).golden
            input.patches = [patch]
            let text = try system.render(input, route: system.routes[0]).golden
            #expect(!text.contains("/dev/sdz"), "\(system.name)")
            if patch.contains("sdz") {
                #expect(
                    system is Photon ? text.contains("$SLIPWAY_DISK") : text.contains("device: /dev/disk/by-id/\(disk)")
                )
            } else {
                #expect(text != plain && text.contains("word"), "\(system.name) does not take its patch")
            }
            input.patches = ["a: [b"]
            #expect(throws: ConfigurationError.self) { try system.render(input, route: system.routes[0]) }
        }
        for system in [FedoraCoreOS(), Flatcar(), MicroOS()] as [any OperatingSystem] {
            var input = try TrialInput.fit(for: system)
            input.patches = ["a: b"]
            #expect(throws: ConfigurationError.self) { try system.render(input, route: system.routes[0]) }
            input.patches = ["ignition: {version: 3.3.0}\nstorage: {files: [{path: /etc/own}]}\n"]
            #expect(throws: Never.self) { try system.render(input, route: system.routes[0]) }
        }
    }

    @Test(
        "pykickstart accepts the kickstart files, for the newest releases of each family", arguments: TrialInput.cases)
    func kickstartValidator(name: String) async throws {
        let boot = try RedHatFamily(name: "fedora").installer(try TrialInput.named(name, parameters: Self.tree))
        let file = try #require(boot.overlay.first { $0.path == "slipway.ks" })
        for version in ["RHEL9", "RHEL10", "F42"] {
            try await Self.accepted(file.content, by: PythonPeer.path("ksvalidator"), ["-e", "-v", version])
        }
    }

    @Test("debconf accepts the preseed files", arguments: TrialInput.cases)
    func debconf(name: String) async throws {
        let boot = try Debian().installer(try TrialInput.named(name))
        let file = try #require(boot.overlay.first { $0.path == "preseed.cfg" })
        try await Self.accepted(file.content, by: "debconf-set-selections", ["--checkonly"])
    }

    @Test("Ignition's own validator accepts its configs", arguments: TrialInput.cases)
    func ignition(name: String) async throws {
        let input = try TrialInput.named(name)
        for management in [NodeSetup.NetworkManagement.systemd, .networkManager] {
            let config = try Ignition(input, network: management).document.json
            try await Self.accepted(config, by: "ignition-validate", [])
        }
        for boot in [try FedoraCoreOS().installer(input), try Flatcar().installer(input)] {
            let live = try #require(boot.overlay.first { $0.path.hasSuffix("config.ign") })
            try await Self.accepted(live.content, by: "ignition-validate", [])
        }
    }

    @Test("sh finds no fault in any script", arguments: TrialInput.cases)
    func shell(name: String) async throws {
        for boot in [
            try Debian().installer(try TrialInput.named(name)), try Ubuntu().installer(try TrialInput.named(name)),
        ] {
            for file in boot.overlay where file.content.hasPrefix("#!/bin/sh") || file.path.hasPrefix("slipway/l") {
                try await Self.accepted(file.content, by: "sh", ["-n"])
            }
        }
    }

    private static func accepted(_ text: String, by program: String, _ arguments: [String]) async throws {
        try await withTemporaryDirectory { directory in
            try Data(text.utf8).write(to: URL(filePath: directory + "/file"))
            // Databases of its own: the system's let one in at a time.
            let databases = ["config", "templates"].map {
                "Name: \($0)db\nDriver: File\nFilename: \(directory)/\($0)\n"
            }
            let settings = "Config: configdb\nTemplates: templatesdb\n\n" + databases.joined(separator: "\n")
            try Data(settings.utf8).write(to: URL(filePath: directory + "/.debconfrc"))
            let (status, output) = try await ChildProcess.run(
                program, arguments + [directory + "/file"], environment: ["DEBCONF_SYSTEMRC": directory + "/.debconfrc"]
            )
            // debconf tells of what it does not understand, and calls it a success.
            #expect(status == 0 && !output.contains("parse error") && !output.contains("warning"), "\(output)")
        }
    }
}

extension Rendering {
    /// All of it, for people to read.
    var golden: String {
        switch self {
        case .installer(let boot): return boot.golden
        case .imageStartedBy(let boot): return "image, then " + boot.golden
        case .image(let files, let entry):
            let texts = files.map {
                "\n=== \($0.partition) \($0.fileSystem) \($0.path) 0\(String($0.mode, radix: 8))\n\($0.content)"
            }
            return "\(entry)\n" + texts.joined()
        }
    }
}
