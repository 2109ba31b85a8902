import Foundation
import TestSupport
import Testing

/// The agent's own DHCP client against dnsmasq, over a wire that the test made.
@Suite(.enabled(if: getuid() == 0, "network namespaces need root")) struct AgentNetworkTests {
    static let mac = "02:00:00:00:00:51"

    /// dnsmasq as the network's DHCP server, once it listens.
    private func dnsmasq(_ wire: Wire, _ options: [String]) async throws -> ChildProcess {
        let server = try ChildProcess(
            "ip",
            [
                "netns", "exec", wire.server, "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0",
                "--log-dhcp", "--log-facility=-", "--interface=srv0", "--bind-interfaces", "--user=root", "--pid-file=",
                "--dhcp-authoritative", "--leasefile-ro", "--no-ping",
            ] + options)
        let ready = await server.says("DHCP, sockets bound")
        try #require(ready, "\(server.output)")
        return server
    }

    private static let range = "--dhcp-range=10.98.0.50,10.98.0.59,255.255.255.0,1h"

    /// The agent's network part as a process, on an interface with the MAC it is told.
    private func agent(_ wire: Wire, _ arguments: String...) async throws -> ChildProcess {
        try await wire.ip("-n \(wire.client) link set cli0 down")
        try await wire.ip("-n \(wire.client) link set cli0 address \(Self.mac)")
        return try ChildProcess(
            "ip",
            [
                "netns", "exec", wire.client, Installation.programs + "/slipway-agent", "--network",
                "slipway.mac=\(Self.mac)",
            ] + arguments)
    }

    @Test("it sets the address, MTU and classless routes that the server tells")
    func configuration() async throws {
        try await Wire.with { wire in
            let server = try await dnsmasq(
                wire,
                [
                    Self.range, "--dhcp-option=option:mtu,1400", "--dhcp-option=option:router,10.98.0.1",
                    "--dhcp-option=option:classless-static-route,192.168.7.0/24,10.98.0.2,0.0.0.0/0,10.98.0.3",
                ])
            defer { server.kill() }
            let agent = try await agent(wire)
            defer { agent.kill() }
            let leased = await agent.says("cli0 has 10.98.0.5")
            try #require(leased, "\(agent.output)\n\(server.output)")
            let link = try await eventually {
                try await wire.ip("-n \(wire.client) link show cli0").contains("mtu 1400 ")
            }
            #expect(link)
            let set = try await eventually {
                let routes = try await wire.ip("-n \(wire.client) route")
                return routes.contains("192.168.7.0/24 via 10.98.0.2") && routes.contains("default via 10.98.0.3")
            }
            // RFC 3442: a client that was told classless routes takes no notice of the router.
            let routes = try await wire.ip("-n \(wire.client) route")
            #expect(set && !routes.contains("10.98.0.1 "), "\(routes)\n\(agent.output)")
        }
    }

    @Test("it asks for the firmware's address, and takes another when that is refused")
    func firmwareAddress() async throws {
        try await Wire.with { wire in
            let server = try await dnsmasq(wire, [Self.range])
            defer { server.kill() }
            let first = try await agent(wire, "slipway.address=10.98.0.57")
            let kept = await first.says("cli0 has 10.98.0.57/24 from 10.98.0.1")
            #expect(kept, "\(first.output)")
            #expect(!server.output.contains("DHCPDISCOVER"))
            first.kill()

            let second = try await agent(wire, "slipway.address=192.0.2.9")
            defer { second.kill() }
            let told = await second.says("10.98.0.1 refused the address 192.0.2.9; asking for another")
            let leased = await second.says("cli0 has 10.98.0.5")
            #expect(told && leased, "\(second.output)\n\(server.output)")
        }
    }

    @Test("it renews in time, and gives the address up when nobody renews it")
    func renewal() async throws {
        try await Wire.with { wire in
            try await withTemporaryDirectory { directory in
                let server = try await udhcpd(wire, directory, leaseSeconds: 6)
                defer { server.kill() }
                let agent = try await agent(wire)
                defer { agent.kill() }
                let renewed = await eventually(within: .seconds(40)) {
                    server.lines.filter { $0.contains("sending ACK to 10.98.0.60") }.count >= 4
                }
                #expect(renewed, "\(server.output)\n\(agent.output)")
                #expect(agent.lines.count == 1 && agent.output.contains("cli0 has 10.98.0.60"), "\(agent.output)")
                server.kill()

                let over = await agent.says("cli0: nobody renewed the lease of 10.98.0.60")
                #expect(over, "\(agent.output)")
                let gone = try await eventually {
                    try await !wire.ip("-n \(wire.client) -4 address show cli0").contains("inet ")
                }
                #expect(gone)
                let other = try await dnsmasq(wire, [Self.range])
                defer { other.kill() }
                let moved = await agent.says("cli0 has 10.98.0.5")
                #expect(moved, "\(agent.output)\n\(other.output)")
            }
        }
    }

    /// Busybox's DHCP server, which grants as short a lease as it is told; dnsmasq's shortest is two minutes.
    private func udhcpd(_ wire: Wire, _ directory: String, leaseSeconds: Int) async throws -> ChildProcess {
        try """
        interface srv0
        start 10.98.0.60
        end 10.98.0.60
        lease_file \(directory)/leases
        pidfile \(directory)/pid
        option subnet 255.255.255.0
        option lease \(leaseSeconds)
        """.write(toFile: directory + "/udhcpd.conf", atomically: true, encoding: .utf8)
        try Data().write(to: URL(fileURLWithPath: directory + "/leases"))
        let server = try ChildProcess(
            "ip", ["netns", "exec", wire.server, "busybox", "udhcpd", "-f", directory + "/udhcpd.conf"])
        let ready = await server.says("started")
        try #require(ready, "\(server.output)")
        return server
    }

    @Test("it waits for a cable, and for a switch port that holds packets back")
    func patience() async throws {
        try await Wire.with { wire in
            try await wire.ip("-n \(wire.server) link set srv0 down")
            let agent = try await agent(wire)
            defer { agent.kill() }
            let unplugged = await agent.says("cli0 has no carrier yet")
            #expect(unplugged, "\(agent.output)")
            // Carrier, but nobody answers: what a port in spanning tree's listening state looks like.
            try await wire.ip("-n \(wire.server) link set srv0 up")
            let silent = await agent.says("no DHCP server has answered for", within: .seconds(60))
            #expect(silent, "\(agent.output)")
            let server = try await dnsmasq(wire, [Self.range])
            defer { server.kill() }
            let leased = await agent.says("cli0 has 10.98.0.5")
            #expect(leased, "\(agent.output)\n\(server.output)")
        }
    }
}
