import Foundation
import Logging
import Machines
import NetworkAddresses
import TestSupport
import Testing

@testable import NetworkBoot

/// Whose piece of an image is next, as decided, and as it reaches clients.
@Suite(.timeLimit(.minutes(2))) struct FairTurnsTests {
    /// What is said: `a` asks as the address a, `-a` ends a piece of it, `+2` lets two seconds pass, `|` looks who may. One piece is 100 bytes.
    @Test(
        "an address has one share, whatever it asks; all together have a rate; and who is stuck holds up nobody",
        arguments: [
            // The second of an address waits for the first.
            (nil, 1, "a a b | -a | -a |", "ab a -"), (nil, 2, "a a a b | -a |", "aba a"),
            (nil, 1, "a | b | c |", "a b c"),
            // In turns, however many of one are there.
            (nil, 1, "a a a a b b | -a -b | -a -b | -a |", "ab ab a a"),
            // A piece that is not gone after two seconds keeps nobody waiting; when it goes after all, nothing is counted twice.
            (nil, 1, "a a a | +1 | +1 | -a | -a |", "a - a - a"),
            // 100 bytes a second: credit of a fiftieth of a second, then one a second.
            (100, 9, "a a b c | +1 | +0.5 | +0.5 | +9 |", "- a - b c"),
            (100, 9, "+1 a a b c | +1 | +0.5 | +0.5 | +1 |", "a b - c a"),
        ] as [(Double?, Int, String, String)])
    func decided(rate: Double?, perAddress: Int, said: String, turns: String) {
        var now = 10.0
        var fair = FairTurns<String>(ImageLimits(bytesPerSecond: rate, perAddress: perAddress), now: now)
        var told: [String] = []
        for word in said.split(separator: " ").map(String.init) {
            switch word.first {
            case "|":
                let tickets = fair.next(now: now).tickets
                told.append(tickets.isEmpty ? "-" : tickets.joined())
            case "+": now += Double(word.dropFirst()) ?? 0
            case "-": fair.ended(String(word.dropFirst()), now: now)
            default: fair.ask(word, of: word, bytes: 100, now: now)
            }
        }
        #expect(told.joined(separator: " ") == turns)
    }

    @Test("somebody looks again when there may be a turn, and not when only an end can bring one")
    func again() {
        var fair = FairTurns<Int>(ImageLimits(bytesPerSecond: 1000, perAddress: 1), now: 0)
        fair.ask(1, of: "a", bytes: 100, now: 0)
        #expect(fair.next(now: 0).again == 0.001)
        #expect(fair.next(now: 0.01).tickets == [1])
        fair.ask(2, of: "b", bytes: 100, now: 0.01)
        let (tickets, again) = fair.next(now: 0.01)
        #expect(tickets.isEmpty && abs((again ?? 0.0) - 0.09) < 0.001)
        #expect(fair.next(now: 1).tickets == [2])
        #expect(fair.next(now: 1).again == nil)
        // Held, until its piece is gone or forgotten.
        fair.ask(3, of: "a", bytes: 100, now: 1)
        #expect(fair.next(now: 1).again == nil || fair.next(now: 1).tickets.isEmpty)
    }

    private struct OneImage: ImageSource {
        let path: String
        func path(ofImage digest: String) async -> String? { path }
    }

    /// Runs a boot HTTP server with one image of 64 MiB and one boot file.
    private func serving(_ limits: ImageLimits, _ body: @escaping @Sendable (Int) async throws -> Void) async throws {
        try await withTemporaryDirectory { directory in
            try Data(count: 64 << 20).write(to: URL(filePath: directory + "/image"))
            try Data("boot file".utf8).write(to: URL(filePath: directory + "/file"))
            let project = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").path
            let content = BootContent(
                scripts: try BootScripts(directory: project + "/ipxe-scripts"),
                bootFiles: BootFileDirectory(directory), agents: [:], images: OneImage(path: directory + "/image"),
                director: FileContractTests.Director(), bootURL: "", limits: limits)
            let (ports, told) = AsyncStream.makeStream(of: Int.self)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await BootHTTPServer(
                        address: "0.0.0.0", port: 0, content: content,
                        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, started: { told.yield($0) }
                    ).run()
                }
                for await port in ports {
                    try await body(port)
                    break
                }
                group.cancelAll()
                while let result = await group.nextResult() {
                    if case .failure(let error) = result, !(error is CancellationError) { throw error }
                }
            }
        }
    }

    /// One address with twenty connections and three with one each read until they have so much together; prints what each got, in KiB, the
    /// seconds, and how many boot files came meanwhile.
    private static func storm(_ port: Int, mebibytes: Int) -> String {
        """
        import selectors, socket, time
        select, got = selectors.DefaultSelector(), {}
        def ask(source):
            s = socket.create_connection(("127.0.0.1", \(port)), source_address=(source, 0))
            s.sendall(b"GET /images/x HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"); s.setblocking(False)
            select.register(s, selectors.EVENT_READ, source)
        for _ in range(20): ask("127.0.0.2")
        for last in (3, 4, 5): ask(f"127.0.0.{last}")
        begin, files, all = time.monotonic(), 0, 0
        while all < \(mebibytes) << 20:
            for key, _ in select.select(0.05):
                try: got[key.data] = got.get(key.data, 0) + len(key.fileobj.recv(1 << 16))
                except BlockingIOError: pass
            all = sum(got.values())
            if all >> 22 > files:
                files += 1
                s = socket.create_connection(("127.0.0.1", \(port)), source_address=("127.0.0.6", 0)); s.settimeout(20)
                s.sendall(b"GET /boot/files/file HTTP/1.1\\r\\nConnection: close\\r\\n\\r\\n")
                while s.recv(4096): pass
        print(*(got.get(f"127.0.0.{last}", 0) >> 10 for last in (2, 3, 4, 5)), time.monotonic() - begin, files)
        """
    }

    @Test(
        "twenty connections of one machine get what one of another gets, below the rate, and boot files pass them all")
    func storm() async throws {
        try await serving(ImageLimits(bytesPerSecond: 16 * 1_048_576)) { port in
            let said = try await ChildProcess.run("python3", ["-c", Self.storm(port, mebibytes: 48)]).output
            let numbers = said.split(separator: " ").compactMap { Double($0) }
            try #require(numbers.count == 6, "\(said)")
            let (shares, all) = (numbers.prefix(4), numbers.prefix(4).reduce(0, +))
            #expect(shares.allSatisfy { $0 * 4 > all * 0.8 && $0 * 4 < all * 1.2 }, "\(said)")
            // 48 MiB at 16 MiB a second.
            #expect(numbers[4] > 2.9, "\(said)")
            #expect(numbers[5] == 12, "\(said)")
        }
    }

    @Test("without a rate every byte arrives, by one connection and by many")
    func whole() async throws {
        try await serving(ImageLimits()) { port in
            let url = "http://127.0.0.1:\(port)/images/x"
            let command = """
                for i in 1 2 3 4 5 6 7 8; do curl --silent --max-time 60 \(url) | wc -c & done; wait
                curl --silent --range 1048570- \(url) | wc -c
                curl --silent --head \(url) | grep -i etag
                """
            let said = try await ChildProcess.run("sh", ["-c", command]).output.split(separator: "\n")
            #expect(said.prefix(8).allSatisfy { $0 == "\(64 << 20)" }, "\(said)")
            #expect(said.dropFirst(8).first == "\((64 << 20) - 1_048_570)", "\(said)")
            // The same wherever the file lies: a mirror's clients may go on here.
            #expect(said.last?.contains("\"x\"") ?? false, "\(said)")
        }
    }
}
