import Foundation
import Machines
import NetworkAddresses
import Testing

@testable import ProfileFiles

@Suite struct RackManifestTests {
    struct Absent: Error {}

    private static func read(_ text: String, _ file: String) throws -> RackManifest {
        try RackManifest.read(text, file: file) { path in
            guard path == "secret/pw" else { throw Absent() }
            return "from-a-file\n"
        }
    }

    /// Every fault, in the order in which a person reads the file.
    private static func faults(_ text: String, _ file: String) -> [String] {
        do {
            _ = try read(text, file)
            return []
        } catch let error as ProfileFileErrors {
            return error.errors.map(\.description)
        } catch {
            return ["\(error)"]
        }
    }

    @Test(
        "fields of RFC 4180: quotes, doubled quotes, commas and ends of lines inside, CRLF, a byte order mark, no last end"
    )
    func fields() throws {
        let text = "\u{feff}a,\"b \"\"c\"\", d\"\r\n\r\n\"x\r\ny\",\r\nlast,é"
        let rows = try CSVReader.rows(of: text, file: "f.csv")
        #expect(rows.map { $0.map(\.text) } == [["a", "b \"c\", d"], ["x\r\ny", ""], ["last", "é"]])
        #expect(rows[0][1].place == FilePlace(line: 1, column: 3))
        #expect(rows[1][1].place == FilePlace(line: 4, column: 4))
        #expect(rows[2][0].place == FilePlace(line: 5, column: 1))
    }

