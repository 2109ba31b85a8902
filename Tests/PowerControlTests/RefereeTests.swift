import BMCSimulator
import Foundation
import Logging
import Machines
import TestSupport
import Testing

@testable import PowerControl

/// ipmitool looks at the simulator, our controller too, and they see the same.
@Suite struct RefereeTests {
    private static func bmc() -> SimulatedBMC {
        var bmc = SimulatedBMC(username: "operator", password: "not-a-default")
        bmc.isOn = true
        bmc.eventLog.addEvent(time: 0x6ad0_5d00, sensorType: 1, sensor: 1, eventType: 1, data: [0x59, 96, 95])
        bmc.eventLog.addEvent(time: 0x6ad0_5d10, sensorType: 8, sensor: 8, eventType: 0x6f, data: [3, 0xff, 0xff])
        bmc.eventLog.addEvent(time: 0x6ad0_5d20, sensorType: 4, sensor: 3, eventType: 0x81, data: [0x52, 5, 5])
        bmc.eventLog.add([0xc1, 0x30, 0x5d, 0xd0, 0x6a, 0xa2, 2, 0, 1, 2, 3, 4, 5, 6])
        bmc.eventLog.add([0xe0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13])
        return bmc
    }

    private static let controller = IPMIController(logger: Logger(label: "test"))

    private static func access(_ server: SimulatedBMCServer) -> BMCAccess {
        BMCAccess(address: "127.0.0.1", port: server.port, username: "operator", password: "not-a-default")
    }

    private static func ipmitool(_ server: SimulatedBMCServer, _ words: String...) async throws -> String {
        let (status, output) = try await ChildProcess.run(
            "ipmitool",
            [
                "-I", "lanplus", "-H", "127.0.0.1", "-p", "\(server.port)", "-C", "17", "-U", "operator", "-E", "-N",
                "1", "-R", "3",
            ] + words, environment: ["IPMI_PASSWORD": "not-a-default"])
        #expect(status == 0, "\(words): \(output)")
        return output
    }

