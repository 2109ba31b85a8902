import Foundation
import Testing

@testable import NetworkBoot

@Suite struct BootFileDirectoryTests {
    /// A directory `boot` with a file, links inside and links that leave, beside a file `secret`.
    private func withDirectory(_ body: (_ path: String) throws -> Void) throws {
        let files = FileManager.default
        let base = files.temporaryDirectory.appendingPathComponent("boot-files-\(UUID().uuidString)").path
        try files.createDirectory(atPath: base + "/boot/efi", withIntermediateDirectories: true)
        defer { try? files.removeItem(atPath: base) }
        for (name, target) in [
            ("boot/inside", "plain"), ("boot/ipxe.efi", base + "/secret"), ("boot/other", base + "/secret"),
            ("boot/efi/ipxe.efi", "../../secret"), ("boot/loop", "loop"), ("boot/away", ".."),
        ] {
            try files.createSymbolicLink(atPath: base + "/" + name, withDestinationPath: target)
        }
        try Data("plain".utf8).write(to: URL(fileURLWithPath: base + "/boot/plain"))
        try Data("secret".utf8).write(to: URL(fileURLWithPath: base + "/secret"))
        try body(base + "/boot")
    }

    @Test(arguments: ["plain", "/plain", "//plain", "\\plain", "inside"])
    func `names as firmware writes them`(name: String) throws {
        try withDirectory { #expect(BootFileDirectory($0).open(name)?.read() == Array("plain".utf8)) }
    }

    @Test(arguments: [
        "", "/", ".", "efi", "../secret", "efi/../../secret", "..\\secret", "/../secret", "other", "loop",
        "away/secret",
        "ipxe.efi", "efi/ipxe.efi", "plain\0", "no-such-file", String(repeating: "a/", count: 5000),
    ])
    func `nothing outside is served`(name: String) throws {
        try withDirectory { #expect(BootFileDirectory($0).open(name) == nil) }
    }

    @Test func `a link of a known name may lead elsewhere`() throws {
        try withDirectory { path in
            let directory = BootFileDirectory(path, linked: ["ipxe.efi"])
            #expect(directory.open("ipxe.efi")?.read() == Array("secret".utf8))
            for name in ["other", "efi/ipxe.efi", "away/secret", "../secret"] { #expect(directory.open(name) == nil) }
        }
    }
}
