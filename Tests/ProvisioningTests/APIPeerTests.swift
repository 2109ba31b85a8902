import Foundation
import Machines
import SQLiteStore
import Store
import TestSupport
import Testing

/// The REST API as curl sees it.
@Suite struct APIPeerTests {
    private func curl(_ installation: Installation, _ path: String, token: Bool = true, _ options: String...)
        async throws
        -> String
    {
        var arguments = [
            "--silent", "--include", "--max-time", "5", "--cacert", installation.directory + "/state/ca.pem",
        ]
        if token {
            let text = try String(contentsOfFile: installation.directory + "/state/admin.token", encoding: .utf8)
            arguments += ["--header", "Authorization: Bearer " + text.trimmingCharacters(in: .newlines)]
        }
        return try await ChildProcess.run(
            "curl", arguments + options + ["https://\(installation.address):8443/api/v1/\(path)"]
        ).output
    }

    @Test("metrics for Prometheus, to holders of a token")
    func metrics() async throws {
        try await Installation.with { installation in
            let file = try await ChildProcess.run(
                "curl", ["--silent", "tftp://\(installation.address):6969//undionly.kpxe", "--output", "/dev/null"])
            #expect(file.status == 0)
            _ = try await ChildProcess.run("curl", ["--silent", installation.bootURL + "/nothing"])
            #expect(try await curl(installation, "../../metrics", token: false).contains(" 401 "))
            let told = try await eventually {
                let page = try await curl(installation, "../../metrics")
                return [
                    #"slipway_transfers_total{outcome="completed",protocol="tftp"} 1"#,
                    #"slipway_transfer_seconds_count{protocol="tftp"} 1"#,
                    #"slipway_http_requests_total{status="404"} 1"#,
                    #"slipway_boot_traces{outcome="secureBoot"} 0.0"#,
                ].allSatisfy { page.contains($0 + "\n") }
            }
            let page = try await curl(installation, "../../metrics")
            #expect(told, "\(page)")
        }
    }

