import BMCSimulator
import Machines
import Synchronization
import TestSupport
import Testing

@testable import PowerControl

/// The serial console against the simulator, on good and bad networks.
@Suite struct ConsoleTests {
    /// Reads until the text is there.
    static func read(_ console: any SerialConsole, until text: String) async throws -> String {
        var all: [UInt8] = []
        for try await bytes in console.output {
            all += bytes
            if String(decoding: all, as: UTF8.self).contains(text) { break }
        }
        return String(decoding: all, as: UTF8.self)
    }

    @Test("greeting, echo and break; it is deactivated and the session closed at the end")
    func echo() async throws {
        try await SimulatedBMCServer.with(FaultTests.bmc { _ in }) { server in
            try await FaultTests.controller.withConsole(of: FaultTests.access(server)) { console in
                let greeting = try await Self.read(console, until: "login: ")
                #expect(greeting == "login: ")
                try await console.send(Array("root\r".utf8))
                let echo = try await Self.read(console, until: "root\r")
                #expect(echo == "root\r")
                try await console.sendBreak()
                let answer = try await Self.read(console, until: "[break]")
                #expect(answer == "[break]")
            }
            #expect(server.bmc.console.typed == Array("root\r".utf8) + [0xff])
            #expect(server.bmc.commands.contains { $0.starts(with: [6, 0x49]) })
            let closed = await eventually { server.bmc.openSessions == 0 }
            #expect(closed)
        }
    }

