import Foundation
import TestSupport
import Testing

/// DHCP in full mode against busybox's udhcpc, over a wire between two network namespaces that the test made.
@Suite(.enabled(if: getuid() == 0, "network namespaces need root")) struct DHCPPeerTests {
    /// Two namespaces joined by a veth pair; gone after `body`.
    private func withWire(_ body: (_ server: String, _ client: String) async throws -> Void) async throws {
        let name = "slipway-test-\(ProcessInfo.processInfo.processIdentifier)-\(UInt16.random(in: 0...0xffff))"
        let (server, client) = (name + "-s", name + "-c")
        func ip(_ words: String) async throws {
            let answer = try await ChildProcess.run("ip", words.split(separator: " ").map(String.init))
            try #require(answer.status == 0, "ip \(words): \(answer.output)")
        }
        func remove() async {
            for namespace in [server, client] {
                _ = try? await ChildProcess.run("ip", ["netns", "delete", namespace])
            }
        }
        do {
            try await ip("netns add \(server)")
            try await ip("netns add \(client)")
            try await ip("-n \(server) link add srv0 type veth peer name cli0 netns \(client)")
            try await ip("-n \(server) link set lo up")
            try await ip("-n \(server) address add 10.98.0.1/24 dev srv0")
            try await ip("-n \(server) link set srv0 up")
            try await ip("-n \(client) link set cli0 up")
            try await body(server, client)
        } catch {
            await remove()
            throw error
        }
        await remove()
    }

    /// What udhcpc was given: address, boot file, next server.
    private func lease(_ client: String, _ directory: String, _ options: [String]) async throws -> String {
        let (lease, output) = try await udhcpc(client, directory, options + ["-t", "5"])
        return try #require(lease, "no lease:\n\(output)")
    }

    private func udhcpc(_ client: String, _ directory: String, _ options: [String]) async throws
        -> (lease: String?, output: String)
    {
        let script = directory + "/udhcpc-script"
        try await ChildProcess.writeScript(#"[ "$1" != bound ] || echo "LEASE $ip $bootfile $siaddr""#, to: script)
        let answer = try await ChildProcess.run(
            "ip",
            [
                "netns", "exec", client, "busybox", "udhcpc", "-i", "cli0", "-n", "-q", "-f", "-T", "1",
                "-A", "1", "-O", "bootfile", "-s", script,
            ] + options)
        let line = answer.output.split(separator: "\n").first { $0.hasPrefix("LEASE ") }
        return (line.map { String($0.dropFirst("LEASE ".count)) }, answer.output)
    }

    static let pool = """
        dhcp:
          interface: srv0
          mode: full
          prefix_length: 24
          pool_start: 10.98.0.50
          pool_end: 10.98.0.60
        """

    @Test("leases are kept over kill -9, and only firmware is told a boot file")
    func leases() async throws {
        try await withWire { server, client in
            try await Installation.with(namespace: server, address: "10.98.0.1", configuration: Self.pool) {
                installation in
                let first = try await lease(client, installation.directory, Self.bios)
                #expect(first.hasPrefix("10.98.0.5") && first.hasSuffix("undionly.kpxe 10.98.0.1"), "\(first)")
                installation.kill()
                try await installation.start()
                #expect(try await lease(client, installation.directory, Self.bios) == first)
                let uefi = try await lease(client, installation.directory, Self.uefi)
                #expect(uefi == first.replacingOccurrences(of: "undionly.kpxe", with: "snponly.efi"))
                let address = try await ChildProcess.run(
                    "ip", ["-n", client, "link", "set", "cli0", "address", "02:00:00:00:00:77"])
                #expect(address.status == 0)
                let other = try await lease(client, installation.directory, Self.bios)
                #expect(other.prefix { $0 != " " } != first.prefix { $0 != " " })
                // Not a machine of ours, and not a firmware that could become one.
                let stranger = try await udhcpc(client, installation.directory, ["-t", "2"])
                #expect(stranger.lease == nil)
            }
        }
    }

    static let bios = ["-V", "PXEClient:Arch:00000:UNDI:002001", "-x", "0x5d:0000"]
    static let uefi = ["-V", "PXEClient:Arch:00007:UNDI:003016", "-x", "0x5d:0007"]

    @Test("noise is told once for each source, and the next client gets its lease")
    func noise() async throws {
        try await withWire { server, client in
            try await Installation.with(namespace: server, address: "10.98.0.1", configuration: Self.pool) {
                installation in
                let script = """
                    import os, socket
                    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                    head = bytes([1, 1, 6, 0]) + bytes(232) + bytes([99, 130, 83, 99])
                    for length in range(300):
                        udp.sendto(os.urandom(length), ("10.98.0.1", 67))
                        udp.sendto(head + os.urandom(length), ("10.98.0.1", 67))
                    """
                for words in [
                    ["ip", "-n", client, "address", "add", "10.98.0.9/24", "dev", "cli0"],
                    ["ip", "netns", "exec", client, "python3", "-c", script],
                ] {
                    let answer = try await ChildProcess.run(words[0], Array(words.dropFirst()))
                    #expect(answer.status == 0, "\(answer.output)")
                }
                #expect(try await lease(client, installation.directory, Self.bios).hasPrefix("10.98.0.5"))
                let told = installation.log.split(separator: "\n").filter { $0.contains("malformed bytes") }
                #expect(told.count == 1, "\(installation.log)")
            }
        }
    }
}
