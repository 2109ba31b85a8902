import Crypto
import Foundation
import NIOCore
import NIOHTTP1
import RedfishSimulator
import TestSupport
import Testing

@testable import AgentCore

/// The agent's HTTPS client against a server of Python's, which tells of each call the number of its connection.
@Suite struct DaemonClientTests {
    @Test("calls that follow each other share a connection; side by side they have one each")
    func kept() async throws {
        try await withDaemon { daemon async throws in
            let client = daemon.client()
            for _ in 0..<3 { #expect(try await client.status("/plain") == 200) }
            async let first = client.status("/slow")
            async let second = client.status("/slow")
            #expect(try await [first, second] == [200, 200])
            #expect(try await client.status("/plain") == 200)
            #expect(daemon.calls.prefix(3) == ["1 /plain", "1 /plain", "1 /plain"])
            #expect(Set(daemon.calls[3...4]) == ["1 /slow", "2 /slow"])
        }
    }

    @Test("a daemon that ended a kept connection is called anew", arguments: ["/ends", "/announcesEnd"])
    func ended(path: String) async throws {
        try await withDaemon { daemon async throws in
            let client = daemon.client()
            #expect(try await client.status(path) == 200)
            #expect(try await client.status("/plain") == 200)
            #expect(daemon.calls == ["1 \(path)", "2 /plain"])
        }
    }

    @Test("a call that a kept connection took and did not answer is repeated on a fresh one, once")
    func swallowed() async throws {
        try await withDaemon { daemon async throws in
            let client = daemon.client()
            #expect(try await client.status("/plain") == 200)
            let error = await #expect(throws: DaemonClientError.self) { try await client.status("/swallows") }
            #expect("\(error as Any)".contains("the connection ended before the answer did"))
            #expect(daemon.calls == ["1 /plain", "1 /swallows", "2 /swallows"])
        }
    }

    @Test("who is told to come later leaves its place")
    func later() async throws {
        try await withDaemon { daemon async throws in
            #expect(try await daemon.client().status("/later") == 204)
            #expect(await daemon.says("1 ended"))
        }
    }

    @Test("a connection ends by itself when no call follows")
    func idle() async throws {
        try await withDaemon { daemon async throws in
            #expect(try await daemon.client(idleTime: .milliseconds(50)).status("/plain") == 200)
            #expect(await daemon.says("1 ended"))
        }
    }

    @Test("with no idle time each call says that it is the last")
    func single() async throws {
        try await withDaemon { daemon async throws in
            let client = daemon.client(idleTime: .zero)
            for _ in 0..<2 { #expect(try await client.status("/plain") == 200) }
            #expect(daemon.calls == ["1 /plain close", "2 /plain close"])
        }
    }

    @Test("silence ends a call, and so does who asked")
    func silence() async throws {
        try await withDaemon { daemon async throws in
            let client = daemon.client()
            #expect(try await client.status("/plain") == 200)
            let error = await #expect(throws: DaemonClientError.self) {
                try await client.status("/silent", timeout: .seconds(1))
            }
            #expect("\(error as Any)".contains("no answer within 1 s"))
            // Nothing is repeated behind the back of a caller whose time is up.
            #expect(daemon.calls == ["1 /plain", "1 /silent"])
            let asking = Task { try await client.status("/silent", timeout: .seconds(600)) }
            #expect(await daemon.says("2 /silent"))
            asking.cancel()
            await #expect(throws: DaemonClientError.self) { try await asking.value }
            #expect(await daemon.says("2 ended"))
        }
    }

    @Test("a server of another authority hears nothing")
    func stranger() async throws {
        try await withDaemon { daemon async throws in
            let client = DaemonClient(host: "127.0.0.1", port: daemon.port, pin: String(repeating: "0", count: 64))
            let error = await #expect(throws: DaemonClientError.self) { try await client.status("/plain") }
            #expect("\(error as Any)".contains("CERTIFICATE_VERIFY_FAILED"))
            #expect(daemon.calls.isEmpty)
        }
    }
}

extension DaemonClient {
    fileprivate func status(_ path: String, timeout: TimeAmount = .seconds(30)) async throws -> Int {
        try await call(.GET, path, token: nil, body: nil, timeout: timeout).status
    }
}

private func withDaemon(_ body: (Daemon) async throws -> Void) async throws {
    try await withTemporaryDirectory { directory in
        let daemon = try await Daemon(directory)
        defer { daemon.stop() }
        try await body(daemon)
    }
}

/// Answers as the path says.
private struct Daemon {
    private let server: ChildProcess
    let pin: String
    let port: Int

    init(_ directory: String) async throws {
        let authority = try SimulatorCertificate.Authority()
        let own = try authority.issue(address: [127, 0, 0, 1])
        let chain = directory + "/chain.pem"
        try (own.pem + "\n" + authority.pem + "\n" + own.keyPEM).write(toFile: chain, atomically: true, encoding: .utf8)
        pin = try #require(Self.pin(authority.pem))
        server = try ChildProcess("python3", ["-u", "-c", Self.script, chain])
        #expect(await server.says("port "))
        port = try #require(
            server.lines.first { $0.hasPrefix("port ") }.flatMap { Int($0.dropFirst(5)) }, "\(server.output)")
    }

    func client(idleTime: TimeAmount = .seconds(60)) -> DaemonClient {
        DaemonClient(host: "127.0.0.1", port: port, pin: pin, idleTime: idleTime)
    }

    /// "CONNECTION PATH" in the order in which they came.
    var calls: [String] { server.lines.filter { $0.contains("/") } }

    func says(_ text: String) async -> Bool { await server.says(text) }

    func stop() { server.kill() }

    private static func pin(_ pem: String) -> String? {
        let base64 = pem.split(separator: "\n").filter { !$0.hasPrefix("-") }.joined()
        guard let der = Data(base64Encoded: base64), let parsed = CertificatePin.Parsed(certificate: Array(der)) else {
            return nil
        }
        return SHA256.hash(data: parsed.publicKeyInfo).map { String(format: "%02x", $0) }.joined()
    }

    private static let script = """
        import socket, ssl, sys, threading
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1])
        listener = socket.create_server(("127.0.0.1", 0))
        print("port", listener.getsockname()[1])
        def serve(raw, number):
            try:
                connection = context.wrap_socket(raw, server_side=True)
                carry(connection, number)
            except OSError:
                pass
            print(number, "ended")
        def carry(connection, number):
            data = b""
            while True:
                while b"\\r\\n\\r\\n" not in data:
                    more = connection.recv(65536)
                    if not more: return
                    data += more
                head, data = data.split(b"\\r\\n\\r\\n", 1)
                path = head.split()[1].decode()
                print(number, path + (" close" if b"\\r\\nConnection: close" in head else ""))
                if path == "/silent": connection.recv(1); return
                if path == "/swallows": connection.unwrap(); return
                if path == "/slow": together.wait(20)
                if path == "/later":
                    connection.sendall(b"HTTP/1.1 204 No Content\\r\\nRetry-After: 7\\r\\n\\r\\n")
                    continue
                last = b"Connection: close\\r\\n" if path == "/announcesEnd" else b""
                connection.sendall(b"HTTP/1.1 200 OK\\r\\n" + last + b"Content-Length: 2\\r\\n\\r\\nok")
                if path == "/ends": connection.unwrap(); connection.close(); return
        together = threading.Barrier(2)
        number = 0
        while True:
            raw, _ = listener.accept()
            number += 1
            threading.Thread(target=serve, args=(raw, number), daemon=True).start()
        """
}
