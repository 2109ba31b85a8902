import Crypto
import Foundation
import TestSupport
import Testing

/// Talos as an Image Factory makes it: a web server with files at a factory's places, and the real programs.
@Suite struct FactoryTests {
    private static func hex(_ data: Data) -> String {
        SHA256.hash(data: data).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    @Test("a schematic's release comes from its factory, by published digests or a person's")
    func schematic() async throws {
        try await Installation.with(configuration: "fetch_from_private_addresses: true\n") { installation in
            let file = installation.directory + "/schematic.yaml"
            let schematic = Data("customization:\n    extraKernelArgs:\n        - console=ttyS1\n".utf8)
            try schematic.write(to: URL(filePath: file))
            let id = Self.hex(schematic)
            let folder = installation.directory + "/factory/image/\(id)/v1.13.2"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            var digests: [String: String] = [:]
            for name in ["kernel-amd64", "initramfs-amd64.xz"] {
                let content = Data((name + String(repeating: "!", count: 4096)).utf8)
                try content.write(to: URL(filePath: folder + "/" + name))
                digests[name] = Self.hex(content)
            }
            let port = FreePort.tcp()
            let server = try ChildProcess(
                "python3",
                [
                    "-u", "-m", "http.server", "--bind", "127.0.0.1", "--directory",
                    installation.directory + "/factory",
                    "\(port)",
                ])
            defer { server.kill() }
            try #require(await server.says("Serving HTTP"), "\(server.output)")
            let add = ["os", "add", "talos@1.13.2", "--schematic", file, "--factory", "http://127.0.0.1:\(port)"]

            // As Sidero Labs' own factory: it tells no digests.
            let without = try await installation.cli(add)
            #expect(without.status != 0 && without.output.contains("--sha256 kernel-amd64=HEX"), "\(without.output)")
            #expect(try await !installation.slipway("os", "list").contains("talos"))
            let wrong = try await installation.cli(
                add + ["--sha256", "kernel-amd64=\(id)", "--sha256", "initramfs-amd64.xz=\(id)"])
            #expect(wrong.status != 0 && wrong.output.contains("nothing was kept"), "\(wrong.output)")

            try Data("\(digests["kernel-amd64"] ?? "")  kernel-amd64\n".utf8).write(
                to: URL(filePath: folder + "/kernel-amd64.sha256"))
            let initramfs = "initramfs-amd64.xz=\(digests["initramfs-amd64.xz"] ?? "")"
            try await installation.slipway(arguments: add + ["--sha256", initramfs])
            let show = try await installation.slipway("os", "show", "talos-1.13.2-\(id.prefix(8))")
            #expect(
                show.contains("installer_image = 127.0.0.1:\(port)/metal-installer/\(id):v1.13.2")
                    && show.contains("sha256 \(digests["kernel-amd64"] ?? "-")"), "\(show)")
            // One that the factory does not know.
            let unknown = try await installation.cli(
                ["os", "add", "talos@1.13.2", "--schematic", String(repeating: "0", count: 64)]
                    + ["--factory", "http://127.0.0.1:\(port)", "--sha256", "kernel-amd64=\(id)"])
            #expect(unknown.status != 0 && unknown.output.contains("/schematics"), "\(unknown.output)")
            let neither = try await installation.cli(["os", "add", "talos@1.13.2", "--schematic", "nowhere.yaml"])
            #expect(
                neither.status != 0 && neither.output.contains("neither the id of a schematic"), "\(neither.output)")
        }
    }
}
