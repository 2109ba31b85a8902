import BMCSimulator
import Logging
import Machines
import PowerControl
import TestSupport
import Testing

/// The simulator against ipmitool, which referees it, and our client against the simulator.
@Suite struct SimulatorTests {
    static let bmc = SimulatedBMC(username: "operator", password: "not-a-default")

    private static let controller = IPMIController(logger: Logger(label: "test"))

    private static func access(
        _ server: SimulatedBMCServer, password: String = "not-a-default", settle: Duration = .seconds(5)
    ) -> BMCAccess {
        BMCAccess(
            kind: .ipmi, address: "127.0.0.1", port: server.port, username: "operator", password: password,
            settle: settle)
    }

    private static func ipmitool(_ server: SimulatedBMCServer, suite: Int, _ words: String...) async throws
        -> (status: Int32?, output: String)
    {
        try await ChildProcess.run(
            "ipmitool",
            [
                "-I", "lanplus", "-H", "127.0.0.1", "-p", "\(server.port)", "-C", "\(suite)", "-U", "operator", "-E",
                "-N", "1", "-R", "2",
            ] + words, environment: ["IPMI_PASSWORD": "not-a-default"])
    }

    /// What the BMC was told. On a slow machine a request is sent again before its answer comes; cycle and reset never are.
    private static func told(_ server: SimulatedBMCServer) -> [String] {
        server.bmc.log.reduce(into: []) { log, entry in
            if log.last != entry || ["control 2", "control 3"].contains(entry) { log.append(entry) }
        }
    }

    @Test("ipmitool agrees with the simulator", arguments: [3, 17])
    func referee(suite: Int) async throws {
        try await SimulatedBMCServer.with(Self.bmc) { server in
            #expect(try await Self.ipmitool(server, suite: suite, "power", "status").output == "Chassis Power is off")
            #expect(try await Self.ipmitool(server, suite: suite, "power", "on").status == 0)
            #expect(server.bmc.isOn)
            #expect(try await Self.ipmitool(server, suite: suite, "power", "status").output == "Chassis Power is on")
            let set = try await Self.ipmitool(server, suite: suite, "chassis", "bootdev", "pxe", "options=efiboot")
            #expect(set.status == 0, "\(set.output)")
            let flags = try await Self.ipmitool(server, suite: suite, "chassis", "bootparam", "get", "5").output
            #expect(flags.contains("Boot Flag Valid") && flags.contains("Force PXE"), "\(flags)")
        }
    }

    @Test("what our client sets, ipmitool reads", arguments: [3, 17] as [UInt8])
    func readBack(suite: UInt8) async throws {
        var bmc = Self.bmc
        bmc.suites = [suite]
        try await SimulatedBMCServer.with(bmc) { server in
            let (controller, access) = (Self.controller, Self.access(server))
            #expect(try await controller.power(of: access) == .off)
            #expect(try await controller.perform(.on, on: access) == .on)
            #expect(try await controller.bootOnce(from: .network, uefi: true, on: access) == .confirmed)
            // Parameter 3 = 08h comes first, or the BMC forgets the flags after 60 seconds.
            #expect(
                Self.told(server) == [
                    "control 1", "boot option 0: 01", "boot option 3: 08", "boot option 4: 01 01",
                    "boot option 5: a0 04 00 00 00", "boot option 0: 00",
                ])
            let flags = try await Self.ipmitool(server, suite: Int(suite), "chassis", "bootparam", "get", "5").output
            for words in ["Boot Flag Valid", "only next boot", "EFI boot", "Force PXE"] {
                #expect(flags.contains(words), "\(flags)")
            }
            #expect(try await controller.perform(.off, on: access) == .off)
            #expect(
                try await Self.ipmitool(server, suite: Int(suite), "power", "status").output == "Chassis Power is off")
        }
    }

    @Test("a cycle of a chassis that is off turns it on; reset and cycle of one that is on end on")
    func cycles() async throws {
        try await SimulatedBMCServer.with(Self.bmc) { server in
            let (controller, access) = (Self.controller, Self.access(server))
            for action in [PowerAction.cycle, .cycle, .reset] {
                let state = try await controller.perform(action, on: access)
                #expect(state == .on)
            }
            #expect(Self.told(server) == ["control 1", "control 2", "control 3"])
        }
    }

    @Test("a BMC that accepts and does nothing is not believed")
    func liar() async throws {
        var bmc = Self.bmc
        bmc.quirks.ignoresControl = true
        try await SimulatedBMCServer.with(bmc) { server in
            let error = await #expect(throws: BMCError.self) {
                try await Self.controller.perform(.on, on: Self.access(server, settle: .seconds(1)))
            }
            #expect("\(error.map { "\($0)" } ?? "")".contains("still reports off"))
        }
    }

    @Test("a wrong password is told as such, and is not in the words")
    func password() async throws {
        try await SimulatedBMCServer.with(Self.bmc) { server in
            let error = await #expect(throws: BMCError.self) {
                try await Self.controller.power(of: Self.access(server, password: "guessed-wrong"))
            }
            let words = "\(error.map { "\($0)" } ?? "")"
            #expect(words.contains("password") && words.contains("127.0.0.1"), "\(words)")
            #expect(!words.contains("guessed-wrong"))
        }
    }

    @Test("noise on the port is passed over")
    func noise() {
        var bmc = Self.bmc
        var generator = SeededGenerator(seed: 7)
        for length in 0..<200 {
            _ = bmc.receive(generator.bytes(length))
            _ = bmc.receive([6, 0, 0xff, 7, 6, 0x10] + generator.bytes(length))
            _ = bmc.receive([6, 0, 0xff, 7, 0] + generator.bytes(length))
        }
    }
}
