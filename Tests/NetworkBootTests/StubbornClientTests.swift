import Foundation
import TestSupport
import Testing

@testable import NetworkBoot

/// Clients as they are: restarted in mid-transfer, repeating themselves, slow, and many.
@Suite struct StubbornClientTests {
    /// Runs `program` in Python, with `tftp` and `http` as the servers' addresses and some words of TFTP.
    static func python(_ program: String, directory: String, singlePort: Bool = false) async throws -> String {
        let output = Outbox()
        try await FileContractTests.serving(directory, singlePort: singlePort) { tftp, http in
            let words = """
                import socket, time
                tftp, http = ("127.0.0.1", \(tftp)), ("127.0.0.1", \(http))
                def request(file): return b"\\0\\1" + file + b"\\0octet\\0"
                def ack(block): return bytes([0, 4, 0, block])
                def client():
                    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(9)
                    return s

                """
            await output.put(try await ChildProcess.run("python3", ["-c", words + program]).output)
        }
        return await output.text
    }

    private actor Outbox {
        var text = ""
        func put(_ text: String) { self.text = text }
    }

    @Test("clients that never end their request are cut off, and others are served meanwhile")
    func slowLoris() async throws {
        try await withTemporaryDirectory { directory in
            try Data("x".utf8).write(to: URL(fileURLWithPath: directory + "/file"))
            try await FileContractTests.serving(directory) { _, http in
                // Two hundred connections that say a byte every tenth of a second, until all are closed by the other side.
                let program = """
                    import socket, time
                    open = [socket.create_connection(("127.0.0.1", \(http))) for _ in range(200)]
                    for connection in open: connection.sendall(b"GET /boot/files/file HTTP/1.1\\r\\nX: ")
                    print("begun", flush=True)
                    end = time.monotonic() + 20
                    while open and time.monotonic() < end:
                        time.sleep(0.1)
                        for connection in list(open):
                            try:
                                connection.sendall(b"x")
                            except OSError:
                                open.remove(connection)
                    print("left", len(open), flush=True)
                    """
                let loris = try ChildProcess("python3", ["-c", program])
                let begun = await loris.says("begun")
                #expect(begun, "\(loris.output)")
                let served = try await FileContractTests.curl("http://127.0.0.1:\(http)/boot/files/file")
                #expect(served == "x")
                let cut = await loris.says("left 0", within: .seconds(30))
                #expect(cut, "\(loris.output)")
            }
        }
    }

    @Test(
        "TFTP: a client that is started anew with its old port is served anew; one that repeats itself is not",
        arguments: [true, false])
    func restarted(singlePort: Bool) async throws {
        try await withTemporaryDirectory { directory in
            try Data(repeating: 7, count: 5000).write(to: URL(fileURLWithPath: directory + "/file"))
            let said = try await Self.python(
                """
                s = client()
                def block():
                    data, peer = s.recvfrom(2000)
                    return data[1] * 100 + data[3], peer
                s.sendto(request(b"file"), tftp); s.sendto(request(b"file"), tftp)
                first, peer = block()
                s.sendto(ack(1), peer)
                second, _ = block()
                s.sendto(request(b"file"), tftp)
                print(first, second, block()[0])
                """, directory: directory, singlePort: singlePort)
            #expect(said == "301 302 301")
        }
    }

    @Test("TFTP: a request said twice that is read late ends nothing", arguments: [true, false])
    func late(singlePort: Bool) async throws {
        try await withTemporaryDirectory { directory in
            try Data(repeating: 7, count: 5000).write(to: URL(fileURLWithPath: directory + "/file"))
            let said = try await Self.python(
                """
                s = client()
                s.sendto(request(b"file"), tftp)
                data, peer = s.recvfrom(2000)
                for block in range(1, 10):
                    s.sendto(ack(block), peer)
                    data, other = s.recvfrom(2000)
                    print(data[1] * 100 + data[3], other == peer)
                    s.sendto(request(b"file"), tftp)
                """, directory: directory, singlePort: singlePort)
            #expect(said == (2...10).map { "\(300 + $0) True" }.joined(separator: "\n"))
        }
    }

    @Test(
        "TFTP: a client that answers at once, for as long as it is served, keeps nobody from being served",
        arguments: [true, false])
    func quick(singlePort: Bool) async throws {
        try await withTemporaryDirectory { directory in
            try Data(repeating: 7, count: 512 * 20_000).write(to: URL(fileURLWithPath: directory + "/long"))
            try Data(repeating: 8, count: 512 * 40).write(to: URL(fileURLWithPath: directory + "/file"))
            let said = try await Self.python(
                """
                import threading
                def fetch(file, got):
                    s, peer = client(), tftp
                    s.sendto(request(file), tftp)
                    while True:
                        data, peer = s.recvfrom(2000)
                        s.sendto(data[:1] + b"\\4" + data[2:4], peer)
                        # One that comes twice is answered twice, and counts once.
                        if data[2:4] == (len(got) + 1).to_bytes(2, "big"): got.append(data)
                        if len(data) < 516: return
                long = []
                quick = threading.Thread(target=fetch, args=(b"long", long))
                quick.start()
                while len(long) < 100: time.sleep(0.001)
                for _ in range(10):
                    short = []
                    fetch(b"file", short)
                    assert len(short) == 41
                others = quick.is_alive()
                quick.join()
                print(others, len(long) == 20001)
                """, directory: directory, singlePort: singlePort)
            #expect(said == "True True")
        }
    }

    @Test("TFTP: the last ACK said twice is passed over, and a stranger's is refused", arguments: [true, false])
    func lastWord(singlePort: Bool) async throws {
        try await withTemporaryDirectory { directory in
            try Data("x".utf8).write(to: URL(fileURLWithPath: directory + "/file"))
            let said = try await Self.python(
                """
                s = client()
                s.sendto(request(b"file"), tftp)
                data, peer = s.recvfrom(2000)
                for _ in range(3): s.sendto(ack(1), peer)
                # Nothing but the answer to this one comes.
                s.sendto(request(b"missing"), tftp)
                print(data, s.recvfrom(2000)[0][:4])
                stranger = client()
                stranger.sendto(ack(1), peer)
                print(stranger.recvfrom(2000)[0][:4])
                """, directory: directory, singlePort: singlePort)
            #expect(
                said == #"""
                    b'\x00\x03\x00\x01x' b'\x00\x05\x00\x01'
                    b'\x00\x05\x00\x05'
                    """#)
        }
    }

    @Test("HTTP: what a client says while its file is on the way does not cut it off, however slowly it reads")
    func slowReader() async throws {
        try await withTemporaryDirectory { directory in
            try Data().write(to: URL(fileURLWithPath: directory + "/file"))
            try FileHandle(forWritingTo: URL(fileURLWithPath: directory + "/file")).truncate(atOffset: 32 << 20)
            // The server gives a request one second.
            let said = try await Self.python(
                """
                s = socket.create_connection(http); s.settimeout(9)
                s.sendall(b"GET /boot/files/file HTTP/1.1\\r\\n\\r\\n")
                got = len(s.recv(1000))
                s.sendall(b"GET /boot/files/file HTT")
                time.sleep(2.5)
                while got < 32 << 20 and (data := s.recv(1 << 20)): got += len(data)
                print(got >= 32 << 20)
                """, directory: directory)
            #expect(said == "True")
        }
    }
}
