import Machines
import Testing

@testable import OperatingSystems

@Suite struct ImageFactoryTests {
    /// That of no customization: the SHA-256 of `customization: {}` and a newline (siderolabs/image-factory, docs/api.md).
    static let empty = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba"

    @Test("files, digests beside them, and the installer that the installed system is to have")
    func release() throws {
        let factory = try ImageFactory(.init(url: "https://factory.example.org:8443/", schematic: Self.empty))
        let release = try #require(Talos().published(version: "1.13.2", architecture: "arm64", by: factory))
        let base = "https://factory.example.org:8443/image/\(Self.empty)/v1.13.2"
        #expect(release.files.map(\.url) == ["\(base)/kernel-arm64", "\(base)/initramfs-arm64.xz"])
        #expect(release.files.map(\.digests) == ["\(base)/kernel-arm64.sha256", "\(base)/initramfs-arm64.xz.sha256"])
        #expect(release.files.map(\.role) == Talos().artifacts(for: .installer))
        #expect(
            release.parameters["installer_image"] == "factory.example.org:8443/metal-installer/\(Self.empty):v1.13.2")
    }

    @Test("only Talos is made by a factory, and only versions that are such")
    func others() throws {
        let factory = try ImageFactory(.init(url: ImageFactory.preset, schematic: Self.empty.uppercased()))
        #expect(factory.schematic == Self.empty)
        #expect(Flatcar().published(version: "4230.2.1", architecture: "amd64", by: factory) == nil)
        #expect(Talos().published(version: "1.13.2/../x", architecture: "amd64", by: factory) == nil)
    }

    @Test(
        "what is neither a factory nor a schematic is refused",
        arguments: [
            ("ftp://factory.example.org", empty), ("https://", empty), ("https://a/b", empty),
            ("https://user@host", empty), ("https://a b", empty), ("https://host?x", empty),
            ("factory.talos.dev", empty),
            (ImageFactory.preset, ""), (ImageFactory.preset, "../x"), (ImageFactory.preset, empty + empty),
        ])
    func refused(url: String, schematic: String) {
        #expect(throws: ConfigurationError.self) { try ImageFactory(.init(url: url, schematic: schematic)) }
    }
}
