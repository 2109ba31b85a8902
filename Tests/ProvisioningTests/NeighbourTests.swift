import Foundation
import TestSupport
import Testing

/// The agent hears what a switch says of itself; lldpd is the switch.
@Suite(.enabled(if: getuid() == 0, "network namespaces need root")) struct NeighbourTests {
    @Test("name, port and VLAN of the switch; a link that was down is set up")
    func switchPort() async throws {
        try await Wire.with { wire in
            try await withTemporaryDirectory { directory in
                try await wire.ip("-n \(wire.client) link set cli0 down")
                try FileManager.default.createDirectory(atPath: "/run/lldpd", withIntermediateDirectories: true)
                let inside = ["netns", "exec", wire.server]
                let control = directory + "/socket"
                let neighbour = try ChildProcess(
                    "ip", inside + ["lldpd", "-d", "-p", directory + "/pid", "-u", control, "-I", "srv0"])
                defer { neighbour.kill() }
                let isUp = try await eventually {
                    try await ChildProcess.run("ip", inside + ["lldpcli", "-u", control, "show", "chassis"]).status == 0
                }
                try #require(isUp, "\(neighbour.output)")
                for words in [
                    "lldp tx-interval 1", "system hostname leaf-7", "ports srv0 lldp portidsubtype local Ethernet1/7",
                    "lldp custom-tlv add oui 00,80,c2 subtype 1 oui-info 00,2a",
                ] {
                    let arguments =
                        ["lldpcli", "-u", control, "configure"] + words.split(separator: " ").map(String.init)
                    let answer = try await ChildProcess.run("ip", inside + arguments)
                    try #require(answer.status == 0, "\(words): \(answer.output)")
                }
                let agent = try ChildProcess(
                    "ip", ["netns", "exec", wire.client, Installation.programs + "/slipway-agent", "--neighbours"])
                defer { agent.kill() }
                #expect(
                    await agent.says("cli0 is at leaf-7, port Ethernet1/7, VLAN 42"),
                    "\(agent.output)\n\(neighbour.output)")
            }
        }
    }
}