    @Test("over a bad network every character arrives once, both ways", arguments: 1...4)
    func weather(seed: UInt64) async throws {
        let text = (0..<40).map { "line \($0) of what is typed\r" }.joined()
        try await SimulatedBMCServer.with(
            FaultTests.bmc(seed: seed) { bmc in
                (bmc.quirks.drops, bmc.quirks.duplicates) = (10, 10)
                bmc.quirks.consoleTakes = 23
            }
        ) { server in
            try await FaultTests.controller.withConsole(of: FaultTests.access(server)) { console in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await console.send(Array(text.utf8)) }
                    let screen = try await Self.read(console, until: "line 39 of what is typed\r")
                    // The machine repeats what is lost seven times, so that nothing is lost here.
                    #expect(screen == "login: " + text)
                    try await group.waitForAll()
                }
            }
            #expect(server.bmc.console.typed == Array(text.utf8))
        }
    }

    final class Seen: Sendable {
        let isOpen = Mutex(false)
        let error = Mutex<BMCError?>(nil)
    }

    @Test("one that is open elsewhere is told as such, or taken over by force; then the other one learns of it")
    func taken() async throws {
        try await SimulatedBMCServer.with(FaultTests.bmc { _ in }) { server in
            let seen = Seen()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    do {
                        try await FaultTests.controller.withConsole(of: FaultTests.access(server)) { console in
                            seen.isOpen.withLock { $0 = true }
                            for try await _ in console.output {}
                        }
                    } catch {
                        seen.error.withLock { $0 = error as? BMCError }
                    }
                }
                let open = await eventually { seen.isOpen.withLock { $0 } }
                #expect(open)
                let error = await #expect(throws: BMCError.self) {
                    try await FaultTests.controller.withConsole(of: FaultTests.access(server)) { _ in }
                }
                #expect(error?.detail.contains("somebody else has the console open") == true)
                try await FaultTests.controller.withConsole(of: FaultTests.access(server), takingOver: true) {
                    console in
                    let greeting = try await Self.read(console, until: "login: ")
                    #expect(greeting == "login: ")
                    // The one that lost it is gone, and has not ended ours by its farewell.
                    let gone = await eventually { seen.error.withLock { $0 } != nil && server.bmc.openSessions == 1 }
                    #expect(gone)
                    try await console.send(Array("mine".utf8))
                }
                try await group.waitForAll()
            }
            let end = seen.error.withLock { $0 }
            #expect(end?.reason == .refused && end?.detail.contains("somebody else took it over") == true)
        }
    }

    @Test("the session is kept alive while nobody types, and a BMC that is gone is told")
    func keepAlive() async throws {
        try await SimulatedBMCServer.with(FaultTests.bmc { $0.quirks.sessionIdle = 8 }) { server in
            try await FaultTests.controller.withConsole(of: FaultTests.access(server)) { console in
                _ = try await Self.read(console, until: "login: ")
                let before = server.bmc.commands.count
                let kept = await eventually { server.bmc.commands.count >= before + 5 }
                #expect(kept)
                try await console.send(Array("still here".utf8))
                let echo = try await Self.read(console, until: "still here")
                #expect(echo == "still here")
            }
            let error = await #expect(throws: BMCError.self) {
                try await FaultTests.controller.withConsole(of: FaultTests.access(server)) { console in
                    _ = try await Self.read(console, until: "login: ")
                    server.change { $0.forgetSessions() }
                    for try await _ in console.output {}
                }
            }
            #expect(error?.reason == .silent)
        }
    }

    /// What became of something that is typed.
    private final class Typed: Sendable {
        let outcome = Mutex<String?>(nil)

        func type(_ console: any SerialConsole, _ text: String) async {
            do {
                try await console.send(Array(text.utf8))
                outcome.withLock { $0 = "taken" }
            } catch {
                outcome.withLock { $0 = error is CancellationError ? "given up" : "\(error)" }
            }
        }
    }

    @Test("what is typed for a BMC that takes nothing is given up with whoever typed it, and the next one may type")
    func takesNothing() async throws {
        try await SimulatedBMCServer.with(FaultTests.bmc { $0.quirks.consoleTakes = 0 }) { server in
            try await FaultTests.controller.withConsole(of: FaultTests.access(server)) { console in
                let (typed, waiting) = (Typed(), Typed())
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { await typed.type(console, "a") }
                    #expect(await eventually { server.bmc.console.packets >= 3 })
                    group.addTask { await waiting.type(console, "b") }
                    group.cancelAll()
                    let over = await eventually {
                        typed.outcome.withLock { $0 } == "given up" && waiting.outcome.withLock { $0 } == "given up"
                    }
                    #expect(over)
                    // Else the group would wait for ever.
                    server.change { $0.quirks.consoleTakes = 255 }
                }
                // What the line had of it goes ahead, and counts for nobody.
                try await console.send(Array("cd".utf8))
                let text = String(decoding: server.bmc.console.typed, as: UTF8.self)
                #expect(text.hasSuffix("cd"), "\(text)")
            }
            let closed = await eventually { server.bmc.openSessions == 0 }
            #expect(closed)
        }
    }

    @Test("what is typed and lost goes out again, also while the machine prints all the time")
    func chatter() async throws {
        try await SimulatedBMCServer.with(
            FaultTests.bmc { bmc in
                (bmc.quirks.consoleLoses, bmc.quirks.chatters) = (2, true)
                // Not taken whole, either.
                bmc.quirks.consoleTakes = 2
            }
        ) { server in
            try await FaultTests.controller.withConsole(of: FaultTests.access(server)) { console in
                let typed = Typed()
                await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { for try await _ in console.output {} }
                    group.addTask { await typed.type(console, "hello") }
                    let taken = await eventually { typed.outcome.withLock { $0 } == "taken" }
                    #expect(taken)
                    server.change { $0.quirks.chatters = false }
                    group.cancelAll()
                }
            }
            #expect(server.bmc.console.typed == Array("hello".utf8))
        }
    }

    @Test("whoever is cancelled leaves the console free")
    func cancelled() async throws {
        try await SimulatedBMCServer.with(FaultTests.bmc { _ in }) { server in
            // Open for us, not only for the BMC: until then the end of the session ends it.
            let (opened, open) = AsyncStream.makeStream(of: Void.self)
            let task = Task {
                try await FaultTests.controller.withConsole(of: FaultTests.access(server)) { console in
                    open.yield()
                    for try await _ in console.output {}
                }
            }
            for await _ in opened { break }
            task.cancel()
            // Its body may end well before it hears of it.
            _ = await task.result
            let free = await eventually { server.bmc.commands.contains { $0.starts(with: [6, 0x49]) } }
            #expect(free)
        }
    }
}
