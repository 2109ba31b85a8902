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

    @Test("images of Debian, Ubuntu and Fedora CoreOS get files of their own", arguments: TrialInput.cases)
    func images(name: String) throws {
        for system in [Debian(), Ubuntu(), FedoraCoreOS()] as [any OperatingSystem] {
            guard case .image(let files, let entry) = try system.render(try TrialInput.named(name), route: .image)
            else {
                Issue.record("\(system.name) has no image")
                continue
            }
            let texts = files.map {
                "\n=== \($0.partition) \($0.fileSystem) \($0.path) 0\(String($0.mode, radix: 8))\n\($0.content)"
            }
            try Golden.expect("\(entry)\n" + texts.joined(), "systems/\(system.name)/\(name).image.txt")
        }
    }

    @Test("every system renders each of its routes, and says which files that takes")
    func catalog() throws {
        let names = OperatingSystemCatalog.all.map(\.name)
        #expect(Set(names).count == names.count)
        for system in OperatingSystemCatalog.all {
            for route in system.routes {
                #expect(!system.artifacts(for: route).isEmpty)
                let input =
                    system is Talos
                    ? try TalosTests.input("1.13.2")
                    : TrialInput.input(join: TrialInput.standalone, parameters: Self.tree)
                if case .installer(let boot) = try system.render(input, route: route) {
                    #expect(Set([boot.kernel] + boot.initrds).isSubset(of: Set(system.artifacts(for: route))))
                }
            }
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
