import Foundation
import Machines
import PowerControl
import RedfishSimulator
import TestSupport
import Testing

/// The controller against services that others wrote or recorded: each command, and what comes of it. docs/bmc.md has the same table.
@Suite struct RedfishPeerTests {
    static let commands: [(name: String, run: @Sendable (RedfishController, BMCAccess) async throws -> String)] = [
        ("power", { try await $0.power(of: $1).rawValue }),
        ("on", { try await $0.perform(.on, on: $1).rawValue }),
        ("reset", { try await $0.perform(.reset, on: $1).rawValue }),
        ("cycle", { try await $0.perform(.cycle, on: $1).rawValue }),
        ("off", { try await $0.perform(.off, on: $1).rawValue }),
        ("boot from network", { try await $0.bootOnce(from: .network, uefi: true, on: $1).rawValue }),
        ("boot from disk", { try await $0.bootOnce(from: .disk, uefi: true, on: $1).rawValue }),
        ("describe", { try await $0.describe($1).specification }),
        (
            "light",
            {
                try await $0.setIdentifyLight(.on, on: $1); return "lit"
            }
        ),
        ("sensors", { "\(try await $0.sensors(of: $1).count > 0)" }),
        ("log", { "\(try await $0.eventLog(of: $1).count > 0)" }),
        (
            "clear log",
            {
                try await $0.clearEventLog(of: $1); return "cleared"
            }
        ),
        ("firmware", { "\(try await $0.firmware(of: $1).count > 0)" }),
        ("secure boot", { "\(try await $0.secureBoot(of: $1).isEnabled ?? false)" }),
        ("BIOS attributes", { "\(try await $0.biosAttributes(of: $1).count > 0)" }),
        (
            "password",
            {
                try await $0.changePassword(to: "another-Secret-7", on: $1); return "changed"
            }
        ),
    ]

    /// What comes of each command: its answer, or the reason of its error.
    static func outcomes(_ controller: RedfishController, _ access: BMCAccess) async -> [String: String] {
        var outcomes: [String: String] = [:]
        for command in commands {
            do {
                outcomes[command.name] = try await command.run(controller, access)
            } catch {
                outcomes[command.name] = (error as? BMCError)?.reason.rawValue ?? "\(error)"
            }
        }
        return outcomes
    }

