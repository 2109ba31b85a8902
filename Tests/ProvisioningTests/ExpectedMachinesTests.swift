import Foundation
import TestSupport
import Testing

/// A rack that staff announced, with the real programs.
@Suite struct ExpectedMachinesTests {
    private static let rack = """
        name,serial,mac,site,row,rack,unit,bmc_address,bmc_user,bmc_password,labels,accept,notes
        node-1,R-1,52:54:00:00:01:01,ams1,3,r12,U1,127.0.0.1,ADMIN,factory-4711,role=storage pool=a,true,"with a 2"" drive, and a comma"
        node-2,R-2,52:54:00:00:99:99,ams1,3,r12,U2,,,,,true,
        node-3,R-3,,ams1,3,r12,U3-U4,,,,,true,

        """

    private func write(_ text: String, _ name: String, _ installation: Installation) throws -> String {
        let path = installation.directory + "/" + name
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        return path
    }

    /// The row of the status that begins with these words.
    private func row(_ state: String, _ name: String, _ status: String) -> Substring? {
        status.split(separator: "\n").first { line in
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            return words.first ?? "" == state && words.contains { $0 == name }
        }
    }

    @Test("one arrives and is accepted, one is not as announced, one is missing, and one nobody announced")
    func rack() async throws {
        try await Installation.with { installation in
            let servers = try [
                ("52:54:00:00:01:01", "R-1"), ("52:54:00:00:01:02", "R-2"), ("52:54:00:00:01:09", "R-9"),
            ].map { try TrialServer(installation, mac: $0.0, serial: $0.1) }
            // This one is known before it is announced.
            let early = try await servers[1].bootAgent()
            defer { early.kill() }
            try #require(await early.says("hardware reported"), "\(early.output)")

            let file = try write(Self.rack, "rack.csv", installation)
            let trial = try await installation.slipway("machine", "expect", "-f", file, "--dry-run")
            #expect(trial.contains("node-1 would be announced") && trial.contains("3 created, 0 changed, 0 unchanged"))
            #expect(try await installation.slipway("machine", "expect", "status").contains("0 expected"))
            let announced = try await installation.slipway("machine", "expect", "-f", file)
            #expect(announced.contains("node-3 announced") && announced.contains("3 created"), "\(announced)")
            let again = try await installation.slipway("machine", "expect", "--file", file)
            #expect(again.contains("0 created, 0 changed, 3 unchanged"), "\(again)")

            let agents = try await [servers[0].bootAgent(), servers[2].bootAgent()]
            defer { for agent in agents { agent.kill() } }
            for agent in agents { try #require(await agent.says("hardware reported"), "\(agent.output)") }
            #expect(try await installation.reaches("available", "node-1"), "\(installation.log)")
            var status = ""
            let isSettled = try await eventually {
                status = try await installation.slipway("machine", "expect", "status")
                return status.contains("3 expected: 1 arrived, 1 mismatched, 1 missing; 1 unexpected")
            }
            #expect(isSettled, "\(status)")
            #expect(row("arrived", "node-1", status)?.contains("ams1/3/r12/U1") == true, "\(status)")
            #expect(
                row("mismatched", "node-2", status)?.contains(
                    "MAC: announced 52:54:00:00:99:99, found 52:54:00:00:01:02") == true, "\(status)")
            #expect(row("missing", "node-3", status)?.contains("ams1/3/r12/U3-U4") == true, "\(status)")
            #expect(row("unexpected", "R-9", status)?.contains("nobody announced it") == true, "\(status)")

            // All that was announced is so of the machine, but of one that is not as announced.
            let shown = try await installation.slipway("machine", "show", "node-1")
            for words in [
                "accepted   yes", "bmc        127.0.0.1", "location   ams1/3/r12/U1", "pool=a, role=storage",
                "Expected=true",
            ] {
                #expect(shown.contains(words), "\(words) is not in\n\(shown)")
            }
            let other = try await installation.slipway("machine", "show", "R-2")
            #expect(other.contains("accepted   no") && other.contains("Expected=false"), "\(other)")
            #expect(!other.contains("name       node-2"), "\(other)")
            let events = try await installation.slipway("event", "list")
            let trail = try await installation.slipway("event", "list", "--format", "json")
            #expect(trail.contains("\"expected machine node-1 announced by admin\""), "\(trail)")

            // It keeps all of it when the daemon is killed, and when the announcement is taken back.
            installation.kill()
            try await installation.start()
            #expect(try await installation.slipway("machine", "expect", "status").contains("1 arrived, 1 mismatched"))
            let typo = try await installation.cli(["machine", "expect", "withdraw", "node-3", "node-7"])
            #expect(typo.status == 1 && typo.output.contains("node-7"), "\(typo.output)")
            #expect(try await installation.slipway("machine", "expect", "status").contains("3 expected"))
            try await installation.slipway("machine", "expect", "withdraw", "node-1", "node-3")
            let left = try await eventually {
                try await installation.slipway("machine", "expect", "status").contains("1 expected: 0 arrived, 1 mism")
            }
            #expect(left)
            #expect(try await installation.slipway("machine", "show", "node-1").contains("ams1/3/r12/U1"))

            var said = installation.log + events + status + shown
            for arguments in [["machine", "expect", "status"], ["machine", "list"], ["event", "list"]] {
                said += try await installation.slipway(arguments: arguments + ["--format", "json"])
            }
            for file in try FileManager.default.contentsOfDirectory(atPath: installation.directory + "/state")
            where file.hasPrefix("slipway.sqlite") {
                let bytes = try Data(contentsOf: URL(fileURLWithPath: installation.directory + "/state/" + file))
                said += String(decoding: bytes, as: Unicode.ASCII.self)
            }
            #expect(!said.contains("factory-4711"))
        }
    }

