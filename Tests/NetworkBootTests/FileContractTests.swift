import DHCP
import Foundation
import Inventory
import Logging
import Machines
import NetworkAddresses
import TestSupport
import Testing

@testable import NetworkBoot

/// What DHCP names is served, and by whatever protocol the client was told; fetched by curl from the servers themselves.
@Suite struct FileContractTests {
    /// Says the same to everybody.
    struct Director: NetworkBootDirector {
        func instruction(for client: BootClient) -> BootInstruction { BootInstruction(.agent) }
        func script(for client: BootClient) -> BootScript { .refuse("a test") }
        func record(_ event: BootTraceEvent) {}
    }

    struct NoImages: ImageSource {
        func path(ofImage digest: String) async -> String? { nil }
    }

    static let clients: [(ClientArchitecture?, isIPXE: Bool)] = [
        (nil, false), (.biosX86, false), (.efiX64, false), (.efiBC, false), (.efiIA32, false), (.efiARM64, false),
        (.efiRISCV64, false), (.efiX64HTTP, false), (.efiBCHTTP, false), (.efiIA32HTTP, false), (.efiARM64HTTP, false),
        (.biosX86, true), (.efiX64, true), (.efiARM64, true),
    ]

    /// Runs both servers on loopback, on free ports.
    static func serving(
        _ directory: String, at address: String = "127.0.0.1", singlePort: Bool = false,
        _ body: @escaping @Sendable (_ tftp: Int, _ http: Int) async throws -> Void
    ) async throws {
        let project = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..").path
        let content = BootContent(
            scripts: try BootScripts(directory: project + "/ipxe-scripts"), bootFiles: BootFileDirectory(directory),
            agents: [.amd64: BootFileDirectory(directory), .arm64: BootFileDirectory(directory + "/arm64")],
            images: NoImages(), director: Director(), bootURL: "")
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let (ports, told) = AsyncStream.makeStream(of: (name: String, port: Int).self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await TFTPServer(
                    address: address, port: 0, singlePort: singlePort, content: content, logger: logger,
                    started: { told.yield(("tftp", $0)) }
                ).run()
            }
            group.addTask {
                try await BootHTTPServer(
                    address: address, port: 0, content: content, logger: logger, requestSeconds: 1,
                    started: { told.yield(("http", $0)) }
                ).run()
            }
            var bound: [String: Int] = [:]
            for await (name, port) in ports {
                bound[name] = port
                if bound.count == 2 { break }
            }
            try await body(bound["tftp"] ?? 0, bound["http"] ?? 0)
            group.cancelAll()
            while let result = await group.nextResult() {
                if case .failure(let error) = result, !(error is CancellationError) { throw error }
            }
        }
    }

    static func curl(_ url: String) async throws -> String {
        let answer = try await ChildProcess.run("curl", ["--silent", "--fail", "--globoff", "--max-time", "10", url])
        return answer.status == 0 ? answer.output : "curl ended with \(answer.status ?? -1)"
    }

    @Test("every file that an answer names is there, for every client, by its protocol")
    func everyFile() async throws {
        try await withTemporaryDirectory { directory in
            let own: [ClientArchitecture: String] = [.efiIA32: "ia32.efi", .efiRISCV64: "riscv64.efi"]
            let names = Set(BootFiles.standard.values).union(BootFiles.signed.values).union(BootFiles.grub.values)
            for name in names.union(own.values).union(["own.efi"]) {
                try Data("I am \(name)".utf8).write(to: URL(fileURLWithPath: directory + "/" + name))
            }
            try FileManager.default.createDirectory(
                atPath: directory + "/arm64", withIntermediateDirectories: false)
            for (architecture, file) in [("amd64", "initrd"), ("arm64", "arm64/initrd")] {
                try Data("I am for \(architecture)".utf8).write(to: URL(fileURLWithPath: directory + "/" + file))
            }
            try await Self.serving(directory) { tftp, http in
                let files = BootFiles(bootPort: http, programs: own)
                for (architecture, isIPXE) in Self.clients {
                    for program in [BootProgram.standard, .signed, .grub, .file("own.efi")] {
                        let vendor = architecture?.isHTTP == true ? "HTTPClient:Arch" : "PXEClient:Arch"
                        let request = ProxyAnswerTests.discover(architecture, vendor: vendor, iPXE: isIPXE)
                        let named = files.file(for: request, program, server: IPv4Address(127, 0, 0, 1))
                        let file = try #require(named, "\(String(describing: architecture)) \(program)")
                        let isURL = file.hasPrefix("http://")
                        #expect(isURL == (isIPXE || architecture?.isHTTP == true))
                        let fetched = try await Self.curl(isURL ? file : "tftp://127.0.0.1:\(tftp)//\(file)")
                        let name = file.split(separator: "/").last ?? ""
                        #expect(
                            isIPXE ? fetched.hasPrefix("#!ipxe\n") : fetched == "I am \(name)", "\(file): \(fetched)")
                    }
                }
                // What GRUB goes on to ask for, by the protocol that brought it.
                for base in ["tftp://127.0.0.1:\(tftp)//", "http://127.0.0.1:\(http)/"] {
                    #expect(try await Self.curl(base + "grub/grub.cfg").contains("configfile /boot/grub/"))
                    let machine = try await Self.curl(base + "boot/grub/x86_64-efi/52:54:00:12:34:56")
                    #expect(machine.contains("echo \"Slipway: a test\""), "\(machine)")
                    for file in AgentArchitecture.allCases.map({ AgentFile(.initrd, $0) }) {
                        #expect(try await Self.curl(base + file.path) == "I am for \(file.architecture)")
                    }
                }
            }
        }
    }

    @Test("by IPv6, and with one port for all", arguments: [("::1", false), ("::1", true), ("127.0.0.1", true)])
    func otherWays(address: String, singlePort: Bool) async throws {
        try await withTemporaryDirectory { directory in
            let content = String(repeating: "0123456789abcdef", count: 10_000)
            try Data(content.utf8).write(to: URL(fileURLWithPath: directory + "/file"))
            try await Self.serving(directory, at: address, singlePort: singlePort) { tftp, http in
                let host = address.contains(":") ? "[\(address)]" : address
                let byTFTP = try await Self.curl("tftp://\(host):\(tftp)//file")
                let byHTTP = try await Self.curl("http://\(host):\(http)/boot/files/file")
                #expect(byTFTP == content && byHTTP == content)
            }
        }
    }

    @Test("with one port for all, data comes from the port that was asked")
    func port() async throws {
        try await withTemporaryDirectory { directory in
            try Data("x".utf8).write(to: URL(fileURLWithPath: directory + "/file"))
            for singlePort in [true, false] {
                try await Self.serving(directory, singlePort: singlePort) { tftp, _ in
                    let words = "\\x00\\x01file\\x00octet\\x00"
                    let source = try await ChildProcess.run(
                        "python3",
                        [
                            "-c",
                            "import socket;s=socket.socket(2,2);s.settimeout(5);s.sendto(b'\(words)',('127.0.0.1',\(tftp)));print(s.recvfrom(99)[1][1])",
                        ]
                    ).output.trimmingCharacters(in: .whitespacesAndNewlines)
                    #expect((source == "\(tftp)") == singlePort, "\(source)")
                }
            }
        }
    }

    @Test("Pixiecore is told of a boot in its own JSON, and 404 for machines that are left alone")
    func pixiecore() throws {
        let answer = PixiecoreAnswer(
            bootURL: "http://10.77.0.1:8080", arguments: [try KernelArgument("slipway.ticket", "t")])
        let object = try #require(try JSONSerialization.jsonObject(with: Data(answer.json.utf8)) as? [String: Any])
        #expect(object["kernel"] as? String == "http://10.77.0.1:8080/agent/vmlinuz")
        #expect(object["initrd"] as? [String] == ["http://10.77.0.1:8080/agent/initrd"])
        #expect((object["cmdline"] as? String)?.hasSuffix("slipway.ticket=t") ?? false)
        #expect(
            BootRequest(target: "/v1/boot/52:54:00:12:34:56", client: nil)
                == .pixiecore(MACAddress(rawValue: 0x5254_0012_3456)))
    }
}
