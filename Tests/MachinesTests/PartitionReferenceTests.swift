import Foundation
import Machines
import Testing

@Suite struct PartitionReferenceTests {
    @Test(
        "a name, a number or a label, written as text",
        arguments: [
            ("ESP", PartitionReference.name("ESP")), ("number:12", .number(12)), ("label:root", .label("root")),
            ("number:0", nil), ("number:129", nil), ("number:x", nil), ("label:", nil), ("", nil),
        ] as [(String, PartitionReference?)])
    func text(text: String, reference: PartitionReference?) throws {
        #expect(PartitionReference(text) == reference)
        if let reference { #expect(reference.description == text) }
    }

    @Test("entries of older daemons name partitions by their GPT names")
    func old() throws {
        let json =
            #"{"kexec": {"partition": "ESP", "fileSystem": "vfat", "kernel": "k", "initrd": "i", "commandLineFile": "c"}}"#
        let entry = try JSONDecoder().decode(SystemEntry.self, from: Data(json.utf8))
        #expect(entry.partition == .name("ESP"))
        let again = try JSONDecoder().decode(SystemEntry.self, from: try JSONEncoder().encode(entry))
        #expect(again == entry)
    }

    @Test("releases of older daemons have one image")
    func release() throws {
        let json = """
            {"id": "r", "name": "ref-1", "os": "slipway-reference", "version": "1", "architecture": "amd64", "minimumDiskBytes": 100,
             "image": {"sha256": "b", "compression": "zstd", "compressedBytes": 10, "rawBytes": 100}, "createdAt": 0}
            """
        let release = try JSONDecoder().decode(OSRelease.self, from: Data(json.utf8))
        #expect(release.route == .image)
        #expect(release.artifacts == [.image: Artifact(sha256: "b", bytes: 10, compression: .zstd, rawBytes: 100)])
        let text = String(decoding: try JSONEncoder().encode(release), as: UTF8.self)
        #expect(text.contains(#""artifacts":{"image":{"#), "\(text)")
        #expect(try JSONDecoder().decode(OSRelease.self, from: Data(text.utf8)) == release)
    }
}