    @Test("a file with faults announces nothing, and each is told with its place; so is what clashes with another file")
    func faults() async throws {
        try await Installation.with { installation in
            let bad = try write(
                """
                name,serial,mac,rack,unit,bmc_adress
                """, "bad.csv", installation)
            let header = try await installation.cli(["machine", "expect", "-f", bad])
            #expect(header.status == 1, "\(header.output)")
            #expect(
                header.output.contains("bad.csv:1:27: unknown column \"bmc_adress\"; did you mean bmc_address?"),
                "\(header.output)")
            let rows = try write(
                """
                name,serial,mac,rack,unit,accept
                node-1,SN-1,,r1,U1,true
                node-2,SN-1,52:54:00:00:00,r1,U99,perhaps
                Node 3,Default string,,r1,U1,
                """, "rows.csv", installation)
            let told = try await installation.cli(["machine", "expect", "-f", rows])
            #expect(told.status == 1)
            for words in [
                "rows.csv:3:13: mac: 52:54:00:00:00 is not a MAC address such as 52:54:00:12:34:56",
                "rows.csv:3:31: unit: U99 is not a rack unit such as U4 or U12-U13, at most U60",
                "rows.csv:3:35: accept: perhaps is not true or false",
                "rows.csv:4:1: name: \"Node 3\" is not a name",
                "rows.csv:4:8: serial: \"Default string\" is what firmware says",
                "rows.csv:4:27: unit: rack unit -/-/r1/U1 is in line 2 already, for node-1", "nothing was announced",
            ] {
                #expect(told.output.contains(words), "\(words) is not in\n\(told.output)")
            }
            let empty = try await installation.slipway("machine", "expect", "status")
            #expect(empty.contains("0 expected"), "\(empty)")

            let good = try write("machines:\n  - {name: node-1, serial: SN-1}\n", "good.yaml", installation)
            try await installation.slipway("machine", "expect", "-f", good)
            let clash = try write(
                "machines:\n  - {name: node-5, serial: SN-5}\n  - {name: node-6, serial: sn-1}\n", "clash.yaml",
                installation)
            let refused = try await installation.cli(["machine", "expect", "-f", clash])
            #expect(refused.status == 1)
            #expect(
                refused.output.contains("clash.yaml:3:28: node-6: serial sn-1 is announced for node-1 already"),
                "\(refused.output)")
            let profile = try write(
                "machines:\n  - {name: node-5, serial: SN-5, profile: nothing}\n", "profile.yaml", installation)
            let unknown = try await installation.cli(["machine", "expect", "-f", profile])
            #expect(unknown.status == 1 && unknown.output.contains("no hardware profile is called nothing"))
            #expect(try await installation.slipway("machine", "expect", "status").contains("1 expected"))
            let nowhere = try await installation.cli(["machine", "expect", "-f", installation.directory + "/none.csv"])
            #expect(nowhere.status == 1 && nowhere.output.contains("there is no such file"))
        }
    }
}

