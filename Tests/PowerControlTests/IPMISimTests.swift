import Foundation
import Logging
import Machines
import PowerControl
import TestSupport
import Testing

/// OpenIPMI's ipmi_sim, which knows cipher suite 3 only: the client falls back to it.
@Suite struct IPMISimTests {
    @Test("power on, off, cycle and reset of a chassis that is a program's file")
    func power() async throws {
        try await withTemporaryDirectory { directory in
            let port = FreePort.udp()
            let chassis = """
                # VM get|set power|boot|reset|shutdown [VALUE], as ipmi_lan(5) says.
                state='\(directory)/power'
                [ -e "$state" ] || echo 0 >"$state"
                case "$2 $3" in
                "get power") echo "power:$(cat "$state")" ;;
                "get boot") echo "boot:default" ;;
                "set power") echo "$4" >"$state"; echo "power $4" >>'\(directory)/log' ;;
                "set reset") echo "reset" >>'\(directory)/log' ;;
                esac
                """
            let files = [
                "lan.conf": """
                name "test"
                set_working_mc 0x20
                startlan 1
                  addr 127.0.0.1 \(port)
                  priv_limit admin
                  allowed_auths_admin md5
                  guid a123456789abcdefa123456789abcdef
                endlan
                chassis_control "\(directory)/chassis 0x20"
                user 1 false "" "" user 1 none
                user 2 true "admin" "file-password" admin 10 md5

                """,
                "commands": """
                mc_setbmc 0x20
                mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02
                sel_enable 0x20 1000 0x0a
                mc_enable 0x20

                """,
            ]
            for (name, text) in files {
                try text.write(toFile: directory + "/" + name, atomically: true, encoding: .utf8)
            }
            try await ChildProcess.writeScript(chassis, to: directory + "/chassis")
            let simulator = try ChildProcess(
                "ipmi_sim", ["-n", "-c", directory + "/lan.conf", "-f", directory + "/commands", "-s", directory])
            defer { simulator.kill() }
            let access = BMCAccess(
                address: "127.0.0.1", port: port, username: "admin", password: "file-password", settle: .seconds(20))
            let controller = IPMIController(logger: Logger(label: "test"))
            let answers = await eventually { (try? await controller.power(of: access)) == .off }
            #expect(answers, "\(simulator.output)")
            #expect(try await controller.perform(.on, on: access) == .on)
            #expect(try await controller.perform(.off, on: access) == .off)
            #expect(try await controller.perform(.cycle, on: access) == .on)
            #expect(try await controller.perform(.reset, on: access) == .on)
            let log = try String(contentsOfFile: directory + "/log", encoding: .utf8)
            // A request whose answer is late is sent again, and done again.
            let done = log.split(separator: "\n").reduce(into: [Substring]()) { if $0.last != $1 { $0.append($1) } }
            #expect(done == ["power 1", "power 0", "power 1", "reset"], "\(log)")
            // It always reads back flags that are not valid: that is no lie, and no confirmation either.
            #expect(try await controller.bootOnce(from: .network, uefi: true, on: access) == .unverifiable)
        }
    }
}
