import Foundation
import TestSupport
import Testing

/// TFTP and boot HTTP against clients that others wrote: curl and atftp.
@Suite struct BootFilePeerTests {
    static let file = "/usr/lib/ipxe/undionly.kpxe"

    private func fetch(_ installation: Installation, _ url: String, _ options: String...) async throws
        -> (status: Int32?, content: Data?)
    {
        let path = installation.directory + "/fetched-" + UUID().uuidString
        let answer = try await ChildProcess.run(
            "curl", ["--silent", "--fail", "--path-as-is", "--max-time", "20", "--output", path] + options + [url])
        return (answer.status, FileManager.default.contents(atPath: path))
    }

    @Test("a boot file by TFTP, in blocks of every size")
    func tftp() async throws {
        try await Installation.with { installation in
            let wanted = FileManager.default.contents(atPath: Self.file)
            let base = "tftp://\(installation.address):6969"
            for size in ["512", "1428", "8192", "65464"] {
                let answer = try await fetch(installation, base + "//undionly.kpxe", "--tftp-blksize", size)
                #expect(answer.status == 0 && answer.content == wanted, "blocks of \(size)")
            }
            let plain = try await fetch(installation, base + "//undionly.kpxe", "--tftp-no-options")
            #expect(plain.content == wanted)
            // curl says 68: TFTP error 1, file not found.
            for name in ["//../../../etc/passwd", "//no-such-file", "//..%5c..%5cetc%5cpasswd", "//ipxe.iso/x"] {
                let answer = try await fetch(installation, base + name)
                #expect(answer.status == 68, "\(name)")
            }
        }
    }

    @Test("curl that has the file already fetches nothing")
    func conditional() async throws {
        try await Installation.with { installation in
            let (tag, path) = (installation.directory + "/tag", installation.directory + "/file")
            func fetch() async throws -> String {
                try await ChildProcess.run(
                    "curl",
                    [
                        "--silent", "--etag-save", tag, "--etag-compare", tag, "--output", path, "--write-out",
                        "%{http_code} %{size_download}", "\(installation.bootURL)/boot/files/undionly.kpxe",
                    ]
                ).output
            }
            let first = try await fetch()
            let size = FileManager.default.contents(atPath: Self.file)?.count ?? 0
            #expect(first == "200 \(size)")
            #expect(try await fetch() == "304 0")
        }
    }

    @Test("boot files over TLS, for firmware that knows the installation's CA")
    func tls() async throws {
        try await Installation.with(configuration: "boot_tls_port: 8444\nfirmware_https: true") { installation in
            let url = "https://\(installation.address):8444/boot/files/undionly.kpxe"
            let authority = installation.directory + "/state/boot-ca.pem"
            let whole = try await fetch(installation, url, "--cacert", authority)
            let wanted = FileManager.default.contents(atPath: Self.file)
            #expect(whole.status == 0 && whole.content == wanted)
            let part = try await fetch(installation, url, "--cacert", authority, "--range", "1000-1999")
            #expect(part.content == wanted?[1000..<2000])
            // As EDK2 asks: no elliptic curves anywhere.
            let firmware = try await fetch(
                installation, url, "--cacert", authority, "--tlsv1.2", "--tls-max", "1.2", "--ciphers",
                "DHE-RSA-AES256-GCM-SHA384:AES256-GCM-SHA384:AES128-GCM-SHA256:AES128-SHA")
            #expect(firmware.status == 0 && firmware.content == wanted)
            // 60: nobody that curl knows signed the certificate.
            let stranger = try await fetch(installation, url)
            #expect(stranger.status == 60, "\(installation.log)")
        }
    }

    @Test("atftp with a window of blocks")
    func windows() async throws {
        try await Installation.with { installation in
            let path = installation.directory + "/by-atftp"
            let answer = try await ChildProcess.run(
                "atftp",
                [
                    "--option", "blksize 1400", "--option", "windowsize 16", "--option", "tsize 0", "--get",
                    "--remote-file", "undionly.kpxe", "--local-file", path, installation.address, "6969",
                ])
            #expect(answer.status == 0, "\(answer.output)")
            #expect(
                FileManager.default.contents(atPath: path) == FileManager.default.contents(atPath: Self.file))
        }
    }

    @Test("files by HTTP, whole and in ranges, and nothing else")
    func http() async throws {
        try await Installation.with { installation in
            let wanted = try #require(FileManager.default.contents(atPath: Self.file))
            let url = installation.bootURL + "/boot/files/undionly.kpxe"
            #expect(try await fetch(installation, url).content == wanted)
            #expect(
                try await fetch(installation, installation.bootURL + "//boot//files//undionly.kpxe").content == wanted)
            #expect(try await fetch(installation, url, "--range", "1000-1999").content == wanted[1000..<2000])
            #expect(try await fetch(installation, url, "--range", "70000-").content == wanted[70000...])
            #expect(try await fetch(installation, url, "--range", "-5").content == wanted.suffix(5))
            for path in [
                "/boot/files/../../etc/passwd", "/boot/files/%2e%2e/%2e%2e/etc/passwd", "/agent/../state/ca.key", "/",
            ] {
                let answer = try await fetch(installation, installation.bootURL + path)
                // curl says 22: an HTTP error.
                #expect(answer.status == 22, "\(path)")
            }
        }
    }

    @Test("noise on every port is told once for each source, and hurts nobody")
    func noise() async throws {
        try await Installation.with { installation in
            let address = installation.address
            let script = """
                import os, socket
                udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                for length in range(0, 400): udp.sendto(os.urandom(length), ("\(address)", 6969))
                for port in (8080, 8443):
                    for _ in range(20):
                        tcp = socket.create_connection(("\(address)", port)); tcp.sendall(os.urandom(3000)); tcp.close()
                """
            let sent = try await ChildProcess.run("python3", ["-c", script])
            #expect(sent.status == 0, "\(sent.output)")
            let wanted = FileManager.default.contents(atPath: Self.file)
            #expect(try await fetch(installation, "tftp://\(address):6969//undionly.kpxe").content == wanted)
            #expect(try await fetch(installation, installation.bootURL + "/boot/files/undionly.kpxe").content == wanted)
            try await installation.slipway("machine", "list")
            let told = installation.log.split(separator: "\n").filter {
                $0.contains("malformed") && $0.contains("tftp")
            }
            #expect(told.count == 1, "\(installation.log)")
        }
    }
}
