import Foundation
import Logging
import Machines
import NIOSSL
import Synchronization
import TestSupport
import Testing

@testable import NetworkBoot

/// Clients that come to no agreement on TLS, and what the trace is told of them.
@Suite struct TLSHandshakeTests {
    private final class Listener: NetworkBootDirector {
        private let heard = Mutex<[String]>([])
        var reasons: [String] { heard.withLock { $0 } }

        func instruction(for client: BootClient) -> BootInstruction { BootInstruction(.ignore) }
        func script(for client: BootClient) -> BootScript { .refuse("a test") }
        func record(_ event: BootTraceEvent) {
            if case .trouble(.tls(let reason)) = event.step { heard.withLock { $0.append(reason) } }
        }
    }

    @Test("why a handshake failed is told in words, and nothing of one that did not")
    func reasons() async throws {
        try await withTemporaryDirectory { directory in
            let (context, certificate) = try await Self.context(directory)
            let listener = Listener()
            let content = BootContent(
                scripts: try ScriptTests.scripts(), bootFiles: BootFileDirectory(directory), agents: [:],
                images: FileContractTests.NoImages(), director: listener, bootURL: "")
            let (ports, told) = AsyncStream.makeStream(of: Int.self)
            let server = BootHTTPServer(
                address: "127.0.0.1", port: 0, content: content,
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), tls: context,
                started: { told.yield($0) })
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await server.run() }
                let port = try #require(await ports.first { _ in true })
                let clients: [(String, [String], String?)] = [
                    ("curl", ["--cacert", certificate], nil),
                    ("curl", ["--tls-max", "1.2"], "tlsv1 alert unknown ca"),
                    (
                        "curl", [],
                        "it sent an alert that is not encrypted, as clients of TLS 1.3 do that refuse the certificate"
                    ),
                    // What an ECDSA certificate was to EDK2.
                    (
                        "curl", ["--tls-max", "1.2", "--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256"],
                        "no shared cipher"
                    ),
                    ("curl", ["--tls-max", "1.0", "--ciphers", "DEFAULT@SECLEVEL=0"], "unsupported protocol"),
                    (
                        "python3", ["-c", "import socket; socket.create_connection(('127.0.0.1', \(port))).close()"],
                        "the client broke off the handshake"
                    ),
                ]
                var expected: [String] = []
                for (program, options, reason) in clients {
                    let url = ["--silent", "--max-time", "10", "https://127.0.0.1:\(port)/grub/grub.cfg"]
                    let ended = try await ChildProcess.run(program, options + (program == "curl" ? url : []))
                    #expect((ended.status == 0) == (reason == nil || program != "curl"), "\(options): \(ended.output)")
                    if let reason { expected.append(reason) }
                    // Each before the next one comes.
                    let words = expected
                    let isHeard = await eventually { listener.reasons.count >= words.count }
                    #expect(isHeard && listener.reasons == words, "\(listener.reasons)")
                }
                group.cancelAll()
            }
        }
    }

    /// - Returns: also the path of its certificate.
    private static func context(_ directory: String) async throws -> (NIOSSLContext, String) {
        let (key, certificate) = (directory + "/key.pem", directory + "/certificate.pem")
        let made = try await ChildProcess.run(
            "openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=boot", "-addext",
                "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate,
            ])
        try #require(made.status == 0, "\(made.output)")
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
        configuration.minimumTLSVersion = .tlsv12
        return (try NIOSSLContext(configuration: configuration), certificate)
    }
}
