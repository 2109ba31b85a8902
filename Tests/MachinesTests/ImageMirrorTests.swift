import FoundationEssentials
import Inventory
import NetworkAddresses
import Testing

@testable import Machines

@Suite struct ImageMirrorTests {
    @Test(
        "a machine is sent to the mirror of the smallest subnet it is in",
        arguments: [
            ("10.20.3.9", "http://10.20.3.2:8080"), ("10.20.4.9", "http://10.20.0.2:8080"), ("10.21.0.1", nil),
        ] as [(String, String?)])
    func subnets(machine: String, url: String?) throws {
        let mirrors = try [("10.20.0.0/16", "http://10.20.0.2:8080"), ("10.20.3.0/24", "http://10.20.3.2:8080")].map {
            ImageMirror(subnet: try #require(IPv4Network($0)), url: $1)
        }
        #expect(ImageMirror.url(for: try #require(IPv4Address(machine)), among: mirrors) == url)
        #expect(ImageMirror.url(for: try #require(IPv4Address(machine)), among: mirrors.reversed()) == url)
    }

    @Test("every file of the library is fetched from the mirror first, and from the daemon as before")
    func orders() throws {
        let daemon = "http://10.20.0.1:8080"
        func file(_ name: String, at server: String = daemon) -> KernelOrder.RemoteFile {
            .init(url: "\(server)/images/\(name)", sha256: name, bytes: 1)
        }
        let kernel = KernelOrder(
            kernel: file("k"), initrds: [file("i")], archived: [.init(path: "a", file: file("a"))], overlay: [],
            commandLine: "")
        let disk = DiskTarget(serial: "s", wwn: nil, sizeBytes: 1)
        let install = InstallOrder(
            release: "r",
            image: .init(url: "\(daemon)/images/x", sha256: "x", compression: .zstd, compressedBytes: 1, rawBytes: 1),
            disk: disk, files: [], readBack: .none, entry: .reboot, bootOrder: .networkFirst, firstStart: kernel)
        let near = "http://10.20.3.2:8080"
        guard case .install(let told) = Order.Task.install(install).mirrored(at: near, of: daemon) else { return }
        #expect(told.image.mirror == "\(near)/images/x" && told.image.url == install.image.url)
        #expect(told.firstStart?.files.map(\.mirror) == ["k", "i", "a"].map { "\(near)/images/\($0)" })
        #expect(told.firstStart?.files.map(\.url) == kernel.files.map(\.url))
        let runs = Order.Task.runInstaller(InstallerOrder(release: "r", disk: disk, boot: kernel))
        guard case .runInstaller(let boot) = runs.mirrored(at: near, of: daemon) else { return }
        #expect(boot.boot.kernel.mirror == "\(near)/images/k")
        #expect(runs.mirrored(at: nil, of: daemon) == runs)
        #expect(Order.Task.reboot.mirrored(at: near, of: daemon) == .reboot)
        // What is not the daemon's no mirror of it has.
        var elsewhere = kernel
        elsewhere.kernel = file("k", at: "http://10.20.0.1:80801")
        let other = Order.Task.runInstaller(InstallerOrder(release: "r", disk: disk, boot: elsewhere))
        guard case .runInstaller(let kept) = other.mirrored(at: near, of: daemon) else { return }
        #expect(kept.boot.kernel.mirror == nil)
        // Orders of a daemon that knows no mirrors are read as before.
        let text = #"{"url":"http://10.0.0.1/images/k","sha256":"k","bytes":1}"#
        #expect(try JSONDecoder().decode(KernelOrder.RemoteFile.self, from: Data(text.utf8)).mirror == nil)
    }
}
