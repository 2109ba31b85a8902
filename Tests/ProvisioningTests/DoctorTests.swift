import Foundation
import TestSupport
import Testing

/// `slipway doctor` beside other servers, on wires that the test made.
@Suite(.enabled(if: getuid() == 0, "network namespaces need root")) struct DoctorTests {
    /// Another DHCP server at the far end of the wire, once it listens.
    private func dnsmasq(_ wire: Wire, _ options: String...) async throws -> ChildProcess {
        try await wire.ip("-n \(wire.client) address add 10.98.0.9/24 dev cli0")
        let server = try ChildProcess(
            "ip",
            [
                "netns", "exec", wire.client, "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0",
                "--interface=cli0", "--bind-interfaces", "--user=root", "--pid-file=", "--leasefile-ro", "--no-ping",
                "--log-facility=-",
            ] + options)
        let listens = await server.says("sockets bound exclusively")
        try #require(listens, "\(server.output)")
        return server
    }

    private func doctor(_ installation: Installation) async throws -> (status: Int32?, output: String) {
        try await installation.cli(["doctor"])
    }

    @Test("a network of our own, a second server on it, and a link that is down")
    func pool() async throws {
        try await Wire.with { wire in
            try await Installation.with(
                namespace: wire.server, address: "10.98.0.1", configuration: DHCPPeerTests.pool
            ) { installation in
                let alone = try await doctor(installation)
                for words in [
                    "ok       address: 10.98.0.1", "ok       interface srv0: it has a link", "ok       boot files",
                    "ok       TFTP, UDP 6969: snponly.efi comes", "ok       boot HTTP, TCP 8080: snponly.efi comes",
                    "warning  Secure Boot", "ok       DHCP servers on srv0: no other one answers", "ok       disk",
                ] { #expect(alone.output.contains(words), "\(words)\n\(alone.output)") }
                #expect(alone.status == 0, "\(alone.output)")

                let other = try await dnsmasq(wire, "--dhcp-range=10.98.0.100,10.98.0.110", "--dhcp-boot=pxelinux.0")
                let beside = try await doctor(installation)
                other.kill()
                #expect(beside.status == 1, "\(beside.output)")
                #expect(beside.output.contains("FAILED   DHCP servers on srv0: 10.98.0.9 gives addresses too"))
                #expect(beside.output.contains("10.98.0.9 names the boot file pxelinux.0"), "\(beside.output)")

                // Nobody sees the question as a boot of an unknown machine.
                #expect(try await installation.slipway("boot", "list").split(separator: "\n").count == 1)
                try await wire.ip("-n \(wire.client) link set cli0 down")
                let down = try await doctor(installation)
                #expect(down.output.contains("FAILED   interface srv0: it is down or has no link"), "\(down.output)")
            }
        }
    }

    @Test("a proxy needs somebody who gives addresses")
    func proxy() async throws {
        let configuration = "dhcp:\n  - {interface: srv0, mode: proxy}\n"
        try await Wire.with { wire in
            try await Installation.with(
                namespace: wire.server, address: "10.98.0.1", configuration: configuration
            ) { installation in
                let alone = try await doctor(installation)
                #expect(alone.status == 1 && alone.output.contains("nobody gives addresses"), "\(alone.output)")
                let other = try await dnsmasq(wire, "--dhcp-range=10.98.0.100,10.98.0.110")
                let beside = try await doctor(installation)
                other.kill()
                #expect(beside.status == 0, "\(beside.output)")
                #expect(beside.output.contains("10.98.0.9 gives addresses, and names no boot file"))
            }
        }
    }
}
