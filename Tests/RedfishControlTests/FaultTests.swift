import Foundation
import Logging
import Machines
import PowerControl
import RedfishSimulator
import TestSupport
import Testing

/// What goes wrong, and what is said of it.
@Suite struct RedfishFaultTests {
    static func impatient(_ body: (inout RedfishLimits) -> Void = { _ in }) -> RedfishController {
        var limits = RedfishLimits()
        (limits.poll, limits.answer, limits.retryAfter) = (.milliseconds(20), .milliseconds(700), .milliseconds(50))
        body(&limits)
        return RedfishController(limits: limits, logger: Trial.logger)
    }

    @Test(
        "a wrong password is told as such, tried once, and not in the words",
        arguments: [[], [.noSessions]] as [Set<Quirk>])
    func password(quirks: Set<Quirk>) async throws {
        try await RedfishSimulatorServer.with(SimulatedRedfish(quirks: quirks)) { server async throws in
            let error = await Trial.failure {
                try await Trial.controller().power(of: Trial.access(server, password: "guessed-wrong"))
            }
            let words = error.map { "\($0)" } ?? ""
            #expect(error?.reason == .credentials)
            #expect(
                words.contains("127.0.0.1") && words.contains("operator") && !words.contains("guessed-wrong"),
                "\(words)")
            // Accounts are locked after a few.
            let tries = server.service.requests.filter { $0 != "GET /redfish/v1/" }
            #expect(tries.count <= (quirks.isEmpty ? 1 : 2), "\(tries)")
        }
    }

    @Test("nobody there: told apart from silence, and soon")
    func absent() async throws {
        let port = try await RedfishSimulatorServer.with(SimulatedRedfish()) { $0.port }
        let access = BMCAccess(kind: .redfish, address: "127.0.0.1", port: port, username: "x", password: "y")
        let error = await Trial.failure { try await Trial.controller().power(of: access) }
        #expect(error?.reason == .unreachable && error?.isAbsence == true, "\(error.map { "\($0)" } ?? "")")
    }

    @Test("a BMC that takes connections and says nothing", arguments: ["GET", "POST"])
    func silent(method: String) async throws {
        var service = SimulatedRedfish()
        service.faults = [Fault(.silence, method: method, times: 100)]
        try await RedfishSimulatorServer.with(service) { server async throws in
            let start = ContinuousClock.now
            let error = await Trial.failure { try await Self.impatient().power(of: Trial.access(server)) }
            #expect(error?.reason == .silent)
            #expect(ContinuousClock.now - start < .seconds(120))
        }
    }

    @Test("no TLS: nothing is sent")
    func plain() async throws {
        let listener = try ChildProcess(
            "python3",
            [
                "-c",
                """
                import socket, sys
                s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen()
                print("port", s.getsockname()[1], flush=True)
                c, _ = s.accept(); c.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\n{}")
                print("got", c.recv(65536)[:1].hex(), flush=True)
                """,
            ])
        defer { listener.kill() }
        #expect(await listener.says("port "))
        let port = try #require(listener.lines.first.flatMap { Int($0.dropFirst(5)) })
        let access = BMCAccess(
            kind: .redfish, address: "127.0.0.1", port: port, username: "x", password: "y", trust: .anything)
        let error = await Trial.failure { try await Trial.controller().power(of: access) }
        #expect(error?.detail.contains("TLS") == true, "\(error.map { "\($0)" } ?? "")")
        // A TLS handshake record, and no request.
        #expect(await listener.says("got 16"))
    }

    @Test("a connection that is cut in an answer is made anew once, and cut again it is an error")
    func cut() async throws {
        var service = SimulatedRedfish()
        service.faults = [Fault(.cut(10), method: "GET", path: "/Systems/1")]
        try await RedfishSimulatorServer.with(service) { server async throws in
            #expect(try await Trial.controller().power(of: Trial.access(server)) == .off)
            server.change { service, _ in
                service.faults = [Fault(.cut(10), method: "GET", path: "/Systems/1", times: 9)]
            }
            let error = await Trial.failure { try await Trial.controller().power(of: Trial.access(server)) }
            #expect(error?.reason == .nonsense, "\(error.map { "\($0)" } ?? "")")
        }
    }

    @Test("a session that is lost in the middle is opened anew")
    func session() async throws {
        for requests in 0..<5 {
            var service = SimulatedRedfish()
            service.sessionsEndAfter = requests
            try await RedfishSimulatorServer.with(service) { server async throws in
                #expect(try await Trial.controller().perform(.on, on: Trial.access(server)) == .on)
                #expect(server.service.done == ["On"])
                #expect(server.service.sessions.isEmpty)
            }
        }
    }

    @Test("no slot for a session: basic authentication")
    func slots() async throws {
        var service = SimulatedRedfish()
        service.sessionSlots = 0
        try await RedfishSimulatorServer.with(service) { server async throws in
            #expect(try await Trial.controller().perform(.on, on: Trial.access(server)) == .on)
        }
    }

    @Test("power that is stuck is not believed; the exchange is told")
    func stuck() async throws {
        var service = SimulatedRedfish()
        service.isPowerStuck = true
        try await RedfishSimulatorServer.with(service) { server async throws in
            let error = await Trial.failure {
                try await Trial.controller().perform(.on, on: Trial.access(server, settle: .milliseconds(300)))
            }
            #expect(error?.reason == .notDone)
            let words = error.map { "\($0)" } ?? ""
            #expect(words.contains("ComputerSystem.Reset On → 204") && words.contains("still reports Off"), "\(words)")
            #expect(server.service.done == ["On"])
        }
    }

    @Test("an answer that is lost: done or not is looked for, and the command is not repeated")
    func lost() async throws {
        var service = SimulatedRedfish()
        service.powerDelay = 0.1
        service.become([(0, "On")], at: 0)
        service.faults = [Fault(.doneAndCut, method: "POST", path: "ComputerSystem.Reset")]
        try await RedfishSimulatorServer.with(service) { server async throws in
            #expect(try await Trial.controller().perform(.cycle, on: Trial.access(server)) == .on)
            #expect(server.service.done == ["PowerCycle"])
            // Cut before it is done: the state tells nothing.
            server.change { service, _ in
                service.faults = [Fault(.cut(5), method: "POST", path: "ComputerSystem.Reset")]
            }
            let error = await Trial.failure {
                try await Trial.controller().perform(.reset, on: Trial.access(server, settle: .milliseconds(300)))
            }
            #expect(error?.reason == .outcomeUnknown, "\(error.map { "\($0)" } ?? "")")
            #expect(server.service.done == ["PowerCycle"])
            let posts = server.service.requests.filter { $0.contains("ComputerSystem.Reset") }
            #expect(posts.count == 2)
        }
    }

    @Test("a certificate that changed: both fingerprints, what to do, and no password sent")
    func certificate() async throws {
        try await RedfishSimulatorServer.with(SimulatedRedfish()) { server async throws in
            let access = Trial.access(server)
            #expect(try await Trial.controller().power(of: access) == .off)
            let (old, other, count) = (
                server.shown.sha256, try SimulatorCertificate.factory(), server.service.requests.count
            )
            server.use(other)
            let error = await Trial.failure { try await Trial.controller().power(of: access) }
            let words = error.map { "\($0)" } ?? ""
            #expect(error?.reason == .certificate)
            #expect(words.contains(old) && words.contains(other.sha256) && words.contains("trust"), "\(words)")
            #expect(server.service.requests.count == count)
        }
    }

    @Test("authorities: chain, address and dates")
    func authorities() async throws {
        let (authority, stranger) = (
            try SimulatorCertificate.Authority(), try SimulatorCertificate.Authority(name: "Stranger")
        )
        let rows: [(SimulatorCertificate, String, Bool)] = [
            (try authority.issue(address: [127, 0, 0, 1]), authority.pem, true),
            (
                try authority.issue(address: [127, 0, 0, 1]), "# ours\n" + stranger.pem + "\nand\n" + authority.pem,
                true
            ),
            (try authority.issue(address: [127, 0, 0, 2]), authority.pem, false),
            (try authority.issue(address: [127, 0, 0, 1], days: -1), authority.pem, false),
            (try stranger.issue(address: [127, 0, 0, 1]), authority.pem, false),
            (try .factory(), authority.pem, false), (try authority.issue(address: [127, 0, 0, 1]), "", false),
        ]
        for (number, (certificate, pem, isGood)) in rows.enumerated() {
            try await RedfishSimulatorServer.with(SimulatedRedfish(), certificate: certificate) { server async throws in
                let controller = try RedfishController(authorities: pem, limits: Trial.limits, logger: Trial.logger)
                let access = Trial.access(server, trust: .authorities)
                let finding = await controller.probe(address: "127.0.0.1", port: server.port, credentials: nil)
                #expect(
                    finding.certificate?.isAuthorized == isGood && finding.certificate?.sha256 == certificate.sha256,
                    "row \(number)")
                guard !isGood else {
                    #expect(try await controller.power(of: access) == .off, "row \(number)")
                    return
                }
                let error = await Trial.failure { try await controller.power(of: access) }
                #expect(
                    error?.reason == .certificate && error?.detail.contains(certificate.sha256) == true, "row \(number)"
                )
                #expect(!server.service.requests.contains { $0.hasPrefix("POST") }, "row \(number)")
                // Pinned, its name and its dates do not matter; anything is anything.
                #expect(try await controller.power(of: Trial.access(server)) == .off)
                #expect(try await controller.power(of: Trial.access(server, trust: .anything)) == .off)
            }
        }
    }

    @Test("a slow drip and a body without end are left")
    func endless() async throws {
        for (kind, reason) in [(Fault.Kind.drip, BMCError.Reason.silent), (.flood, .nonsense)] {
            var service = SimulatedRedfish()
            service.faults = [Fault(kind, path: "/Systems", times: 9)]
            try await RedfishSimulatorServer.with(service) { server async throws in
                let start = ContinuousClock.now
                let controller = Self.impatient {
                    if reason == .nonsense { ($0.answer, $0.body) = (.seconds(20), 1 << 20) }
                }
                let error = await Trial.failure { try await controller.power(of: Trial.access(server)) }
                #expect(error?.reason == reason, "\(error.map { "\($0)" } ?? "")")
                #expect(ContinuousClock.now - start < .seconds(120))
            }
        }
    }

    @Test(
        "garbage for an answer",
        arguments: [
            "<html>", "", "[[[[", "{}", "[]", "\u{0}", #"{"Members":{}}"#,
            #"{"Members":[{"@odata.id":"https://evil.example/x"}]}"#,
            #"{"Members":[{"@odata.id":5},null,7,{"@odata.id":"/etc/passwd"}]}"#,
        ])
    func garbage(text: String) async throws {
        for path in ["/redfish/v1/", "/redfish/v1/Systems"] {
            var service = SimulatedRedfish()
            service.faults = [Fault(.body(text), method: "GET", path: path, times: 99)]
            try await RedfishSimulatorServer.with(service) { server async throws in
                let error = await Trial.failure { try await Trial.controller().power(of: Trial.access(server)) }
                #expect(
                    [.nonsense, .refused, .unsupported].contains(error?.reason),
                    "\(path): \(error.map { "\($0)" } ?? "")")
            }
        }
    }

    @Test("a tree without end is left")
    func endlessTree() async throws {
        var service = SimulatedRedfish()
        service.tree["/redfish/v1/Systems"]?["Members@odata.nextLink"] = "/redfish/v1/Systems?$skip=1"
        try await RedfishSimulatorServer.with(service) { server async throws in
            var access = Trial.access(server)
            access.machineSerial = "CNT0001"
            // Each page shows the same member and a next page; pages are visited once.
            _ = try? await Trial.controller().power(of: access)
            #expect(server.service.requests.count < 20)
            server.change { service, _ in
                service.tree["/redfish/v1/Chassis/1/Sensors"]?["Members"] = .array(
                    (0..<5000).map { ["@odata.id": .string("/redfish/v1/Chassis/1/Sensors/Inlet?\($0)")] })
            }
            let sensors = try? await Trial.controller().sensors(of: access)
            #expect(sensors == nil || (sensors?.count ?? 0) <= 520)
            #expect(server.service.requests.count < 700)
        }
    }

    @Test("a long log of links is read at its newer end, in few requests", arguments: [true, false])
    func linkedLog(newestFirst: Bool) async throws {
        var service = SimulatedRedfish()
        (service.linksEntries, service.pageSize) = (true, 100)
        for number in 100..<400 {
            service.log("line \(number)", created: "2024-01-01T00:\(number / 60 + 10):\(number % 60 / 10)0Z")
        }
        let path = "/redfish/v1/Systems/1/LogServices/SEL/Entries"
        if newestFirst, let members = service.tree[path]?["Members"]?.array {
            service.tree[path]?["Members"] = .array(members.reversed())
        }
        try await RedfishSimulatorServer.with(service) { server async throws in
            let controller = Self.impatient { ($0.requests, $0.linkedEntries, $0.answer) = (60, 30, .seconds(20)) }
            let entries = try await controller.eventLog(of: Trial.access(server))
            #expect(entries.map(\.message) == (370..<400).reversed().map { "line \($0)" })
            try await controller.clearEventLog(of: Trial.access(server))
            #expect(server.service.done.last == "clear")
        }
    }

    @Test("a command has a time, and its session is ended all the same")
    func slow() async throws {
        var service = SimulatedRedfish()
        for number in 0..<200 { service.log("line \(number)", created: "2024-01-01T00:00:00Z") }
        service.pageSize = 1
        try await RedfishSimulatorServer.with(service) { server async throws in
            let controller = Self.impatient { ($0.command, $0.answer) = (.milliseconds(1), .seconds(20)) }
            let error = await Trial.failure {
                try await controller.eventLog(of: Trial.access(server, settle: .milliseconds(25)))
            }
            #expect(error?.reason == .silent, "\(error.map { "\($0)" } ?? "")")
            #expect(server.service.sessions.isEmpty)
        }
    }

    @Test("503 is waited out within bounds, and a busy BMC is told as one")
    func busy() async throws {
        var service = SimulatedRedfish()
        service.faults = [Fault(.status(503, retryAfter: 0), method: "GET", path: "/Systems", times: 2)]
        try await RedfishSimulatorServer.with(service) { server async throws in
            let access = Trial.access(server)
            #expect(try await Trial.controller().power(of: access) == .off)
            server.change { service, _ in
                service.faults = [Fault(.status(503, retryAfter: 3600), method: "GET", path: "/Systems", times: 999)]
            }
            let start = ContinuousClock.now
            let error = await Trial.failure { try await Trial.controller().power(of: access) }
            #expect(error?.reason == .refused && error?.detail.contains("503") == true)
            #expect(ContinuousClock.now - start < .seconds(120))
            // A reset goes out again only on the service's own word.
            for (seconds, count) in [(nil, 1), (0, 2)] as [(Int?, Int)] {
                server.change { service, _ in
                    service.become([(0, "On")], at: 0)
                    service.faults = [
                        Fault(.status(503, retryAfter: seconds), method: "POST", path: "ComputerSystem.Reset")
                    ]
                    service.tree["/redfish/v1/Systems/1"]?["Actions"]?["#ComputerSystem.Reset"]?[
                        "ResetType@Redfish.AllowableValues"] = ["PowerCycle"]
                }
                let before = server.service.requests.count { $0.contains("ComputerSystem.Reset") }
                _ = try? await Trial.controller().perform(.cycle, on: access)
                #expect(server.service.requests.count { $0.contains("ComputerSystem.Reset") } - before == count)
            }
        }
    }

    @Test("a task that fails is a refusal")
    func tasks() async throws {
        var service = SimulatedRedfish(quirks: [.tasks])
        service.tasksFail = true
        try await RedfishSimulatorServer.with(service) { server async throws in
            let error = await Trial.failure {
                try await Trial.controller().setVirtualMedia("http://10.0.0.1/x.iso", on: Trial.access(server))
            }
            #expect(error?.reason == .refused && error?.detail.contains("Exception: It did not work.") == true)
        }
    }

    @Test(
        "a restart whose task's monitor is gone is done once, and a log that was cleared so is cleared",
        arguments: [404, 410])
    func monitor(status: Int) async throws {
        for (action, type) in [(PowerAction.cycle, "PowerCycle"), (.reset, "ForceRestart")] {
            var service = SimulatedRedfish(quirks: [.monitorsGo])
            (service.goneStatus, service.powerDelay) = (status, 0.1)
            service.become([(0, "On")], at: 0)
            service.log("line", created: "2024-01-01T00:00:00Z")
            try await RedfishSimulatorServer.with(service) { server async throws in
                let access = Trial.access(server)
                #expect(try await Trial.controller().perform(action, on: access) == .on)
                #expect(server.service.done == [type])
                try await Trial.controller().clearEventLog(of: access)
                // Without an end of its own it is the reading back that fails.
                server.change { service, _ in service.keepsLog = true }
                let error = await Trial.failure {
                    try await Trial.controller().clearEventLog(of: Trial.access(server, settle: .milliseconds(300)))
                }
                #expect(error?.reason == .notDone)
            }
        }
    }

    @Test("a new password that is taken and not kept is asked about twice: BMCs lock users out")
    func keptPassword() async throws {
        var service = SimulatedRedfish()
        service.keepsPassword = true
        try await RedfishSimulatorServer.with(service) { server async throws in
            let controller = Self.impatient { ($0.relogin, $0.answer) = (.milliseconds(50), .seconds(20)) }
            let error = await Trial.failure {
                try await controller.changePassword(to: "another-Secret-7", on: Trial.access(server))
            }
            #expect(error?.reason == .notDone, "\(error.map { "\($0)" } ?? "")")
            #expect(server.service.refusedLogins == 2)
        }
    }

    @Test("what a BMC says is cut to what a person reads")
    func longWords() async throws {
        let flood = String(repeating: "x", count: 300_000)
        var service = SimulatedRedfish()
        service.tree["/redfish/v1/Systems/1"]?["Model"] = .string(flood)
        service.tree["/redfish/v1/Systems/1"]?["LocationIndicatorActive"] = nil
        service.tree["/redfish/v1/Systems/1"]?["IndicatorLED"] = .string(flood)
        let said: Value = ["MessageId": "A.1.B", "MessageArgs": [.string(flood), .string(flood)]]
        service.faults = [
            Fault(.answer(400, ["error": ["@Message.ExtendedInfo": [said, said]]]), method: "PATCH", times: 2)
        ]
        try await RedfishSimulatorServer.with(service) { server async throws in
            let access = Trial.access(server, settle: .milliseconds(100))
            let model = try await Trial.controller().describe(access).system
            #expect(model?.contains("xxxx") == true && (model?.utf8.count ?? 0) < 2000)
            // First it is refused with long words, then it says long words of itself.
            for _ in 0..<2 {
                let error = await Trial.failure { try await Trial.controller().setIdentifyLight(.on, on: access) }
                let words = error.map { "\($0)" } ?? ""
                #expect(words.contains("xxxx") && words.utf8.count < 8000, "\(words.utf8.count)")
                server.change { service, _ in service.isPicture = true }
            }
        }
    }

    @Test("a stream of events on a connection that is dead ends, and the log is looked at")
    func deadStream() async throws {
        try await RedfishSimulatorServer.with(SimulatedRedfish()) { server async throws in
            let controller = Self.impatient { ($0.idle, $0.answer) = (.milliseconds(300), .seconds(20)) }
            var events = controller.events(of: Trial.access(server), interval: .milliseconds(50)).makeAsyncIterator()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    let looks = await eventually { server.service.requests.count { $0.contains("/Entries") } >= 2 }
                    #expect(looks)
                    server.change { service, _ in service.log("PS1 lost", created: "2024-01-01T00:00:01Z") }
                    if !looks { server.hangUp() }
                }
                #expect(try await events.next()?.message == "PS1 lost")
                try await group.waitForAll()
            }
            #expect(await eventually { server.followers == 0 })
        }
    }

    @Test("a redirect to another server is not followed")
    func redirect() async throws {
        try await RedfishSimulatorServer.with(SimulatedRedfish()) { server async throws in
            server.change { service, _ in
                service.tree["/redfish/v1"]?["Systems"] = ["@odata.id": "https://evil.example/redfish/v1/Systems"]
            }
            let error = await Trial.failure { try await Trial.controller().power(of: Trial.access(server)) }
            #expect(error?.reason == .unsupported)
        }
    }

    @Test("a command that is cancelled ends at once and leaves no session")
    func cancelled() async throws {
        var service = SimulatedRedfish()
        service.isPowerStuck = true
        try await RedfishSimulatorServer.with(service) { server async throws in
            let access = Trial.access(server, settle: .seconds(60))
            let work = Task { try await Trial.controller().perform(.on, on: access) }
            #expect(await eventually { !server.service.done.isEmpty })
            work.cancel()
            await #expect(throws: CancellationError.self) { try await work.value }
            #expect(server.service.sessions.isEmpty)
        }
    }

    @Test("the probe: without credentials, with them, with wrong ones, of nothing")
    func probe() async throws {
        try await RedfishSimulatorServer.with(SimulatedRedfish()) { server async throws in
            let controller = Trial.controller()
            let open = await controller.probe(address: "127.0.0.1", port: server.port, credentials: nil)
            #expect(
                open.outcome == .answers && open.facts.first == "Redfish 1.17.0" && open.description == nil
                    && open.problem == nil)
            #expect(
                open.certificate?.subject.contains("bmc-factory-default") == true
                    && open.certificate?.isAuthorized == false)
            #expect(server.service.requests == ["GET /redfish/v1/"])
            let known = await controller.probe(
                address: "127.0.0.1", port: server.port, credentials: ("operator", "not-a-default"),
                trust: .pinned(server.shown.sha256))
            #expect(known.description?.serial == "CNT0001" && known.problem == nil)
            let wrong = await controller.probe(
                address: "127.0.0.1", port: server.port, credentials: ("operator", "wrong-one"), trust: .anything)
            #expect(wrong.outcome == .answers && wrong.problem?.contains("password") == true)
            let unknown = await controller.probe(
                address: "127.0.0.1", port: server.port, credentials: ("operator", "not-a-default"))
            #expect(unknown.problem?.contains(server.shown.sha256) == true && unknown.description == nil)
        }
        let nothing = await Self.impatient().probe(address: "127.0.0.1", port: 1, credentials: nil)
        #expect(nothing.outcome == .absent && nothing.problem != nil)
    }
}
