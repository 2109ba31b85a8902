import BMCSimulator
import Foundation
import RedfishSimulator
import TestSupport
import Testing

/// BMCs by the real programs: what operators type, and what the daemon makes of it.
@Suite(.timeLimit(.minutes(4))) struct BMCTests {
    private static let password = "not-a-default"

    /// A machine that somebody accepted, and a file with the BMC's password.
    private func with(
        _ body: (Installation, TrialServer, _ passwordFile: String) async throws -> Void
    ) async throws {
        try await Installation.with { installation in
            let file = installation.directory + "/bmc-password"
            try Self.password.write(toFile: file, atomically: true, encoding: .utf8)
            let machine = try TrialServer(installation, mac: "52:54:00:00:02:01", serial: "B-1")
            let agent = try await machine.bootAgent()
            defer { agent.kill() }
            try #require(await agent.says("hardware reported"), "\(agent.output)")
            try await installation.slipway("machine", "accept", "B-1", "--name", "node-1")
            try await body(installation, machine, file)
            // The one place for a password is the secret store, where it is sealed.
            #expect(!installation.log.contains(Self.password))
            for name in ["slipway.sqlite", "slipway.sqlite-wal"] {
                let bytes =
                    (try? Data(contentsOf: URL(fileURLWithPath: installation.directory + "/state/" + name))) ?? Data()
                #expect(bytes.range(of: Data(Self.password.utf8)) == nil, "\(name)")
            }
        }
    }

    private func power(_ action: String, _ installation: Installation) async throws -> String {
        try await installation.slipway("machine", "power", action, "node-1").trimmingCharacters(in: .newlines)
    }

    @Test("IPMI: found out, controlled, listened to, and its console recorded for each boot")
    func ipmi() async throws {
        var bmc = SimulatedBMC(username: "operator", password: Self.password)
        bmc.eventLog.addEvent(time: 1_700_000_000, sensorType: 1, sensor: 1, eventType: 1, data: [0x57, 0x5a, 0x5f])
        try await SimulatedBMCServer.with(bmc) { server in
            try await with { installation, machine, file in
                let login = ["--user", "operator", "--password-file", file, "--port", "\(server.port)"]
                let probe = try await installation.slipway(arguments: ["bmc", "probe", "127.0.0.1"] + login)
                #expect(probe.contains("cipher suites 3, 17") && probe.contains("use ipmi"), "\(probe)")
                try await installation.slipway(
                    arguments: ["machine", "bmc", "set", "node-1", "127.0.0.1"] + login)
                #expect(try await power("status", installation) == "off")
                #expect(try await installation.slipway("machine", "show", "node-1").contains("ipmi"))
                #expect(try await power("on", installation) == "on")
                let sensors = try await installation.slipway("machine", "sensors", "node-1")
                #expect(sensors.contains("°C"), "\(sensors)")
                let log = try await installation.slipway("machine", "sel", "node-1")
                #expect(log.contains("2023-11-14"), "\(log)")
                try await installation.slipway("machine", "sel", "node-1", "--clear")
                #expect(server.bmc.eventLog.entries.count <= 1)
                try await installation.slipway("machine", "identify", "node-1", "on")
                #expect(server.bmc.identify != nil)
                let firmware = try await installation.slipway("machine", "firmware", "node-1")
                #expect(firmware.contains("BMC"), "\(firmware)")
                let lan = try await installation.slipway("machine", "bmc", "lan", "show", "node-1")
                #expect(lan.contains("10.77.0.50") && lan.contains("dhcp"), "\(lan)")
                let fixed = ["machine", "bmc", "lan", "set", "node-1", "--netmask", "255.255.255.0", "--address"]
                let moved = try await installation.cli(fixed + ["10.77.0.51"])
                #expect(moved.status == 1 && moved.output.contains("move"), "\(moved.output)")
                let set = try await installation.slipway(
                    arguments: fixed + ["10.77.0.50", "--gateway", "10.77.0.2"])
                #expect(set.contains("via 10.77.0.1, dhcp") && set.contains("via 10.77.0.2, fixed"), "\(set)")
                // The power command began a boot: its console is being recorded.
                server.change { $0.console.print("\u{1b}[2JUEFI v7\r\nNo bootable device -- insert disk\r\n") }
                let isRecorded = try await eventually {
                    let (_, output) = try await installation.cli(["machine", "console", "node-1", "--last"])
                    return output.contains("No bootable device")
                }
                #expect(isRecorded, "\(installation.log)")
                // The boot that follows has the screen in its trace.
                let again = try await machine.bootAgent()
                defer { again.kill() }
                let isTraced = try await eventually {
                    try await installation.slipway("machine", "boot-trace", "node-1", "--format", "json")
                        .contains("No bootable device")
                }
                #expect(isTraced)
                // A password of the site in place of the factory's.
                try await installation.slipway("machine", "bmc", "password", "node-1")
                #expect(server.bmc.users[1] != SimulatedUser("operator", Self.password))
                #expect(try await power("status", installation) == "on")
                let refused = try await installation.cli(
                    ["bmc", "probe", "127.0.0.1", "--kind", "ipmi"] + login)
                #expect(refused.output.contains("password"), "\(refused.output)")
            }
        }
    }

    @Test("the console: what is typed comes to the machine, what it prints comes to the person, and ~. leaves")
    func console() async throws {
        try await SimulatedBMCServer.with(SimulatedBMC(username: "operator", password: Self.password)) { server in
            try await with { installation, _, file in
                try await installation.slipway(
                    "machine", "bmc", "set", "node-1", "127.0.0.1", "--kind", "ipmi", "--port", "\(server.port)",
                    "--user",
                    "operator", "--password-file", file)
                let pipe = installation.directory + "/keys"
                #expect(mkfifo(pipe, 0o600) == 0)
                let token = try String(contentsOfFile: installation.directory + "/state/admin.token", encoding: .utf8)
                let child = try ChildProcess(
                    "sh",
                    ["-c", "exec \"$0\" machine console node-1 < \"$1\"", Installation.programs + "/slipway", pipe],
                    environment: [
                        "SLIPWAY_SERVER": "https://\(installation.address):8443",
                        "SLIPWAY_CA": installation.directory + "/state/ca.pem",
                        "SLIPWAY_TOKEN": token.trimmingCharacters(in: .whitespacesAndNewlines),
                    ])
                defer { child.kill() }
                let keys = try #require(FileHandle(forWritingAtPath: pipe))
                defer { try? keys.close() }
                try #require(await child.says("console open"), "\(child.output)")
                try keys.write(contentsOf: Data("hello\r\n".utf8))
                try #require(
                    await child.says("hello"), "the echo: \(child.output)")
                try keys.write(contentsOf: Data("~.".utf8))
                #expect(await child.ended(within: .seconds(20)) == 0)
                #expect(String(decoding: server.bmc.console.typed, as: UTF8.self).contains("hello"))
            }
        }
    }

    @Test(
        "Redfish: preferred, its certificate kept at first use, shown, and another one not believed until a person says so"
    )
    func redfish() async throws {
        var service = SimulatedRedfish()
        (service.username, service.password) = ("operator", Self.password)
        try await RedfishSimulatorServer.with(service) { server in
            try await with { installation, _, file in
                let login = ["--user", "operator", "--password-file", file, "--port", "\(server.port)"]
                let probe = try await installation.slipway(arguments: ["bmc", "probe", "127.0.0.1"] + login)
                #expect(probe.contains("use redfish") && probe.contains("SHA-256"), "\(probe)")
                try await installation.slipway(
                    arguments: ["machine", "bmc", "set", "node-1", "127.0.0.1"] + login)
                #expect(try await power("on", installation) == "on")
                let events = try await installation.slipway("event", "list", "--machine", "node-1")
                #expect(events.contains("is believed from now on"), "\(events)")
                #expect(server.powerState == "On")
                let shown = try await installation.slipway("machine", "show", "node-1")
                #expect(shown.contains(server.shown.sha256), "\(shown)")
                for command in [["sensors"], ["firmware"], ["bmc", "show"], ["bmc", "bios"]] {
                    let output = try await installation.slipway(arguments: ["machine"] + command + ["node-1"])
                    #expect(output.split(separator: "\n").count > 1, "\(command): \(output)")
                }
                try await installation.slipway("machine", "identify", "node-1", "on")
                try await installation.slipway("machine", "media", "node-1", "http://10.0.0.1/rescue.iso")
                try await installation.slipway("machine", "media", "node-1")
                let other = try SimulatorCertificate.factory()
                server.use(other)
                let (status, output) = try await installation.cli(["machine", "power", "status", "node-1"])
                #expect(status != 0 && output.contains("certificate"), "\(output)")
                let wrong = try await installation.cli(
                    ["machine", "bmc", "trust", "node-1", "--sha256", String(repeating: "0", count: 64)])
                #expect(wrong.status != 0 && wrong.output.contains(other.sha256), "\(wrong.output)")
                try await installation.slipway("machine", "bmc", "trust", "node-1", "--sha256", other.sha256)
                #expect(try await power("status", installation) == "on")
            }
        }
    }
}