    @Test("sensors: the same names, numbers and states")
    func sensors() async throws {
        try await SimulatedBMCServer.with(Self.bmc()) { server in
            let readings = try await Self.controller.sensors(of: Self.access(server))
            let table = try await Self.ipmitool(server, "sdr", "elist", "full")
            for reading in readings where reading.unit != "" {
                let row = try #require(
                    table.split(separator: "\n").first { $0.hasPrefix(reading.name + " ") }, "\(table)")
                let cell = row.split(separator: "|").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? ""
                // ipmitool prints two or three places.
                let theirs = Double(cell.split(separator: " ").first ?? "")
                if let value = reading.value, let theirs {
                    #expect(abs(value - theirs) < 0.006 * max(1, abs(value)), "\(reading) is \(row)")
                } else {
                    #expect(reading.value == nil && theirs == nil, "\(reading) is \(row)")
                }
                let state = row.split(separator: "|").dropFirst(2).first.map { $0.trimmingCharacters(in: .whitespaces) }
                #expect((reading.health == .ok) == (state == "ok"), "\(reading) is \(row)")
            }
            let byName = Dictionary(uniqueKeysWithValues: readings.map { ($0.name, $0) })
            #expect(
                byName["CPU Temp"]?.value == 47 && byName["Inlet Temp"]?.value == -10 && byName["12V"]?.value == 12.09)
            #expect(
                byName["FAN1"]?.health == .critical && byName["FAN1"]?.value == 400,
                "\(String(describing: byName["FAN1"]))")
            #expect(byName["NIC Temp"]?.value == nil && byName["NIC Temp"]?.health == .unknown)
            #expect(byName["PSU1 Status"]?.states == ["present", "input lost"])
            let discrete = try await Self.ipmitool(server, "sdr", "elist", "compact")
            #expect(discrete.contains("Presence detected, Power Supply AC lost"), "\(discrete)")
            #expect(discrete.contains("Redundancy Lost") && byName["PSU Redundancy"]?.states == ["redundancy lost"])
            #expect(readings.count == 10)
        }
    }

    @Test("the event log, and clearing it by either")
    func eventLog() async throws {
        try await SimulatedBMCServer.with(Self.bmc()) { server in
            let entries = try await Self.controller.eventLog(of: Self.access(server))
            let list = try await Self.ipmitool(server, "sel", "elist")
            #expect(entries.count == 5 && list.split(separator: "\n").count == 5, "\(list)")
            #expect(entries.map(\.id) == ["5", "4", "3", "2", "1"])
            #expect(list.contains("CPU Temp") && list.contains("Upper Critical going high"), "\(list)")
            #expect(list.contains("Reading 96") && list.contains("Threshold 95"))
            #expect(entries.last?.message == "upper critical going high, reading 96 °C, threshold 95 °C")
            #expect(entries.last?.source == "CPU Temp" && entries.last?.severity == .critical)
            #expect(entries.last?.time == Date(timeIntervalSince1970: 0x6ad0_5d00))
            #expect(list.contains("Power Supply AC lost") && entries[3].message == "input lost")
            #expect(entries[2].severity == .ok && entries[2].message.hasSuffix(": ended"))
            try await Self.controller.clearEventLog(of: Self.access(server))
            let left = try await Self.ipmitool(server, "sel", "elist")
            #expect(left.contains("Log area reset/cleared") && left.split(separator: "\n").count == 1, "\(left)")
            server.change {
                $0.eventLog.addEvent(time: 0x6ad0_5d00, sensorType: 1, sensor: 1, eventType: 1, data: [9, 0, 0])
            }
            _ = try await Self.ipmitool(server, "sel", "clear")
            #expect(try await Self.controller.eventLog(of: Self.access(server)).map(\.message) == ["log cleared"])
        }
    }

    @Test("the inventory, the machine's own id and the firmware")
    func inventory() async throws {
        try await SimulatedBMCServer.with(Self.bmc()) { server in
            let table = try await Self.ipmitool(server, "fru", "print")
            for words in ["BRD 42-7", "100-23.4", "SN0042", "C8150AB12", "Rack Server 1", "ASSET-7"] {
                #expect(table.contains(words), "\(table)")
            }
            let found = try await Self.controller.describe(Self.access(server))
            #expect(found.serial == "SN0042" && found.system == "Contoso Rack Server 1" && found.vendor == "Supermicro")
            #expect(found.specification == "IPMI 2.0" && found.firmware == "2.10" && found.power == .on)
            #expect(found.abilities == ["sensors", "event log", "inventory", "serial console"])
            let firmware = try await Self.controller.firmware(of: Self.access(server))
            #expect(firmware.map(\.version) == ["2.10 (01 02 03 04)", "02"])
            let device = try await Self.ipmitool(server, "mc", "info")
            #expect(device.contains("Firmware Revision         : 2.10") && device.contains("10876"), "\(device)")
        }
    }

    @Test("the identify light")
    func identify() async throws {
        try await SimulatedBMCServer.with(Self.bmc()) { server in
            _ = try await Self.ipmitool(server, "chassis", "identify", "force")
            #expect(server.bmc.identify == .infinity)
            // Its words for the status have no light: the third byte of it (table 28-3) has 40h when it is told, and the state in bits 5:4.
            for (light, byte) in [(IdentifyLight.off, "40"), (.briefly, "50"), (.on, "60"), (.off, "40")] {
                try await Self.controller.setIdentifyLight(light, on: Self.access(server))
                let status = try await Self.ipmitool(server, "raw", "0", "1")
                #expect(status.hasSuffix(byte), "\(light): \(status)")
            }
        }
    }

    @Test("users and LAN parameters")
    func usersAndLAN() async throws {
        try await SimulatedBMCServer.with(Self.bmc()) { server in
            let users = try await Self.ipmitool(server, "user", "list", "1")
            #expect(users.contains("operator") && users.contains("ADMINISTRATOR"), "\(users)")
            let lan = try await Self.ipmitool(server, "lan", "print", "1")
            for words in ["10.77.0.50", "255.255.255.0", "52:54:00:bb:00:01", "DHCP Address"] {
                #expect(lan.contains(words), "\(lan)")
            }
            // Both set a password, and both log in with the other's.
            try await Self.controller.changePassword(to: "our-own-13", on: Self.access(server))
            var changed = Self.access(server)
            changed.password = "our-own-13"
            let probe = try await ChildProcess.run(
                "ipmitool",
                ["-I", "lanplus", "-H", "127.0.0.1", "-p", "\(server.port)", "-C", "17", "-U", "operator", "-E"]
                    + ["user", "set", "password", "2", "theirs-14", "16"], environment: ["IPMI_PASSWORD": "our-own-13"])
            #expect(probe.status == 0, "\(probe.output)")
            changed.password = "theirs-14"
            #expect(try await Self.controller.power(of: changed) == .on)
        }
    }

    @Test("ipmitool's serial console echoes, and ours does when it is done")
    func console() async throws {
        try await withTemporaryDirectory { directory in
            try await SimulatedBMCServer.with(Self.bmc()) { server in
                let information = try await Self.ipmitool(server, "sol", "info", "1")
                #expect(information.contains("Enabled                         : true"), "\(information)")
                #expect(information.contains("Volatile Bit Rate (kbps)        : 115.2"), "\(information)")
                let script = """
                    mkfifo '\(directory)/keys'
                    script -qefc 'ipmitool -I lanplus -H 127.0.0.1 -p \(server.port) -C 17 -U operator -E sol activate' \
                        '\(directory)/screen' <'\(directory)/keys' >/dev/null &
                    exec 3>'\(directory)/keys'
                    wait_for() { n=0; until grep -q "$1" '\(directory)/screen' 2>/dev/null; do sleep 0.1; n=$((n+1)); [ $n -lt 200 ] || exit 3; done; }
                    wait_for 'login:'
                    printf 'typed-by-ipmitool' >&3
                    wait_for 'typed-by-ipmitool'
                    printf '\\r~.' >&3
                    wait
                    """
                try await ChildProcess.writeScript(script, to: directory + "/run")
                let end = try await ChildProcess.run(
                    directory + "/run", [], environment: ["IPMI_PASSWORD": "not-a-default"])
                let screen = (try? String(contentsOfFile: directory + "/screen", encoding: .utf8)) ?? ""
                #expect(end.status == 0 && screen.contains("SOL Session operational"), "\(end) \(screen)")
                #expect(String(decoding: server.bmc.console.typed, as: UTF8.self).hasPrefix("typed-by-ipmitool"))
                let free = await eventually { server.bmc.commands.contains { $0.starts(with: [6, 0x49]) } }
                #expect(free)
            }
        }
    }
}
