import Foundation
import TestSupport
import Testing

@testable import NetworkBoot

/// Who signed the programs that Debian's packages bring: shim has a signature of each of Microsoft's authorities that are in use.
@Suite struct ProgramSignatureTests {
    private static let shim = "/usr/lib/shim/shimx64.efi.signed"

    /// The first word of each name, once.
    private static func makers(of authorities: [String]) -> [String] {
        Set(authorities.compactMap { $0.split(separator: " ").first.map(String.init) }).sorted()
    }

    @Test(
        "the authorities behind a program's signatures",
        arguments: [
            (shim, ["Microsoft"]),
            ("/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed", ["Debian"]),
            ("/usr/lib/ipxe/snponly.efi", []), ("/usr/lib/ipxe/undionly.kpxe", nil), ("/etc/passwd", nil),
        ] as [(String, [String]?)])
    func real(file: String, authorities: [String]?) throws {
        let program = try Data(contentsOf: URL(fileURLWithPath: file))
        let found = ProgramSignature.authorities(of: Array(program))
        #expect(found.map { Self.makers(of: $0) } == authorities, "\(found ?? [])")
    }

    @Test("a program that was cut or altered traps nobody")
    func broken() throws {
        let program = Array(try Data(contentsOf: URL(fileURLWithPath: Self.shim)))
        var random = SeededGenerator(seed: 4)
        for length in [0, 1, 63, 64, 200, 400, program.count - 9000, program.count - 1] {
            _ = ProgramSignature.authorities(of: Array(program.prefix(length)))
        }
        // In the headers, and in the signatures at the end.
        for _ in 0..<300 {
            var altered = program
            for place in [
                Int.random(in: 0..<512, using: &random), program.count - 1 - Int.random(in: 0..<9000, using: &random),
            ] {
                altered[place] = UInt8.random(in: 0...255, using: &random)
            }
            _ = ProgramSignature.authorities(of: altered)
        }
    }

    @Test("a file is looked at once, and again when it has changed")
    func kept() async throws {
        try await withTemporaryDirectory { directory in
            let cache = SignerCache()
            func signers(_ source: String, as name: String = "x.efi") throws -> [String]? {
                try Data(contentsOf: URL(fileURLWithPath: source)).write(
                    to: URL(fileURLWithPath: directory + "/" + name))
                let file = try #require(OpenFile(path: directory + "/" + name))
                return cache.signers(of: file, named: "/boot/files/" + name)
            }
            let found = [
                try signers("/usr/lib/ipxe/snponly.efi"), try signers(Self.shim), try signers(Self.shim, as: "initrd"),
            ]
            #expect(found.map { $0.map { Self.makers(of: $0) } } == [[], ["Microsoft"], nil])
        }
    }
}
