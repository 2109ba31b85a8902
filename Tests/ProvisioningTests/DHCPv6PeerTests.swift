import Foundation
import TestSupport
import Testing

/// DHCPv6 against ISC's client and relay, over wires between network namespaces that the test made.
@Suite(.enabled(if: getuid() == 0, "network namespaces need root")) struct DHCPv6PeerTests {
    static let network = """
        dhcpv6:
          - {interface: srv0, mode: address, prefix: "fd98::/64", server: "fd98::1"}
        """

    /// What dhclient was given as firmware for x64 UEFI: its address and the URL.
    private func lease(_ wire: Wire, _ directory: String) async throws -> String {
        let isReady = try await eventually {
            !(try await wire.ip("-n \(wire.client) -6 address show dev cli0 tentative")).contains("fe80")
        }
        try #require(isReady)
        let (script, settings) = (directory + "/dhclient-script", directory + "/dhclient.conf")
        try await ChildProcess.writeScript(
            #"case "$reason" in BOUND6) echo "LEASE $new_ip6_address $new_dhcp6_bootfile_url";; esac"#,
            to: script)
        try "also request dhcp6.bootfile-url; send dhcp6.client-arch-type 7;\n"
            .write(toFile: settings, atomically: true, encoding: .utf8)
        let client = try ChildProcess(
            "ip",
            [
                "netns", "exec", wire.client, "dhclient", "-6", "-d", "-sf", script, "-cf", settings, "-lf",
                directory + "/leases6-\(UUID().uuidString)", "-pf", directory + "/dhclient.pid", "cli0",
            ])
        defer { client.kill() }
        _ = await client.says("LEASE ")
        return client.lines.first { $0.hasPrefix("LEASE ") }.map { String($0.dropFirst(6)) } ?? client.output
    }

    /// With the link down: its own address is made of the MAC when it comes up.
    private static func setMAC(_ mac: String, _ wire: Wire) async throws {
        for words in ["down", "address \(mac)", "up"] {
            try await wire.ip("-n \(wire.client) link set cli0 \(words)")
        }
    }

    @Test("one address for a machine, whatever its client's memory, over kill -9; and a URL")
    func lease() async throws {
        try await Wire.with { wire in
            try await Self.setMAC("02:00:00:00:00:77", wire)
            try await wire.ip("-n \(wire.server) -6 address add fd98::1/64 dev srv0 nodad")
            try await Installation.with(namespace: wire.server, address: "10.98.0.1", configuration: Self.network) {
                installation in
                let expected = "fd98::5c10:200:0:77 tftp://[fd98::1]:6969/snponly.efi"
                let first = try await lease(wire, installation.directory)
                #expect(first == expected)
                installation.kill()
                try await installation.start()
                let second = try await lease(wire, installation.directory)
                #expect(second == expected)
            }
        }
    }

    @Test("through a relay, whose link says which network")
    func relay() async throws {
        let networks = """
            dhcpv6:
              - {interface: srv0, mode: stateless, prefix: "fd98::/64", server: "fd98::1"}
              - {mode: address, prefix: "fd99::/64", server: "fd98::1"}
            """
        try await Wire.with { wire in
            let router = try await wire.addRouter()
            for (namespace, address) in [
                (wire.server, "fd98::1/64 dev srv0"), (router, "fd98::2/64 dev rel0"), (router, "fd99::fe/64 dev rel1"),
            ] { try await wire.ip("-n \(namespace) -6 address add \(address) nodad") }
            try await Self.setMAC("02:00:00:00:00:78", wire)
            try await Installation.with(namespace: wire.server, address: "10.98.0.1", configuration: networks) {
                installation in
                let isReady = try await eventually {
                    !(try await wire.ip("-n \(router) -6 address show tentative")).contains("fe80")
                }
                try #require(isReady)
                let relay = try ChildProcess(
                    "ip",
                    ["netns", "exec", router, "dhcrelay", "-6", "-d", "--no-pid", "-l", "rel1", "-u", "fd98::1%rel0"])
                defer { relay.kill() }
                try #require(await relay.says("Sending on   Socket/rel1"), "\(relay.output)")
                let given = try await lease(wire, installation.directory)
                #expect(
                    given == "fd99::5c10:200:0:78 tftp://[fd98::1]:6969/snponly.efi",
                    "\(relay.output)\n\(installation.log)")
            }
        }
    }
}
