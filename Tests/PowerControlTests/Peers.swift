import BMCSimulator
import Foundation
import Machines
import TestSupport

/// BMCs of other makers, as programs.
enum Peer: String, CaseIterable, Sendable {
    case ipmiSim = "ipmi_sim"
    case pyghmi
    case own = "own simulator"

    /// Runs the peer for the time of `body`; its chassis is off, its user is `operator`.
    func with(_ body: (BMCAccess) async throws -> Void) async throws {
        switch self {
        case .own:
            var bmc = SimulatedBMC(username: "operator", password: "not-a-default")
            bmc.eventLog.addEvent(time: 0x6ad0_5d00, sensorType: 1, sensor: 1, eventType: 1, data: [0x59, 96, 95])
            try await SimulatedBMCServer.with(bmc) { try await body(Self.access($0.port)) }
        case .ipmiSim:
            try await withTemporaryDirectory { directory in
                let port = FreePort.udp()
                try await Self.writeIPMISim(directory, port)
                let simulator = try ChildProcess(
                    "ipmi_sim", ["-n", "-c", directory + "/lan.conf", "-f", directory + "/commands", "-s", directory])
                defer { simulator.kill() }
                try await body(Self.access(port))
            }
        case .pyghmi:
            try await withTemporaryDirectory { directory in
                let port = FreePort.udp()
                try Self.pyghmiServer.write(toFile: directory + "/bmc.py", atomically: true, encoding: .utf8)
                let simulator = try ChildProcess(try PythonPeer.path("python"), [directory + "/bmc.py", "\(port)"])
                defer { simulator.kill() }
                guard await simulator.says("listens") else { throw PeerError(words: simulator.output) }
                try await body(Self.access(port))
            }
        }
    }

    struct PeerError: Error { var words: String }

    private static func access(_ port: Int) -> BMCAccess {
        BMCAccess(
            address: "127.0.0.1", port: port, username: "operator", password: "not-a-default", settle: .seconds(20))
    }

    /// A chassis, and a console that echoes. Cipher suite 3 only, whatever is asked for.
    private static let pyghmiServer = """
        import sys
        import pyghmi.ipmi.bmc as bmc

        class Chassis(bmc.Bmc):
            power = "off"
            device = "default"

            def get_power_state(self):
                return self.power
            def power_off(self):
                self.power = "off"
            def power_on(self):
                self.power = "on"
            def power_cycle(self):
                self.power = "on"
            def power_reset(self):
                self.power = "on"
            def get_boot_device(self):
                return self.device
            def set_boot_device(self, device):
                self.device = device
            def is_active(self):
                return True
            def iohandler(self, data):
                # pyghmi gives bytes, a break, or a word that the console is gone.
                if self.sol and isinstance(data, (bytes, bytearray)):
                    self.sol.send_data(bytes(data))

        chassis = Chassis({"operator": "not-a-default"}, port=int(sys.argv[1]), address="127.0.0.1")
        print("listens", flush=True)
        chassis.listen(timeout=1)
        """

    /// A chassis that is a program's file, a sensor, an event, an inventory and a serial port that nothing is behind.
    private static func writeIPMISim(_ directory: String, _ port: Int) async throws {
        let chassis = """
            # VM get|set power|boot|reset|shutdown [VALUE], as ipmi_lan(5) says.
            state='\(directory)/power'
            [ -e "$state" ] || echo 0 >"$state"
            case "$2 $3" in
            "get power") echo "power:$(cat "$state")" ;;
            "get boot") echo "boot:default" ;;
            "set power") echo "$4" >"$state" ;;
            esac
            """
        let lan = """
            name "test"
            set_working_mc 0x20
            startlan 1
              addr 127.0.0.1 \(port)
              priv_limit admin
              allowed_auths_admin md5
              guid a123456789abcdefa123456789abcdef
              lan_config_program "\(directory)/lancontrol eth0"
            endlan
            sol "tcp:127.0.0.1:\(FreePort.tcp())" 115200
            chassis_control "\(directory)/chassis 0x20"
            user 1 false "" "" user 1 none
            user 2 true "operator" "not-a-default" admin 10 md5

            """
        // A full record of `CPU Temp` (table 43-1); a board area with maker, product, serial and part.
        let record = TestSupport.bytes(
            """
            0000 51 01 33 20 00 01 0301 7f68 01 01 957a 957a 1818 00 01 00 00 0100 0000 00 00 00 000000 7fff 00 5f 5a 00 00 00
            02 02 0000 00 c8 4350552054656d70
            """)
        let inventory = TestSupport.bytes(
            """
            01000001000000fe 010400 80a0c0 c4 41636d65 c2 5831 c4 534e3432 c2 5031 c1 0000000000 00
            """)
        var board = Array(inventory[8...]) + Array(repeating: 0, count: 31)
        board = Array(board.prefix(31))
        board.append(0 &- board.reduce(0, &+))
        func words(_ bytes: [UInt8]) -> String { bytes.map { "0x" + String($0, radix: 16) }.joined(separator: " ") }
        let commands = """
            mc_setbmc 0x20
            mc_add 0x20 0 has-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02
            sel_enable 0x20 1000 0x0a
            sel_add 0x20 0x02 \(words(TestSupport.bytes("005dd06a 2000 04 01 01 01 59 60 5f")))
            main_sdr_add 0x20 \(words(record))
            sensor_add 0x20 0 1 1 1
            sensor_set_value 0x20 0 1 47 0
            sensor_set_threshold 0x20 0 1 settable 011000 0 95 90 0 0 0
            sensor_set_event_support 0x20 0 1 enable scanning per-state 000111111000000 000111111000000 000111111000000 000111111000000
            mc_add_fru_data 0x20 0 40 data \(words(Array(inventory[0..<8]) + board))
            mc_enable 0x20

            """
        try lan.write(toFile: directory + "/lan.conf", atomically: true, encoding: .utf8)
        try commands.write(toFile: directory + "/commands", atomically: true, encoding: .utf8)
        // DEVICE get NAME… | check|set NAME VALUE…, as ipmi_lan(5) says: a file of its own, no link of this host.
        let network = """
            state='\(directory)/network' operation=$2
            shift 2
            if [ ! -e "$state" ]; then
                printf '%s\\n' ip_addr:10.77.0.50 ip_addr_src:dhcp mac_addr:52:54:00:bb:00:01 subnet_mask:255.255.255.0 \\
                    default_gw_ip_addr:10.77.0.1 default_gw_mac_addr:0:0:0:0:0:0 backup_gw_ip_addr:0.0.0.0 \\
                    backup_gw_mac_addr:0:0:0:0:0:0 >"$state"
            fi
            case "$operation" in
            get) for name; do grep "^$name:" "$state"; done ;;
            set)
                while [ $# -gt 1 ]; do
                    grep -v "^$1:" "$state" >"$state.new"
                    echo "$1:$2" >>"$state.new"
                    mv "$state.new" "$state"
                    shift 2
                done
                ;;
            esac
            """
        try await ChildProcess.writeScript(chassis, to: directory + "/chassis")
        try await ChildProcess.writeScript(network, to: directory + "/lancontrol")
    }
}