    @Test("who only holds connections keeps nobody else out, and holds them for no longer than a handshake may take")
    func heldConnections() async throws {
        try await Installation.with { installation in
            let holder = try await ChildProcess.run(
                "python3",
                [
                    "-c",
                    """
                    import select, socket, ssl, sys, time
                    def connect(source):
                        return socket.create_connection((sys.argv[1], 8443), timeout=90, source_address=(source, 0))
                    def ask(connection):
                        connection.sendall(b"GET /healthz HTTP/1.1\\r\\nHost: s\\r\\n\\r\\n")
                        return connection.recv(100).split()[1]
                    def closed(connections, count, seconds):
                        end = time.monotonic() + seconds
                        while True:
                            now = select.select(connections, [], [], 0)[0]
                            if len(now) >= count or time.monotonic() > end: return len(now)
                            time.sleep(0.05)
                    context = ssl._create_unverified_context()
                    kept = context.wrap_socket(connect("127.0.0.3"))
                    held = [connect("127.0.0.3") for _ in range(275)]
                    print(closed(held, 20, 15))
                    print(ask(context.wrap_socket(connect("127.0.0.1"))))
                    print(closed(held, 275, 60))
                    print(ask(kept), ask(context.wrap_socket(connect("127.0.0.3"))))
                    """, installation.address,
                ])
            #expect(holder.status == 0)
            #expect(holder.output == "20\nb'200'\n275\nb'200' b'200'")
            #expect(
                installation.log.contains("too many connections of one address to the API"),
                "\(installation.log)")
        }
    }

    @Test("a list in pages has everything once, and the command line reads it so")
    func pages() async throws {
        try await Installation.with { installation in
            installation.kill()
            do {
                let store = try SQLiteRecordStore(path: installation.directory + "/state/slipway.sqlite")
                for first in stride(from: 1000, to: 2100, by: 100) {
                    try await store.transaction { transaction in
                        for number in first..<first + 100 {
                            // By name they are the other way round.
                            try transaction.put(
                                Machine(
                                    id: "m-\(number)", name: "node-\(9999 - number)",
                                    observed: .init(phase: .discovered, phaseSince: Date()), createdAt: Date()))
                        }
                    }
                }
                try store.close()
            }
            try await installation.start()
            struct Page: Decodable {
                struct Item: Decodable { var id: String }
                var items: [Item]
                var next: String?
            }
            func page(_ query: String) async throws -> Page {
                let answer = try await curl(installation, "machines?" + query)
                let body = answer.components(separatedBy: "\r\n\r\n").last ?? ""
                return try JSONDecoder().decode(Page.self, from: Data(body.utf8))
            }
            var (ids, next, sizes) = ([String](), String?.none, [Int]())
            repeat {
                let part = try await page("limit=400" + (next.map { "&after=\($0)" } ?? ""))
                ids += part.items.map(\.id)
                sizes.append(part.items.count)
                next = part.next
            } while next != nil
            #expect(sizes == [400, 400, 300] && ids == (1000..<2100).map { "m-\($0)" })
            let whole = try await page("")
            #expect(whole.next == nil && whole.items.map(\.id) == ids.reversed())
            for wrong in ["limit=0", "limit=1001", "limit=x", "limit=-1"] {
                let answer = try await curl(installation, "machines?" + wrong)
                #expect(answer.contains(" 400 ") || answer.contains(" 422 "), "\(answer)")
                #expect(answer.contains("1 to 1000"), "\(answer)")
            }
            let names = try await installation.slipway("machine", "list", "--format", "name")
            #expect(names.split(separator: "\n").map { String($0) } == (7900...8999).map { "node-\($0)" })
        }
    }

    @Test("bearer tokens, ETag and If-Match, problems in words, and watches")
    func rest() async throws {
        try await Installation.with { installation in
            let server = try TrialServer(installation)
            let agent = try await server.bootAgent()
            defer { agent.kill() }
            try #require(await agent.says("hardware reported"), "\(agent.output)")

            let stranger = try await curl(installation, "machines", token: false)
            #expect(stranger.contains(" 401 ") && stranger.contains("application/problem+json"), "\(stranger)")
            let missing = try await curl(installation, "machines/nobody")
            #expect(missing.contains(" 404 ") && missing.contains("nobody"), "\(missing)")

            let shown = try await curl(installation, "machines/\(server.mac)")
            let tag = try #require(
                shown.split(whereSeparator: \.isNewline).first { $0.lowercased().hasPrefix("etag:") }, "\(shown)")
            let current = tag.dropFirst("etag:".count).trimmingCharacters(in: .whitespacesAndNewlines)
            let json = ["--header", "Content-Type: application/json", "--data", "{}"]
            let stale = try await curl(
                installation, "machines/\(server.mac)/accept", "--header", "If-Match: \"999\"", json[0], json[1],
                json[2],
                json[3])
            #expect(stale.contains(" 412 "), "\(stale)")
            let accepted = try await curl(
                installation, "machines/\(server.mac)/accept", "--header", "If-Match: \(current)", json[0], json[1],
                json[2], json[3])
            #expect(accepted.contains(" 200 ") && accepted.contains("\"accepted\":true"), "\(accepted)")

            let broken = try await curl(
                installation, "machines/\(server.mac)/provision", json[0], json[1], json[2], "{\"cluster\": 7}")
            #expect(broken.contains(" 400 ") || broken.contains(" 422 "), "\(broken)")
            #expect(broken.contains("cluster"), "\(broken)")

            let watched = try await curl(installation, "machines?watch=true")
            #expect(watched.contains("text/event-stream"), "\(watched)")
            #expect(watched.contains("event: put") && watched.contains("event: listed"), "\(watched)")
        }
    }

    @Test("who asks for another protocol is answered, and what follows is not kept")
    func upgrade() async throws {
        try await Installation.with { installation in
            let program = """
                import socket, ssl
                from concurrent.futures import ThreadPoolExecutor
                tls = ssl._create_unverified_context()
                ask = b"Host: x\\r\\nConnection: upgrade\\r\\nUpgrade: x\\r\\n"
                requests = (
                    b"GET /healthz HTTP/1.1\\r\\n" + ask, b"CONNECT x:1 HTTP/1.1\\r\\nHost: x:1\\r\\n",
                    b"POST /api/v1/machines/x/accept HTTP/1.1\\r\\nContent-Length: 2\\r\\n" + ask)
                def told(request):
                    s = tls.wrap_socket(socket.create_connection(("\(installation.address)", 8443)))
                    s.settimeout(20)
                    s.sendall(request + b"\\r\\n{}")
                    said, sent = s.recv(1000).lower(), 0
                    try:
                        while sent < 64 << 20: sent += s.send(b"x" * 16384)
                        end = "all taken"
                    except OSError: end = "cut off"
                    return f"{said.split()[1].decode()} {b'connection: close' in said} {end}"
                print(*ThreadPoolExecutor(3).map(told, requests), sep="\\n")
                """
            let said = try await ChildProcess.run("python3", ["-c", program]).output.split(separator: "\n")
            #expect(said == ["200 True cut off", "404 True cut off", "401 True cut off"])
        }
    }

    @Test("no secret is in an answer, an event, the log, or readable in the store")
    func secrets() async throws {
        try await Installation.with { installation in
            let server = try TrialServer(installation)
            let password = "bmc-password-4711"
            try password.write(
                toFile: installation.directory + "/password", atomically: true, encoding: .utf8)
            // Nothing listens there; what the daemon says about that is looked at, too.
            let agent = try await server.becomeNode(accept: [
                "--bmc", installation.address, "--bmc-port", "9", "--bmc-user", "admin", "--bmc-password-file",
                installation.directory + "/password",
            ])
            _ = try await installation.cli(["machine", "power", "status", "trial"])

            let join = try #require(try server.settings()["JOIN_TOKEN"])
            let ticket = try #require(agent.arguments.first { $0.hasPrefix("slipway.ticket=") }).dropFirst(15)
            let admin = try String(contentsOfFile: installation.directory + "/state/admin.token", encoding: .utf8)
            let secrets = [
                password, join, String(ticket), TrialServer.credential, admin.trimmingCharacters(in: .newlines),
            ]
            var said = ["log": installation.log]
            for path in ["machines", "machines/trial", "nodes", "clusters", "os-releases", "events", "version"] {
                said[path] = try await curl(installation, path)
            }
            for path in ["machines", "events"] {
                said[path + " watched"] = try await curl(installation, path + "?watch=true", "--max-time", "1")
            }
            for file in try FileManager.default.contentsOfDirectory(atPath: installation.directory + "/state")
            where file.hasPrefix("slipway.sqlite") {
                let bytes = try Data(contentsOf: URL(fileURLWithPath: installation.directory + "/state/" + file))
                said[file] = String(decoding: bytes, as: Unicode.ASCII.self)
            }
            let stored = said.filter { $0.key.hasPrefix("slipway.sqlite") }.values
            #expect(stored.contains { $0.contains("trial") })
            for (place, text) in said {
                for secret in secrets { #expect(!text.contains(secret), "\(secret) is in \(place):\n\(text)") }
            }
        }
    }
}