    static func check(_ found: [String: String], _ expected: [String: String]) {
        for (name, outcome) in expected { #expect(found[name] == outcome, "\(name)") }
        #expect(found.count == expected.count)
    }

    @Test("our own simulator")
    func own() async throws {
        var service = SimulatedRedfish()
        service.log("line", created: "2024-01-01T00:00:00Z")
        try await RedfishSimulatorServer.with(service) { server async throws in
            let found = await Self.outcomes(Trial.controller(), Trial.access(server))
            Self.check(
                found,
                [
                    "power": "off", "on": "on", "reset": "on", "cycle": "on", "off": "off",
                    "boot from network": "confirmed",
                    "boot from disk": "confirmed", "describe": "Redfish 1.17.0", "light": "lit", "sensors": "true",
                    "log": "true", "clear log": "cleared", "firmware": "true", "secure boot": "true",
                    "BIOS attributes": "true", "password": "changed",
                ])
        }
    }

    /// They take every write and change nothing, and none is believed. Read, they are whole.
    @Test(
        "recorded trees", .enabled(if: RecordedTrees.folder != nil, Comment(rawValue: RecordedTrees.notice)),
        arguments: [
            (
                "dell-poweredge-r750",
                [
                    "describe": "Redfish 1.13.1", "boot from network": "notDone", "light": "notDone",
                    "secure boot": "false",
                    "clear log": "notDone",
                ]
            ),
            (
                "dmtf-public-rackmount1",
                // It is set to PXE already.
                [
                    "describe": "Redfish 1.15.0", "boot from network": "confirmed", "light": "notDone",
                    "secure boot": "false",
                    "clear log": "notDone",
                ]
            ),
        ])
    func recorded(name: String, particular: [String: String]) async throws {
        try await RecordedTrees.with(name) { directory in
            var service = try SimulatedRedfish(recorded: directory)
            if name.hasPrefix("dell") { service.username = "root" } else { service.username = "Administrator" }
            try await RedfishSimulatorServer.with(service) { server async throws in
                var access = Trial.access(server, settle: .milliseconds(300))
                access.username = server.service.username
                let found = await Self.outcomes(Trial.controller(), access)
                let common = [
                    "power": "on", "on": "on", "reset": "on", "cycle": "on", "off": "notDone",
                    "boot from disk": "notDone",
                    "sensors": "true", "log": "true", "firmware": "true", "BIOS attributes": "true",
                    "password": "notDone",
                ]
                Self.check(found, common.merging(particular) { $1 })
                #expect(server.service.sessions.isEmpty)
            }
        }
    }

    @Test(
        "a PowerEdge R750, as an operator reads it",
        .enabled(if: RecordedTrees.folder != nil, Comment(rawValue: RecordedTrees.notice)))
    func r750() async throws {
        try await RecordedTrees.with("dell-poweredge-r750") { directory in
            var service = try SimulatedRedfish(recorded: directory)
            for expands in [false, true] {
                if expands { service.quirks = [.expands] }
                try await RedfishSimulatorServer.with(service) { server async throws in
                    let (controller, access) = (Trial.controller(), Trial.access(server))
                    let description = try await controller.describe(access)
                    #expect(description.system == "Dell PowerEdge R750" && description.serial == "F54P1G3")
                    #expect(description.firmware == "6.00.30.00" && description.power == .on)
                    let sensors = try await controller.sensors(of: access)
                    #expect(sensors.first { $0.name == "CPU1 Temp" }?.value == 37)
                    #expect(sensors.first { $0.name == "System Board Fan1A" }?.unit == "RPM")
                    #expect(Set(sensors.map(\.name)).count == sensors.count)
                    #expect(sensors.first { $0.name == "PSU.Slot.2_InputPower" }?.value == 308)
                    let firmware = try await controller.firmware(of: access)
                    #expect(firmware.first { $0.name == "BIOS" }?.version == "1.8.2")
                    #expect(Set(firmware.map(\.name)).count == firmware.count)
                    let log = try await controller.eventLog(of: access)
                    #expect(log.first?.id == "1024" && log.count == 5)
                    if ProcessInfo.processInfo.environment["SLIPWAY_SHOW"] != nil, expands {
                        print(description)
                        for sensor in sensors {
                            print(
                                sensor.name, sensor.kind, sensor.value ?? .nan, sensor.unit, sensor.health,
                                sensor.states)
                        }
                        for part in firmware { print(part.name, part.version, part.isUpdateable ?? false) }
                        for line in log {
                            print(line.time ?? .distantPast, line.severity, line.source ?? "", line.message)
                        }
                    }
                    if expands { #expect(server.service.requests.count < 60) }
                }
            }
        }
    }

    @Test("sushy-tools' emulator with its fake driver, over TLS")
    func sushyTools() async throws {
        try await withTemporaryDirectory { directory in
            let made = try await ChildProcess.run(
                "openssl",
                [
                    "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=emulator", "-addext",
                    "subjectAltName=IP:127.0.0.1", "-keyout", directory + "/key.pem", "-out", directory + "/cert.pem",
                ])
            #expect(made.status == 0, "\(made.output)")
            let hash = try await ChildProcess.run(
                PythonPeer.path("python"),
                [
                    "-c",
                    "import bcrypt; print('operator:' + bcrypt.hashpw(b'file-password', bcrypt.gensalt(4)).decode())",
                ])
            try hash.output.write(toFile: directory + "/users", atomically: true, encoding: .utf8)
            let configuration = """
                SUSHY_EMULATOR_FAKE_DRIVER = True
                SUSHY_EMULATOR_AUTH_FILE = '\(directory)/users'
                SUSHY_EMULATOR_STATE_DIR = '\(directory)'

                """
            try configuration.write(toFile: directory + "/emulator.conf", atomically: true, encoding: .utf8)
            try "an image".write(toFile: directory + "/x.iso", atomically: true, encoding: .utf8)
            let port = FreePort.tcp()
            var environment = PythonPeer.environment
            environment["TMPDIR"] = directory
            let emulator = try ChildProcess(
                PythonPeer.path("sushy-emulator"),
                [
                    "--config", directory + "/emulator.conf", "-i", "127.0.0.1", "-p", "\(port)", "--ssl-certificate",
                    directory + "/cert.pem", "--ssl-key", directory + "/key.pem",
                ], environment: environment)
            defer { emulator.kill() }
            let images = try ChildProcess(
                "python3", ["-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", directory],
                environment: PythonPeer.environment)
            defer { images.kill() }
            let controller = try RedfishController(
                authorities: String(contentsOfFile: directory + "/cert.pem", encoding: .utf8), limits: Trial.limits,
                logger: Trial.logger)
            let access = BMCAccess(
                kind: .redfish, address: "127.0.0.1", port: port, username: "operator", password: "file-password",
                trust: .authorities, settle: .seconds(60))
            let answers = await eventually {
                await controller.probe(address: "127.0.0.1", port: port, credentials: nil).outcome == .answers
            }
            #expect(answers, "\(emulator.output)")
            var stranger = access
            stranger.password = "guessed-wrong"
            let refusal = await Trial.failure { [stranger] in try await controller.power(of: stranger) }
            #expect(refusal?.reason == .credentials, "\(refusal.map { "\($0)" } ?? "")")
            Self.check(
                await Self.outcomes(controller, access),
                [
                    "power": "off", "on": "on", "reset": "on", "cycle": "on", "off": "off",
                    // Always Continuous.
                    "boot from network": "unverifiable", "boot from disk": "unverifiable", "describe": "Redfish 1.5.0",
                    "light": "lit", "sensors": "true", "log": "unsupported", "clear log": "unsupported",
                    "firmware": "unsupported", "secure boot": "false", "BIOS attributes": "unsupported",
                    "password": "unsupported",
                ])
            #expect(await images.says("Serving HTTP"))
            let words = images.output.split(separator: " ")
            let imagePort = try #require(words.firstIndex(of: "port").map { words[$0 + 1] })
            try await controller.setVirtualMedia("http://127.0.0.1:\(imagePort)/x.iso", on: access)
            try await controller.setVirtualMedia(nil, on: access)
            // An image that is not there.
            let missing = await Trial.failure {
                try await controller.setVirtualMedia("http://127.0.0.1:\(imagePort)/none.iso", on: access)
            }
            #expect(missing?.reason == .refused, "\(missing.map { "\($0)" } ?? "")")
        }
    }
}
