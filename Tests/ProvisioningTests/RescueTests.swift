import Foundation
import Machines
import SQLiteStore
import Store
import TestSupport
import Testing

/// Rescue shells by the real programs: a daemon, an agent that runs a real shell in its directory, and people at their terminals.
@Suite(.timeLimit(.minutes(5))) struct RescueTests {
    /// The CLI with something to type on.
    private struct Person {
        let child: ChildProcess
        private let keys: FileHandle

        /// - Parameter token: nil: the administrator's.
        init(_ installation: Installation, _ arguments: [String], token: String? = nil) throws {
            let pipe = installation.directory + "/keys-" + UUID().uuidString
            #expect(mkfifo(pipe, 0o600) == 0)
            let admin = try String(contentsOfFile: installation.directory + "/state/admin.token", encoding: .utf8)
            child = try ChildProcess(
                "sh", ["-c", "exec \"$0\" \"$@\" < \(pipe)", Installation.programs + "/slipway"] + arguments,
                environment: [
                    "SLIPWAY_SERVER": "https://\(installation.address):8443",
                    "SLIPWAY_CA": installation.directory + "/state/ca.pem",
                    "SLIPWAY_TOKEN": token ?? admin.trimmingCharacters(in: .whitespacesAndNewlines),
                ])
            keys = try #require(FileHandle(forWritingAtPath: pipe))
        }

        func type(_ text: String) throws { try keys.write(contentsOf: Data(text.utf8)) }
    }

    private static let bob = String(repeating: "b", count: 64)
    private static let eve = String(repeating: "e", count: 64)

    /// A machine that somebody accepted, with its agent, and tokens of two more people.
    private func with(_ body: (Installation, ChildProcess, TrialServer) async throws -> Void) async throws {
        try await Installation.with { installation in
            installation.kill()
            do {
                let store = try SQLiteRecordStore(path: installation.directory + "/state/slipway.sqlite")
                try await store.transaction { transaction in
                    let people = [(Self.bob, "bob", AccessToken.Role.admin), (Self.eve, "eve", .viewer)]
                    for (token, name, role) in people {
                        try transaction.put(
                            AccessToken(id: Credential.hash(token), name: name, role: role, createdAt: Date()))
                    }
                }
            }
            try await installation.start()
            let server = try TrialServer(installation)
            let agent = try await server.bootAgent()
            defer { agent.kill() }
            try #require(await agent.says("hardware reported"), "\(agent.output)")
            try await installation.slipway("machine", "accept", server.mac, "--name", "trial")
            try await body(installation, agent, server)
        }
    }

    @Test("two admins share a shell, a viewer is refused, a killed daemon does not end it, and all of it is recorded")
    func shared() async throws {
        try await with { installation, agent, server in
            let alice = try Person(installation, ["machine", "rescue", "trial", "--for", "10m"])
            defer { alice.child.kill() }
            try #require(await alice.child.says("rescue shell open"), "\(alice.child.output)\n\(agent.output)")
            try alice.type("X=kept; echo $((6*7))\r")
            try #require(await alice.child.says("42"), "\(alice.child.output)\n\(agent.output)")

            let bob = try Person(installation, ["machine", "shell", "trial"], token: Self.bob)
            defer { bob.child.kill() }
            try #require(await bob.child.says("42"), "what was printed last is shown: \(bob.child.output)")
            try bob.type("echo from-$((1+1))-bob\r")
            for person in [alice, bob] {
                #expect(await person.child.says("from-2-bob"), "\(person.child.output)")
            }

            for command in [["machine", "shell", "trial"], ["machine", "shell", "trial", "--recordings"]] {
                let eve = try Person(installation, command, token: Self.eve)
                #expect(await eve.child.ended(within: .seconds(20)) != 0)
                #expect(
                    eve.child.output.contains("read only") && !eve.child.output.contains("42"), "\(eve.child.output)")
            }

            installation.kill()
            try #require(await alice.child.says("trying again"), "\(alice.child.output)")
            try await installation.start()
            let isBack = await eventually {
                alice.child.lines.count { $0.contains("rescue shell open") } > 1
            }
            try #require(isBack, "\(alice.child.output)")
            try alice.type("echo still-$X\r")
            #expect(await alice.child.says("still-kept"), "\(alice.child.output)\n\(agent.output)")

            try alice.type("~.")
            #expect(await alice.child.ended(within: .seconds(20)) == 0)
            #expect(try await installation.field("phase", of: "trial") == "rescue")
            try bob.type("exit\r")
            #expect(await bob.child.ended(within: .seconds(30)) == 0, "\(bob.child.output)")
            #expect(bob.child.output.contains("rescue shell ended: bob left it"), "\(bob.child.output)")
            #expect(try await installation.reaches("available", "trial"))

            let printed = try await installation.slipway("machine", "shell", "trial", "--recording", "last")
            #expect(printed.contains("42") && printed.contains("from-2-bob") && printed.contains("still-kept"))
            #expect(!printed.contains("are lost"), "\(printed)")
            let typed = try await installation.slipway("machine", "shell", "trial", "--recording", "last", "--typed")
            #expect(typed.contains("admin: X=kept; echo $((6*7))\\r"), "\(typed)")
            #expect(typed.contains("bob: echo from") && typed.contains("bob: exit"), "\(typed)")
            let list = try await installation.slipway("machine", "shell", "trial", "--recordings")
            #expect(list.contains("admin,bob") && list.contains("bob left it"), "\(list)")
            let events = try await installation.slipway("event", "list", "--machine", "trial")
            for words in [
                "rescue shell opened by admin", "bob looks at the rescue shell", "rescue shell ended: bob left it",
            ] { #expect(events.contains(words), "\(words) in \(events)") }
            #expect(events.components(separatedBy: "rescue shell opened by").count == 2, "\(events)")

            let (status, output) = try await installation.cli(["machine", "shell", "trial"])
            #expect(status == 1 && output.contains("no rescue shell"), "\(output)")
        }
    }

    @Test(
        "an administrator's word ends it, and so does its time, with all that runs in it; its agent gets no other order",
        arguments: [true, false])
    func ends(byWord: Bool) async throws {
        try await with { installation, agent, server in
            let asked = try await installation.slipway("machine", "rescue", "trial", "--for", "1m", "--no-attach")
            #expect(asked.hasPrefix("o-"), "\(asked)")
            let person = try Person(installation, ["machine", "shell", "trial"])
            defer { person.child.kill() }
            try #require(await person.child.says("rescue shell open"), "\(person.child.output)\n\(agent.output)")
            // One that leaves the session, too.
            let seconds = [Int.random(in: 100_000..<200_000), Int.random(in: 200_000..<300_000)]
            try person.type("sleep \(seconds[0]) & setsid sleep \(seconds[1]) &\r")
            try #require(await eventually { sleepers(seconds) == 2 }, "\(person.child.output)\n\(agent.output)")
            if byWord { try await installation.slipway("machine", "rescue", "trial", "--end") }
            #expect(await person.child.ended(within: .seconds(90)) == 0, "\(person.child.output)")
            let end = byWord ? "admin ended it" : "its time is over"
            #expect(person.child.output.contains("rescue shell ended: \(end)"), "\(person.child.output)")
            #expect(try await installation.reaches("available", "trial"))
            #expect(await eventually { sleepers(seconds) == 0 }, "processes are left")
            let list = try await installation.slipway("machine", "shell", "trial", "--recordings")
            #expect(list.contains(end), "\(list)")
            // Whoever was root beside it may have changed it.
            #expect(await agent.ended(within: .seconds(60)) != nil, "\(agent.output)")
            #expect(agent.output.contains("boot from the network again"), "\(agent.output)")

            let anew = try await server.bootAgent()
            defer { anew.kill() }
            try #require(await anew.says("hardware reported"), "\(anew.output)")
            let second = try Person(installation, ["machine", "rescue", "trial"])
            defer { second.child.kill() }
            #expect(await second.child.says("rescue shell open"), "\(second.child.output)\n\(anew.output)")
        }
    }

    /// Processes `sleep SECONDS`.
    private func sleepers(_ seconds: [Int]) -> Int {
        let commands = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { pid in
            try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)
        }
        return commands?.count { command in seconds.contains { command == "sleep\u{0}\($0)\u{0}" } } ?? 0
    }
}
