import Foundation
import TestSupport
import Testing

@testable import NetworkBoot

/// One connection and many requests (RFC 9112 §9.3), spoken by hand.
@Suite struct HTTPConnectionTests {
    private func say(_ program: String) async throws -> [String] {
        try await withTemporaryDirectory { directory in
            try Data("file".utf8).write(to: URL(fileURLWithPath: directory + "/file"))
            let begin = """
                import re
                s = socket.create_connection(http); s.settimeout(20)
                def get(path, *fields, method="GET"):
                    return "\\r\\n".join([f"{method} {path} HTTP/1.1", "Host: x", *fields, "", ""]).encode()
                def everything():
                    got = b""
                    while piece := s.recv(100000): got += piece
                    return got
                def answers(got):
                    while got:
                        head, _, got = got.partition(b"\\r\\n\\r\\n")
                        length = re.search(rb"Content-Length: (\\d+)", head)
                        body, got = got[:int(length[1])], got[int(length[1]):]
                        print(head.split()[1].decode(), re.search(rb"Connection: (\\S+)", head)[1].decode(), body[:4])

                """
            return try await StubbornClientTests.python(begin + program, directory: directory)
                .split(separator: "\n").map(String.init)
        }
    }

    @Test("requests that come together are answered in their order, texts and files, until one that closes")
    func together() async throws {
        let said = try await say(
            """
            text, file = get("/grub/grub.cfg"), get("/boot/files/file")
            s.sendall(text + file + file + text + text + get("/boot/files/file", "Connection: close") + text)
            answers(everything())
            """)
        #expect(
            said == [
                "200 keep-alive b'# Wh'", "200 keep-alive b'file'", "200 keep-alive b'file'", "200 keep-alive b'# Wh'",
                "200 keep-alive b'# Wh'", "200 close b'file'",
            ])
    }

    @Test("a request in pieces is one request, and two in one piece are two")
    func pieces() async throws {
        let said = try await say(
            """
            both = get("/grub/grub.cfg") + get("/boot/files/file", "Connection: close")
            for at in range(0, len(both), 9): s.sendall(both[at:at + 9]); time.sleep(0.001)
            answers(everything())
            """)
        #expect(said == ["200 keep-alive b'# Wh'", "200 close b'file'"])
    }

    @Test(
        "what cannot be answered is told so, and ends the connection",
        arguments: [
            ("b'hello\\r\\n\\r\\n'", "400 close b'this'"), ("get('/nothing')", "404 close b'no s'"),
            ("get('/boot/ipxe?mac=x')", "404 close b'no s'"),
            ("get('/grub/grub.cfg', 'Content-Length: 2', method='POST') + b'ab'", "405 close b'this'"),
            ("get('/' + 'x' * 3000)", "414 close b'the '"),
            ("get('/', *[f'X-{n}: ' + 'x' * 1000 for n in range(20)])", "414 close b'the '"),
        ])
    func refused(request: String, answer: String) async throws {
        #expect(try await say("s.sendall(\(request) + get('/grub/grub.cfg'))\nanswers(everything())") == [answer])
    }

    @Test("HEAD brings no body, and the next answer follows")
    func head() async throws {
        let said = try await say(
            """
            for path in ("/grub/grub.cfg", "/boot/files/file"):
                s.sendall(get(path, method="HEAD"))
                got = b""
                while not got.endswith(b"\\r\\n\\r\\n"): got += s.recv(1)
                print(got.split()[1].decode())
            s.sendall(get("/boot/files/file", "Connection: close"))
            answers(everything())
            """)
        #expect(said == ["200", "200", "200 close b'file'"])
    }

    @Test(
        "a request that never ends, or asks for another protocol and goes on, is cut off, and not kept",
        arguments: [
            ("b'GET /grub/grub.cfg HTTP/1.1\\r\\nConnection: upgrade\\r\\nUpgrade: x\\r\\n\\r\\n'", "b'x'"),
            ("b'GET /grub/grub.cfg HTTP/1.1\\r\\nX: '", "b'x'"), ("b'GET /'", "b'x'"),
            ("b'GET /grub/grub.cfg HTTP/1.1\\r\\n'", "b'A: b\\r\\n'"),
            ("b'GET /grub/grub.cfg HTTP/1.1\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n'", "b'A: b\\r\\n'"),
        ])
    func endless(begin: String, rest: String) async throws {
        let said = try await say(
            """
            s.sendall(\(begin))
            piece, sent = \(rest) * 10000, 0
            try:
                while sent < 64 << 20: sent += s.send(piece)
                print("all taken")
            except OSError: print("cut off")
            """)
        #expect(said == ["cut off"])
    }

    @Test("who asks on and on and reads nothing is not read from")
    func neverReads() async throws {
        // Asked for by 64 MiB of requests, the answers would be ten times as much. Some MiB fit into the sockets.
        let said = try await say(
            """
            s.settimeout(1)
            requests, sent = get("/grub/grub.cfg") * 1000, 0
            try:
                while sent < 64 << 20: sent += s.send(requests)
                print("all taken")
            except TimeoutError: print("held")
            except OSError: print("cut off")
            s.settimeout(20)
            print(s.recv(15))
            """)
        #expect(said == ["held", "b'HTTP/1.1 200 OK'"])
    }
}
