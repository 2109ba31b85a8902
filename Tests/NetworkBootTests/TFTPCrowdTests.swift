import Foundation
import TestSupport
import Testing

@testable import NetworkBoot

/// A row of racks that powers on at once.
@Suite struct TFTPCrowdTests {
    /// A thousand clients in lock-step, every other one with a window, and some that vanish after their first block. Says
    /// how many have the file's every byte.
    private static func clients(port: Int, file: String) -> String {
        """
        import resource, selectors, socket, struct, time
        resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        wanted = open("\(file)", "rb").read()
        clients = selectors.DefaultSelector()

        class Client:
            def __init__(self, number):
                self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                self.socket.setblocking(False)
                self.window = 8 if number % 2 else 1
                self.vanishes = number % 20 == 0
                self.begin()

            def begin(self):
                self.got, self.block = bytearray(), 0
                options = b"blksize\\x00512\\x00" + (b"windowsize\\x008\\x00" if self.window > 1 else b"")
                self.send(b"\\x00\\x01file\\x00octet\\x00" + options, ("127.0.0.1", \(port)))

            def send(self, packet, to):
                self.word, self.last = (packet, to), time.monotonic()
                self.socket.sendto(*self.word)

            def take(self):
                packet, sender = self.socket.recvfrom(2048)
                code, number = struct.unpack("!HH", packet[:4])
                if code == 6: return self.send(b"\\x00\\x04\\x00\\x00", sender)
                # On a host that stands still for half a minute the server gives up; clients ask again, as firmware does.
                if code == 5: return self.begin()
                assert code == 3, packet
                if number == self.block + 1:
                    self.got += packet[4:]
                    self.block = number
                elif self.block % self.window: return
                if len(packet) < 516 or self.block % self.window == 0:
                    self.send(struct.pack("!HH", 4, self.block), sender)
                return len(packet) < 516 and number == self.block

        alive = [Client(number) for number in range(1000)]
        for client in alive: clients.register(client.socket, selectors.EVENT_READ, client)
        whole = wrong = 0
        end = time.monotonic() + 50
        while alive and time.monotonic() < end:
            for key, _ in clients.select(0.5):
                client = key.data
                done = client.take()
                if not done and not (client.vanishes and client.block): continue
                whole += bool(done and client.got == wanted)
                wrong += bool(done and client.got != wanted)
                clients.unregister(client.socket)
                client.socket.close()
                alive.remove(client)
            for client in alive:
                if time.monotonic() - client.last > 2: client.send(*client.word)
        print("whole", whole, "wrong", wrong)
        """
    }

    @Test("a thousand clients at once get every byte, though some of them vanish", arguments: [false, true])
    func crowd(singlePort: Bool) async throws {
        try await withTemporaryDirectory { directory in
            var random = SeededGenerator(seed: 1000)
            try Data(random.bytes(20_000)).write(to: URL(fileURLWithPath: directory + "/file"))
            try await FileContractTests.serving(directory, singlePort: singlePort) { tftp, _ in
                let program = Self.clients(port: tftp, file: directory + "/file")
                let answer = try await ChildProcess.run("python3", ["-c", program])
                #expect(answer.output == "whole 950 wrong 0")
            }
        }
    }
}
