import Foundation
import TestSupport
import Testing

/// Boot traces as a person asks for them, of real clients.
@Suite(.enabled(if: getuid() == 0, "network namespaces need root")) struct BootTraceTests {
    @Test("a client without a program, and one that asks for a file that is not there, are told why")
    func stops() async throws {
        try await Wire.with { wire in
            try await Installation.with(
                namespace: wire.server, address: "10.98.0.1", configuration: DHCPPeerTests.pool + "\nsyslog_port: 514\n"
            ) { installation in
                func udhcpc(_ mac: String, _ architecture: String) async throws {
                    try await wire.ip("-n \(wire.client) link set cli0 address \(mac)")
                    let answer = try await ChildProcess.run(
                        "ip",
                        [
                            "netns", "exec", wire.client, "busybox", "udhcpc", "-i", "cli0", "-n", "-q", "-f", "-T",
                            "1",
                            "-t", "5", "-s", "/bin/true", "-V", "PXEClient:Arch:0000\(architecture):UNDI:003016", "-x",
                            "0x5d:000\(architecture)",
                        ])
                    #expect(answer.status == 0, "\(answer.output)")
                }
                try await udhcpc("02:00:00:00:00:61", "6")
                try await udhcpc("02:00:00:00:00:62", "7")
                try await wire.ip("-n \(wire.client) address add 10.98.0.51/24 dev cli0")
                let fetched = try await ChildProcess.run(
                    "ip",
                    [
                        "netns", "exec", wire.client, "curl", "--silent", "--show-error", "--max-time", "5",
                        "http://10.98.0.1:8080/boot/files/pxelinux.0", "--output", "/dev/null", "--write-out",
                        "%{http_code}",
                    ])
                #expect(fetched.output == "404")
                let told = try await eventually {
                    let list = try await installation.slipway("boot", "list")
                    return list.contains("02:00:00:00:00:61") && list.contains("for architecture 6: there is none")
                        && list.contains("/boot/files/pxelinux.0 by HTTP: there is no such file")
                }
                let list = try await installation.slipway("boot", "list")
                #expect(told, "\(list)")
                let trace = try await installation.slipway("machine", "boot-trace", "02:00:00:00:00:62")
                for words in [
                    "DISCOVER from firmware, architecture 7", "ACK 10.98.0.51, boot file snponly.efi", "try  put it",
                ] {
                    #expect(trace.contains(words), "\(trace)")
                }
                // What the machine says on its console stands in its trace; logger is util-linux'.
                let logged = try await ChildProcess.run(
                    "ip",
                    [
                        "netns", "exec", wire.client, "logger", "--server", "10.98.0.1", "--port", "514", "--udp", "-p",
                        "kern.err", "--tag", "kernel", "eth0: \u{1b}[31mno carrier",
                    ])
                #expect(logged.status == 0, "\(logged.output)")
                let heard = try await eventually {
                    try await installation.slipway("machine", "boot-trace", "02:00:00:00:00:62").contains(
                        "eth0: ?[31mno carrier")
                }
                let told62 = try await installation.slipway("machine", "boot-trace", "02:00:00:00:00:62")
                #expect(heard, "\(told62)")
                let nobody = try await installation.cli(["machine", "boot-trace", "02:00:00:00:00:63"])
                #expect(nobody.status == 2 && nobody.output.contains("has not tried to boot"), "\(nobody.output)")
            }
        }
    }

    @Test("a machine's attempts are kept over kill -9")
    func kept() async throws {
        try await Installation.with { installation in
            let server = try TrialServer(installation)
            let agent = try await server.bootAgent()
            defer { agent.kill() }
            try #require(await agent.says("hardware reported"), "\(agent.output)")
            func trace() async throws -> String {
                try await installation.slipway("machine", "boot-trace", server.mac)
            }
            #expect(try await eventually { try await trace().contains("the agent opened its session") })
            // Told from memory; what a kill leaves is what is in the store.
            let query = """
                import sqlite3
                store = sqlite3.connect("file:\(installation.directory)/state/slipway.sqlite?mode=ro", uri=True)
                print(store.execute("SELECT value FROM record WHERE kind = 'boot'").fetchall())
                """
            let isWritten = try await eventually {
                try await ChildProcess.run("python3", ["-c", query]).output.contains("session")
            }
            #expect(isWritten)
            installation.kill()
            try await installation.start()
            #expect(try await eventually { try await trace().contains("the agent opened its session") })
        }
    }
}
