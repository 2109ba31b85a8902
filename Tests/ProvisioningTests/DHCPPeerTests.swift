import Foundation
import TestSupport
import Testing

/// DHCP against busybox's udhcpc, relays of two makers, over wires between network namespaces that the test made.
@Suite(.enabled(if: getuid() == 0, "network namespaces need root")) struct DHCPPeerTests {
    /// What udhcpc was given: address, boot file, next server.
    private func lease(_ wire: Wire, _ directory: String, _ options: [String], on link: String = "cli0") async throws
        -> String
    {
        let (lease, output) = try await udhcpc(wire, directory, ["-t", "5"] + options, on: link)
        return try #require(lease, "no lease:\n\(output)")
    }

    private func udhcpc(_ wire: Wire, _ directory: String, _ options: [String], on link: String = "cli0") async throws
        -> (lease: String?, output: String)
    {
        let script = directory + "/udhcpc-script"
        try await ChildProcess.writeScript(#"[ "$1" != bound ] || echo "LEASE $ip $bootfile $siaddr""#, to: script)
        let answer = try await ChildProcess.run(
            "ip",
            [
                "netns", "exec", wire.client, "busybox", "udhcpc", "-i", link, "-n", "-q", "-f", "-T", "1",
                "-A", "1", "-O", "bootfile", "-s", script,
            ] + options)
        let line = answer.output.split(separator: "\n").first { $0.hasPrefix("LEASE ") }
        return (line.map { String($0.dropFirst("LEASE ".count)) }, answer.output)
    }

    /// How packets come and go: by a socket, or beside another program that has the ports.
    enum Way: String, CaseIterable { case socket, capture }

    private func serving(
        _ wire: Wire, by way: Way, _ configuration: String = pool, _ body: (Installation) async throws -> Void
    ) async throws {
        let holder = """
            import signal, socket
            held = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
            for one, port in zip(held, (67, 4011)): one.bind(("0.0.0.0", port))
            print("held", flush=True)
            signal.pause()
            """
        let other =
            way == .socket ? nil : try ChildProcess("ip", ["netns", "exec", wire.server, "python3", "-c", holder])
        defer { other?.kill() }
        if let other { try #require(await other.says("held"), "\(other.output)") }
        try await Installation.with(namespace: wire.server, address: "10.98.0.1", configuration: configuration) {
            installation in
            let words = "DHCP listens by \(way == .socket ? "a socket" : "capture")"
            try #require(await eventually { installation.log.contains(words) }, "\(installation.log)")
            try await body(installation)
        }
    }

    static let pool = """
        dhcp:
          - interface: srv0
            subnet: 10.98.0.0/24
            mode: pool
            pools: [10.98.0.50-10.98.0.60]
        """

    @Test("leases are kept over kill -9, and only firmware is told a boot file", arguments: Way.allCases)
    func leases(way: Way) async throws {
        try await Wire.with { wire in
            try await serving(wire, by: way) {
                installation in
                let first = try await lease(wire, installation.directory, Self.bios)
                #expect(first.hasPrefix("10.98.0.5") && first.hasSuffix("undionly.kpxe 10.98.0.1"), "\(first)")
                installation.kill()
                try await installation.start()
                #expect(try await lease(wire, installation.directory, Self.bios) == first)
                let uefi = try await lease(wire, installation.directory, Self.uefi)
                #expect(uefi == first.replacingOccurrences(of: "undionly.kpxe", with: "snponly.efi"))
                try await wire.ip("-n \(wire.client) link set cli0 address 02:00:00:00:00:77")
                let other = try await lease(wire, installation.directory, Self.bios)
                #expect(other.prefix { $0 != " " } != first.prefix { $0 != " " })
                // Not a machine of ours, and not a firmware that could become one.
                let stranger = try await udhcpc(wire, installation.directory, ["-t", "2"])
                #expect(stranger.lease == nil)
            }
        }
    }

    @Test("two interfaces at once: each machine is given what its own network has", arguments: Way.allCases)
    func interfaces(way: Way) async throws {
        let both =
            Self.pool + """

                  - interface: srv1
                    subnet: 10.97.0.0/24
                    mode: reservation
                    reservations: [{mac: "02:00:00:00:00:71", address: 10.97.0.71}]
                """
        try await Wire.with { wire in
            try await wire.ip("-n \(wire.server) link add srv1 type veth peer name cli1 netns \(wire.client)")
            try await wire.ip("-n \(wire.client) link set cli1 address 02:00:00:00:00:71 up")
            try await wire.ip("-n \(wire.server) address add 10.97.0.1/24 dev srv1")
            try await wire.ip("-n \(wire.server) link set srv1 up")
            try await serving(wire, by: way, both) { installation in
                let first = try await lease(wire, installation.directory, Self.bios)
                #expect(first.hasPrefix("10.98.0.5"))
                let second = try await lease(wire, installation.directory, Self.uefi, on: "cli1")
                #expect(second.hasPrefix("10.97.0.71 snponly.efi "))
                // What is reserved in one network is no address of the other.
                try await wire.ip("-n \(wire.client) link set cli1 address 02:00:00:00:00:72")
                try await wire.ip("-n \(wire.client) link set cli0 address 02:00:00:00:00:71")
                let moved = try await lease(wire, installation.directory, Self.bios)
                #expect(moved.hasPrefix("10.98.0.5"))
                let stranger = try await udhcpc(wire, installation.directory, Self.bios + ["-t", "2"], on: "cli1")
                #expect(stranger.lease == nil)
            }
        }
    }

    @Test("an address at which somebody answers is not given away, whether by ping or by ARP alone")
    func conflicts() async throws {
        let two = Self.pool.replacingOccurrences(of: "10.98.0.60", with: "10.98.0.52")
        try await Wire.with { wire in
            // Two squatters behind the same wire; one of them drops pings.
            try await wire.ip("-n \(wire.client) address add 10.98.0.50/24 dev cli0")
            try await wire.ip("-n \(wire.client) address add 10.98.0.51/24 dev cli0")
            _ = try await ChildProcess.run(
                "ip",
                ["netns", "exec", wire.client, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all"])
            try await Installation.with(namespace: wire.server, address: "10.98.0.1", configuration: two) {
                installation in
                let isSeen = await eventually {
                    installation.log.contains("address=10.98.0.50") && installation.log.contains("address=10.98.0.51")
                }
                #expect(isSeen, "\(installation.log)")
                let given = try await lease(wire, installation.directory, Self.bios)
                #expect(given.hasPrefix("10.98.0.52 "), "\(given)")
            }
        }
    }

    static let bios = ["-V", "PXEClient:Arch:00000:UNDI:002001", "-x", "0x5d:0000"]
    static let uefi = ["-V", "PXEClient:Arch:00007:UNDI:003016", "-x", "0x5d:0007"]

    /// dnsmasq's relay, and ISC's, which names the client's subnet beside an address of its own (RFC 3527) and its port (RFC 3046).
    static let relays = [
        [
            "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--log-dhcp", "--log-facility=-",
            "--user=root", "--pid-file=", "--dhcp-relay=10.99.0.254,10.98.0.1",
        ],
        ["dhcrelay", "-4", "-d", "--no-pid", "-a", "-id", "rel1", "-U", "rel0", "10.98.0.1"],
    ]

    @Test("a relayed subnet has its own pool", arguments: relays, Way.allCases)
    func relay(command: [String], way: Way) async throws {
        try await Wire.with { wire in
            let router = try await wire.addRouter()
            let subnets = """
                dhcp:
                  - {interface: srv0, mode: off}
                  - {subnet: 10.99.0.0/24, mode: pool, pools: [10.99.0.50-10.99.0.60], router: 10.99.0.254}
                """
            try await serving(wire, by: way, subnets) {
                installation in
                let relay = try ChildProcess("ip", ["netns", "exec", router] + command)
                defer { relay.kill() }
                let ready = await eventually {
                    relay.lines.contains {
                        $0.contains("DHCP relay from") || $0.contains("Sending on   Socket/fallback")
                    }
                }
                try #require(ready, "\(relay.output)")
                let first = try await lease(wire, installation.directory, Self.bios)
                #expect(first == "10.99.0.50 undionly.kpxe 10.98.0.1", "\(relay.output)")
                #expect(try await lease(wire, installation.directory, Self.bios) == first)
                guard command[0] == "dhcrelay" else { return }
                // The relay's word for its port is in the trail: where the machine is plugged in.
                let events = try await installation.slipway("event", "list", "--format", "json")
                #expect(events.contains(#""location" : "rel1""#), "\(events)")
            }
        }
    }

    @Test(
        "auto beside another server: its reserved machine is given an address, the rest a boot file only",
        arguments: Way.allCases)
    func auto(way: Way) async throws {
        let subnets = """
            dhcp:
              - interface: srv0
                subnet: 10.98.0.0/24
                mode: auto
                reservations:
                  - {mac: "02:00:00:00:00:77", address: 10.98.0.7, host_name: db-7}
            """
        try await Wire.with { wire in
            try await serving(wire, by: way, subnets) {
                installation in
                let rest = try await udhcpc(wire, installation.directory, Self.bios + ["-t", "2"])
                #expect(rest.lease == nil)
                try await wire.ip("-n \(wire.client) link set cli0 address 02:00:00:00:00:77")
                let reserved = try await lease(wire, installation.directory, Self.uefi)
                #expect(reserved == "10.98.0.7 snponly.efi 10.98.0.1")
                // Not a network boot, and not a machine of ours: still its address.
                let plain = try await lease(wire, installation.directory, [])
                #expect(plain.hasPrefix("10.98.0.7 "))
            }
        }
    }

    @Test("an interface that goes away and comes back is served again", arguments: Way.allCases)
    func link(way: Way) async throws {
        try await Wire.with { wire in
            try await serving(wire, by: way) {
                installation in
                let first = try await lease(wire, installation.directory, Self.bios)
                try await wire.ip("-n \(wire.server) link set srv0 down")
                let lost = try await udhcpc(wire, installation.directory, Self.bios + ["-t", "2"])
                #expect(lost.lease == nil)
                try await wire.ip("-n \(wire.server) link set srv0 up")
                #expect(try await lease(wire, installation.directory, Self.bios) == first)
            }
        }
    }

    @Test("noise is told once for each source, and the next client gets its lease", arguments: Way.allCases)
    func noise(way: Way) async throws {
        try await Wire.with { wire in
            try await serving(wire, by: way) {
                installation in
                let script = """
                    import os, socket
                    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                    head = bytes([1, 1, 6, 0]) + bytes(232) + bytes([99, 130, 83, 99])
                    for length in range(300):
                        udp.sendto(os.urandom(length), ("10.98.0.1", 67))
                        udp.sendto(head + os.urandom(length), ("10.98.0.1", 67))
                    """
                try await wire.ip("-n \(wire.client) address add 10.98.0.9/24 dev cli0")
                let noise = try await ChildProcess.run(
                    "ip", ["netns", "exec", wire.client, "python3", "-c", script])
                #expect(noise.status == 0, "\(noise.output)")
                #expect(try await lease(wire, installation.directory, Self.bios).hasPrefix("10.98.0.5"))
                let told = installation.log.split(separator: "\n").filter { $0.contains("malformed bytes") }
                #expect(told.count == 1, "\(installation.log)")
            }
        }
    }

    /// Words of Python: a raw socket on the machine's NIC, and a frame with a DISCOVER of firmware.
    private static let discover = """
        import os, socket
        raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        raw.bind(("cli0", 3))
        raw.settimeout(9)
        def discover(mac, xid=None, tag=b""):
            dhcp = bytes([1, 1, 6, 0]) + (xid or os.urandom(4)) + bytes(20) + mac + bytes(202) + bytes([99, 130, 83, 99])
            dhcp += bytes([53, 1, 1, 93, 2, 0, 0, 60, 9]) + b"PXEClient" + bytes([255])
            udp = bytes([0, 68, 0, 67]) + (8 + len(dhcp)).to_bytes(2) + bytes(2) + dhcp
            head = bytes([69, 0]) + (20 + len(udp)).to_bytes(2) + bytes([0, 0, 0, 0, 64, 17])
            ends = bytes(4) + bytes([255] * 4)
            total = sum(int.from_bytes((head + bytes(2) + ends)[at:at + 2]) for at in range(0, 20, 2))
            while total >> 16: total = (total & 65535) + (total >> 16)
            return bytes([255] * 6) + mac + tag + bytes([8, 0]) + head + (65535 - total).to_bytes(2) + ends + udp

        """

    @Test("on a trunk, a question of another VLAN is not this network's", arguments: Way.allCases)
    func tagged(way: Way) async throws {
        try await Wire.with { wire in
            try await serving(wire, by: way) { _ in
                let script =
                    Self.discover + """
                        mac = bytes([2, 0, 0, 0, 0, 9])
                        raw.send(discover(mac, b"VLAN", bytes([0x81, 0, 0, 42])))
                        raw.send(discover(mac, b"here"))
                        while True:
                            frame = raw.recv(2000)
                            if frame[12:14] == bytes([8, 0]) and frame[23] == 17 and frame[34:36] == bytes([0, 67]): break
                        print(frame[46:50].decode())
                        """
                let answer = try await ChildProcess.run(
                    "ip", ["netns", "exec", wire.client, "python3", "-c", script])
                #expect(answer.output == "here")
            }
        }
    }

    @Test("a flood of made-up machines takes a bounded memory, and a machine that has its lease is served meanwhile")
    func flood() async throws {
        try await Wire.with { wire in
            try await serving(wire, by: .socket) { installation in
                let first = try await lease(wire, installation.directory, Self.bios)
                let before = try #require(installation.residentKibibytes)
                let script =
                    Self.discover + """
                        import time
                        # All at once, and then a thousand a second.
                        for number in range(1000000):
                            try: raw.send(discover(bytes([2]) + os.urandom(5)))
                            except OSError: pass
                            if number == 30000: print("flooding", flush=True)
                            if number > 30000: time.sleep(0.001)
                        """
                let flood = try ChildProcess("ip", ["netns", "exec", wire.client, "python3", "-c", script])
                defer { flood.kill() }
                try #require(await flood.says("flooding"), "\(flood.output)")
                let again = try await lease(wire, installation.directory, Self.bios + ["-t", "20"])
                #expect(again == first)
                let heard = try await installation.metric("slipway_dhcp_packets_total")
                let grown = try #require(installation.residentKibibytes) - before
                #expect(heard > 5000 && grown < 64 << 10, "\(heard) packets, \(grown) KiB")
            }
        }
    }
}
