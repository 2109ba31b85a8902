import Foundation
import TestSupport
import Testing

/// Where a machine is plugged in, by the word of ISC's relay.
@Suite(.enabled(if: getuid() == 0, "network namespaces need root")) struct RelayLocationTests {
    @Test("what the relay said before the machine was one is shown with it, and so is what people say")
    func shown() async throws {
        try await Wire.with { wire in
            let router = try await wire.addRouter()
            let mac = "02:00:00:00:00:82"
            try await wire.ip("-n \(wire.client) link set cli0 address \(mac)")
            try await wire.ip("netns exec \(router) sysctl -q -w net.ipv4.ip_forward=1")
            let subnets = """
                dhcp:
                  - {interface: srv0, mode: off}
                  - {subnet: 10.99.0.0/24, mode: pool, pools: [10.99.0.50-10.99.0.60], router: 10.99.0.254}
                """
            try await Installation.with(namespace: wire.server, address: "10.98.0.1", configuration: subnets) {
                installation in
                let relay = try ChildProcess(
                    "ip",
                    ["netns", "exec", router, "dhcrelay", "-4", "-d", "--no-pid", "-a", "-id", "rel1", "-U", "rel0"]
                        + ["10.98.0.1"])
                defer { relay.kill() }
                try #require(await relay.says("Sending on   Socket/fallback"), "\(relay.output)")
                let asked = try await ChildProcess.run(
                    "ip",
                    [
                        "netns", "exec", wire.client, "busybox", "udhcpc", "-i", "cli0", "-n", "-q", "-f", "-T", "1",
                        "-t", "9", "-s", "/bin/true", "-V", "PXEClient:Arch:00007:UNDI:003016", "-x", "0x5d:0007",
                    ])
                try #require(asked.status == 0, "\(asked.output)")
                try await wire.ip("-n \(wire.client) address add 10.99.0.50/24 dev cli0")
                try await wire.ip("-n \(wire.client) route add default via 10.99.0.254")
                var server = try TrialServer(installation, mac: mac, serial: "R-82")
                server.namespace = wire.client
                let agent = try await server.bootAgent()
                defer { agent.kill() }
                try #require(await agent.says("hardware reported"), "\(agent.output)")
                let told = try await eventually {
                    try await installation.slipway("machine", "show", "R-82").contains("relay      rel1 (\(mac), for ")
                }
                let shown = try await installation.slipway("machine", "show", "R-82")
                #expect(told, "\(shown)")
                #expect(try await installation.slipway("machine", "list").contains("  rel1  "))
                let set = try await installation.slipway(
                    "machine", "set", "R-82", "--location", "-/3/r12/U4-U5", "--label", "role=db", "--label", "a=b")
                #expect(set.contains("location -/3/r12/U4-U5, labels a=b role=db"), "\(set)")
                let after = try await installation.slipway("machine", "set", "R-82", "--label", "a-")
                #expect(after.contains("labels role=db"), "\(after)")
                #expect(try await installation.slipway("machine", "list").contains("  r12/U4-U5  "))
                let bad = try await installation.cli(["machine", "set", "R-82", "--label", "a b=c"])
                #expect(bad.status == 1 && bad.output.contains("is not a label's key"), "\(bad.output)")
            }
        }
    }
}
