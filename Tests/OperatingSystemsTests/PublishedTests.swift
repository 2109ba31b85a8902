import Foundation
import Machines
import Testing

@testable import OperatingSystems

@Suite struct PublishedTests {
    private static let (a, b, long) = (
        String(repeating: "a", count: 64), String(repeating: "B", count: 64), String(repeating: "c", count: 128)
    )

    @Test(
        "each form of a list tells the digest of the file, and of no other",
        arguments: [
            ("\(a)  linux\n\(b)  other-linux\n", "linux", "\(a)"),
            ("\(b)  other-linux\n", "linux", nil),
            ("\(a) *initrd.gz\r\n", "initrd.gz", "\(a)"),
            (
                "\(a)  ./netboot/debian-installer/amd64/linux\n\(b)  ./netboot/gtk/amd64/linux\n",
                "debian-installer/amd64/linux", "\(a)"
            ),
            ("SHA256 (linux) = \(b)\n", "linux", String(repeating: "b", count: 64)),
            (
                "# MD5 HASH\n\(String(repeating: "1", count: 32))  x.bin\n# SHA512 HASH\n\(long)  x.bin\n", "x.bin",
                "\(long)"
            ),
            ("\(a)  x\n\(long)  x\n", "x", "\(long)"),
            // A Debian archive's Release.
            (
                "MD5Sum:\n \(String(repeating: "1", count: 32))  7 main/x\nSHA256:\n \(a)    78509 main/x\n", "main/x",
                "\(a)"
            ),
            ("\(a)  7 other/main/y\n", "x", nil), ("\(a)  7x x\n", "x", nil),
            (
                "[checksums]\nimages/pxeboot/vmlinuz = sha256:\(a)\nimages/pxeboot/initrd.img = sha256:\(b)\n",
                "images/pxeboot/vmlinuz", "\(a)"
            ),
            ("images/x = md5:\(String(repeating: "1", count: 32))\n", "images/x", nil),
            ("images/x = sha512:\(a)\n", "images/x", nil),
            (
                "{\"images\": {\"metal\": {\"path\": \"x.raw.xz\", \"sha256\": \"\(a)\"}, \"iso\": {}}}", "x.raw.xz",
                "\(a)"
            ),
            ("{\"images\": {}}", "x", nil), ("{", "x", nil), ("", "x", nil), ("\(a)", "x", nil), ("\(a)  ", "", nil),
            ("(x) = ) = (\n) = (x\n", "x", nil),
        ] as [(String, String, String?)])
    func lists(text: String, name: String, hex: String?) {
        #expect(DigestList.digest(of: name, in: text)?.hex == hex)
    }

    @Test("random bytes are no list, and no crash")
    func hostile() {
        var generator = SystemRandomNumberGenerator()
        let alphabet = Array("ab0 (=):*\n\r\t/{}\",x")
        for _ in 0..<20_000 {
            let text = String(
                (0..<Int.random(in: 0...80, using: &generator)).map { _ in alphabet.randomElement() ?? "a" })
            #expect(DigestList.digest(of: "x", in: text) == nil)
        }
    }

    @Test("what is published has every file that a route of its driver needs, by https")
    func catalog() throws {
        let known = [
            ("talos", "1.13.2"), ("flatcar", "4230.2.1"), ("fedora-coreos", "42.20250901.3.0"), ("debian", "12"),
            ("ubuntu", "24.04"), ("k3os", "0.21.5-k3s2r1"), ("harvester", "1.5.1"), ("fedora", "42"),
            ("centos-stream", "10"), ("rocky", "9.6"), ("almalinux", "10.0"),
        ]
        for (name, version) in known {
            let driver = try #require(OperatingSystemCatalog.driver(named: name))
            let release = try #require(driver.published(version: version, architecture: "amd64"), "\(name)")
            let roles = Set(release.files.map(\.role))
            #expect(driver.routes.contains { Set(driver.artifacts(for: $0)).isSubset(of: roles) }, "\(name)")
            for file in release.files {
                #expect(file.url.hasPrefix("https://") && file.digests.hasPrefix("https://"))
                #expect(URL(string: file.url) != nil && Artifact.isFileName(file.name))
                switch file.signature {
                case .file(let url), .list(let url), .index(let url, _): #expect(url.hasPrefix("https://"))
                case nil: break
                }
            }
        }
        #expect(Flatcar().signedRoles == [.image, .kernel, .initrd] && Debian().signedRoles == [.kernel, .initrd])
        #expect(Ubuntu().signedRoles == [.image] && Talos().signedRoles == [] && ReferenceOS().signedRoles == nil)
        #expect(Talos().published(version: "1.13.2/../x", architecture: "amd64") == nil)
        #expect(Talos().published(version: "1.13 .2", architecture: "amd64") == nil)
        #expect(Talos().published(version: "1.13.2", architecture: "riscv64") == nil)
        #expect(Debian().published(version: "3", architecture: "amd64") == nil)
        #expect(ReferenceOS().published(version: "1", architecture: "amd64") == nil)
    }
}