    @Test("no bytes crash the reader", arguments: 0..<200)
    func anything(seed: UInt64) {
        var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
        let alphabet = Array("name,serial,mac\n\"\r\n;,U1-é\u{0}")
        let text = String(
            (0..<80).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return alphabet[Int(state >> 33) % alphabet.count]
            })
        for file in ["x.csv", "x.yaml"] { _ = Self.faults("name,serial\n" + text, file) }
    }

    private static let places = "name,serial,mac,bmc_address,bmc_user,bmc_password,bmc_password_file"

    @Test(
        "faults of CSV with their places",
        arguments: [
            ("", ["r.csv: the file is empty"]), ("name,serial\n", ["r.csv: no machine is announced here"]),
            (
                "name;serial\nn;s\n",
                ["r.csv:1:1: the columns are separated by ';': save the file as comma-separated values"]
            ),
            ("name,serail\nn,s\n", ["r.csv:1:6: unknown column \"serail\"; did you mean serial?"]),
            ("name,name,serial\n", ["r.csv:1:6: the column name is here twice"]),
            ("serial\ns\n", ["r.csv:1:1: the column name is missing: each machine has one"]),
            ("name,serial\nn\n", ["r.csv:2:1: 1 fields, and the first row has 2"]),
            (
                "name,serial\nn,a\"b\n",
                ["r.csv:2:4: a quote inside a field: put the whole field in quotes, and double the ones inside"]
            ),
            ("name,serial\nn,\"ab\n", ["r.csv:2:3: the quote that opens here is not closed"]),
            ("name,serial\nn,\"a\"b\n", ["r.csv:2:6: text after the closing quote"]),
            (
                "name,notes\nn,x\n",
                ["r.csv:2:1: serial: neither serial nor MAC: nothing tells this machine from another"]
            ),
            (
                "name,mac\nn,52:54:00:00:00:01 52:54:00:00:00:0g\n",
                ["r.csv:2:3: mac: 52:54:00:00:00:0g is not a MAC address such as 52:54:00:12:34:56"]
            ),
            ("name,mac\nn,01:00:5e:00:00:01\n", ["r.csv:2:3: mac: 01:00:5e:00:00:01 is no machine's own address"]),
            (
                "name,serial\na,S1\nb,s1\na,S2\n",
                [
                    "r.csv:3:3: serial: serial s1 is in line 2 already, for a",
                    "r.csv:4:1: name: name a is in line 2 already, for a",
                ]
            ),
            (
                "name,mac\na,52:54:00:00:00:01\nb,5254.0000.0001\n",
                ["r.csv:3:3: mac: MAC 52:54:00:00:00:01 is in line 2 already, for a"]
            ),
            (
                "name,serial,rack,unit\na,S1,r1,U3-U5\nb,S2,r1,5\nc,S3,r2,5\nd,S4,,5\n",
                [
                    "r.csv:3:9: unit: rack unit -/-/r1/U5 is in line 2 already, for a",
                    "r.csv:5:7: unit: a rack unit is of a rack: say which",
                ]
            ),
            (
                "name,serial,bmc_address\na,S1,10.0.0.300\n",
                ["r.csv:2:6: bmc_address: 10.0.0.300 is not an IPv4 address"]
            ),
            (
                "name,serial,bmc_port,bmc_address\na,S1,0,10.0.0.3\n",
                ["r.csv:2:6: bmc_port: 0 is not a port from 1 to 65535"]
            ),
            (
                "name,serial,bmc_kind,bmc_address\na,S1,snmp,10.0.0.3\n",
                ["r.csv:2:6: bmc_kind: snmp is not one of auto, redfish, ipmi"]
            ),
            ("name,serial,bmc_user\na,S1,root\n", ["r.csv:2:6: bmc_user: bmc_address is missing"]),
            (
                places + "\na,S1,,10.0.0.3,root,pw,secret/pw\n",
                ["r.csv:2:24: bmc_password_file: there is a password already: one of the two"]
            ),
            (places + "\na,S1,,10.0.0.3,root,,no\n", ["r.csv:2:22: bmc_password_file: no cannot be read: Absent()"]),
            (
                places + "\na,S1,,10.0.0.3,,pw,\n",
                ["r.csv:2:7: bmc_address: a password goes with a BMC's address and user"]
            ),
            ("name,serial,labels\na,S1,role\n", ["r.csv:2:6: labels: role is not name=value"]),
            ("name,serial,switch\na,S1,leaf-1\n", ["r.csv:2:6: switch: a switch without its port; say both"]),
        ] as [(String, [String])])
    func csv(text: String, messages: [String]) { #expect(Self.faults(text, "r.csv") == messages) }

    @Test(
        "faults of YAML with their places",
        arguments: [
            ("", ["r.yaml: the file is empty"]), ("machines: []\n", ["r.yaml: no machine is announced here"]),
            ("machine: []\n", ["r.yaml:1:1: unknown key machine; did you mean machines?"]),
            ("machines:\n  - {name: a, serail: S1}\n", ["r.yaml:2:15: unknown key serail; did you mean serial?"]),
            (
                "machines:\n  - {name: a, serial: S1, mac: 1}\n  - {name: b}\n",
                [
                    "r.yaml:2:32: mac: 1 is not a MAC address such as \"52:54:00:12:34:56\"",
                    "r.yaml:3:5: serial: neither serial nor MAC: nothing tells this machine from another",
                ]
            ),
            (
                "machines:\n  - name: a\n    serial: S1\n  - name: b\n    serial: S1\n",
                ["r.yaml:5:13: serial: serial s1 is in line 3 already, for a"]
            ),
            (
                "machines:\n  - {name: a, serial: S1, location: {rack: r1, unit: U0}}\n",
                ["r.yaml:2:54: unit: U0 is not a rack unit such as U4 or U12-U13, at most U60"]
            ),
            (
                "machines:\n  - {name: a, serial: S1, bmc: {adress: 10.0.0.3}}\n",
                ["r.yaml:2:32: bmc: address is missing"]
            ),
            (
                "machines:\n  - {name: a, serial: S1, bmc: {address: 10.0.0.3, kind: snmp}}\n",
                ["r.yaml:2:58: kind: snmp is not one of auto, redfish, ipmi"]
            ),
            (
                "machines:\n  - {name: a, serial: S1, accept: perhaps}\n",
                ["r.yaml:2:35: accept: expected true or false"]
            ),
            (
                "machines:\n  - {name: A_1, serial: S1, labels: {a b: c}}\n",
                [
                    "r.yaml:2:12: name: \"A_1\" is not a name: lower-case letters, digits and '-', at most 63, starting and ending with a letter or digit",
                    "r.yaml:2:37: labels: \"a b\" is not a label's key: 1 to 63 letters, digits, '-', '_' and '.', which starts and ends with a letter or digit",
                ]
            ),
        ] as [(String, [String])])
    func yaml(text: String, messages: [String]) { #expect(Self.faults(text, "r.yaml") == messages) }

    @Test("another kind of file is refused")
    func kind() {
        #expect(Self.faults("", "r.txt") == ["r.txt: the name says neither .csv nor .yaml: which of them is it?"])
    }

    @Test("the examples of the page are right, and say the same in both ways")
    func examples() throws {
        let page = try String(
            contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
                "../../docs/expected-machines.md"), encoding: .utf8)
        func block(_ language: String) throws -> String {
            let start = try #require(page.range(of: "```\(language)\n"))
            let end = try #require(page.range(of: "```", range: start.upperBound..<page.endIndex))
            return String(page[start.upperBound..<end.lowerBound])
        }
        let csv = try Self.read(try block("csv"), "rack.csv")
        let yaml = try Self.read(try block("yaml"), "rack.yaml")
        #expect(csv.entries.map(\.machine) == yaml.entries.map(\.machine))
        #expect(csv.entries.map(\.bmcPassword) == yaml.entries.map(\.bmcPassword))
        #expect(csv.holdsPasswords && csv.entries.count == 3)
        let first = try #require(csv.entries.first)
        #expect(first.machine.location == Location("ams1/3/r12/U1-U2") && first.machine.accept)
        #expect(first.machine.macs == [MACAddress("b8:ca:3a:00:00:01"), MACAddress("b8:ca:3a:00:00:02")])
        #expect(first.bmcPassword == "calvin, of the sticker" && csv.entries[1].bmcPassword == "from-a-file")
    }
}