/// An agent that is told to wait.
@Suite struct ReportLimitTests {
    @Test("a machine that starts over and over is told to wait, and is heard after that")
    func waits() async throws {
        try await Installation.with { installation in
            let server = try TrialServer(installation)
            for _ in 0..<30 {
                let agent = try await server.bootAgent()
                defer { agent.kill() }
                let isAnswered = await eventually {
                    agent.output.contains("hardware reported") || agent.output.contains("too often")
                }
                try #require(isAnswered, "\(agent.output)")
                guard agent.output.contains("too often") else { continue }
                #expect(agent.output.contains("going on trying"), "\(agent.output)")
                #expect(await eventually(within: .seconds(40)) { agent.output.contains("hardware reported") })
                return
            }
            Issue.record("thirty reports were all heard")
        }
    }

    @Test("a holder of a ticket that reports without end is answered 429, and when to come back")
    func retryAfter() async throws {
        try await Installation.with { installation in
            let server = try TrialServer(installation)
            let script = try await server.script()
            let ticket = try #require(script.split(separator: " ").first { $0.hasPrefix("slipway.ticket=") })
            func call(_ method: String, _ path: String, _ body: String, _ options: [String]) async throws -> String {
                try await ChildProcess.run(
                    "curl",
                    [
                        "--silent", "--include", "--max-time", "5", "--cacert",
                        installation.directory + "/state/ca.pem",
                        "--request", method, "--data", body,
                    ] + options + ["https://\(installation.address):8443/agent/v1/\(path)"]
                ).output
            }
            let opened = try await call(
                "POST", "sessions",
                #"{"ticket":"\#(ticket.dropFirst(15))","mac":"\#(server.mac)","machine":{"macs":["\#(server.mac)"]},"#
                    + #""bootID":"b","agentVersion":"1","uptimeSeconds":1}"#, [])
            let json = try #require(opened.split(separator: "\r\n\r\n").last)
            let reply = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
            let token = try #require(reply?["token"] as? String, "\(opened)")
            let report = try String(contentsOfFile: server.directory + "/hardware.json", encoding: .utf8)
            var statuses: Set<String> = []
            for _ in 0..<30 {
                let answer = try await call(
                    "PUT", "hardware", report, ["--header", "Authorization: Bearer \(token)"])
                statuses.insert(String(answer.split(separator: " ").dropFirst().first ?? ""))
                guard statuses.contains("429") else { continue }
                // The next one is due within 15 seconds; on a busy machine some of them are over.
                let wait = answer.lowercased().firstMatch(of: /retry-after: (\d+)/).flatMap { Int($0.1) }
                #expect(wait.map { (1...15).contains($0) } == true, "\(answer)")
                #expect(answer.contains("application/problem+json") && answer.contains("too often"), "\(answer)")
                break
            }
            #expect(statuses == ["204", "429"], "\(statuses)")
        }
    }
}
