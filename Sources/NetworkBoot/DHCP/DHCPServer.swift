import FoundationEssentials
import Logging
import Machines
import NIOCore
import NIOPosix
import NetworkAddresses
import ServiceLifecycle

/// Serves DHCP for any number of subnets, each in its own mode, on their interfaces and through relays.
public struct DHCPServer: Service {
    /// One subnet with the leases it had.
    public struct Served: Sendable {
        public var responder: SubnetResponder
        /// Nil where no addresses are given.
        public var journal: LeaseJournal?

        public init(responder: SubnetResponder, journal: LeaseJournal?) {
            (self.responder, self.journal) = (responder, journal)
        }
    }

    private let served: [Served]
    private let serverPort: Int
    private let proxyPort: Int
    private let packetsPerSecond: Int
    private let director: any NetworkBootDirector
    private let logger: Logger
    private let now: @Sendable () -> Date

    /// - Parameters:
    ///   - serverPort: 67; another one for tests.
    ///   - proxyPort: 4011; served on interfaces whose subnet is proxied.
    ///   - packetsPerSecond: of one MAC, in the long run; 0: no limit.
    public init(
        _ served: [Served], serverPort: Int = 67, proxyPort: Int = 4011, packetsPerSecond: Int = 5,
        director: any NetworkBootDirector, logger: Logger, now: @escaping @Sendable () -> Date = { Date() }
    ) {
        (self.served, self.serverPort, self.proxyPort) = (served, serverPort, proxyPort)
        self.packetsPerSecond = packetsPerSecond
        (self.director, self.logger, self.now) = (director, logger, now)
    }

    public func run() async throws {
        for served in served {
            let subnet = served.responder.subnet
            logger.info(
                "DHCP",
                metadata: [
                    "subnet": "\(subnet.name)", "mode": "\(subnet.mode.rawValue)",
                    "interface": "\(subnet.interface ?? "relays only")", "server": "\(subnet.server)",
                ])
        }
        try await cancelWhenGracefulShutdown {
            // One loop for all sockets: what they share needs no lock.
            let loop = MultiThreadedEventLoopGroup.singleton.next()
            let (served, director, logger, now) = (served, director, logger, now)
            let buckets = TokenBuckets<NetworkAddresses.MACAddress>(rate: Float(packetsPerSecond))
            let desk = try await loop.submit {
                NIOLoopBound(
                    DHCPDesk(served, buckets: buckets, director: director, logger: logger, now: now), eventLoop: loop)
            }.get()
            let subnets = served.map(\.responder.subnet)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for interface in SubnetTable(subnets: subnets).interfaces {
                    group.addTask { try await serve(interface, .server, serverPort, desk, on: loop) }
                    let isProxied = subnets.contains {
                        $0.isProxy && ($0.interface == interface || $0.interface == nil)
                    }
                    guard isProxied else { continue }
                    group.addTask { try await serve(interface, .proxy, proxyPort, desk, on: loop) }
                }
                for (index, subnet) in subnets.enumerated() where subnet.givesAddresses && !subnet.pools.isEmpty {
                    group.addTask { try await probe(subnet.interface, index, desk, on: loop) }
                }
                // The first error ends all; `waitForAll` would wait for those that never end.
                while try await group.next() != nil {}
            }
        }
    }

    /// Looks ahead, so that no offer waits for a probe: the addresses that are next are asked for before anybody wants them.
    private func probe(
        _ interface: String?, _ index: Int, _ desk: NIOLoopBound<DHCPDesk>, on loop: any EventLoop
    ) async throws {
        while true {
            let addresses = try await loop.submit { desk.value.unprobed(index) }.get()
            if !addresses.isEmpty {
                let inUse = try await NIOThreadPool.singleton.runIfActive {
                    ConflictProbe.inUse(addresses, on: interface)
                }
                try await loop.submit { desk.value.note(probed: addresses, inUse: inUse, index) }.get()
            }
            try await Task.sleep(for: .seconds(1))
        }
    }

    private func serve(
        _ interface: String?, _ port: Arrival.Port, _ number: Int, _ desk: NIOLoopBound<DHCPDesk>,
        on loop: any EventLoop
    ) async throws {
        let place: Logger.Metadata = ["interface": "\(interface ?? "all")", "port": "\(number)"]
        do {
            try await DatagramSocket.serve(
                "DHCP", address: "0.0.0.0", port: number, interface: interface, on: loop, logger: logger,
                opened: { _ in logger.info("DHCP listens by a socket: the port is free", metadata: place) }
            ) { DHCPHandler(descriptor: $0, desk: desk.value, port: port, interface: interface) }
        } catch let error as BootServiceError where error.isPortTaken {
            // Packets that come through routers are for the socket of whoever has the port: there is nothing to capture them on.
            guard let interface else { throw error }
            try await serveByCapture(interface, port, number, desk, on: loop, place)
        }
    }

    /// Beside another server of this host.
    private func serveByCapture(
        _ interface: String, _ port: Arrival.Port, _ number: Int, _ desk: NIOLoopBound<DHCPDesk>,
        on loop: any EventLoop, _ place: Logger.Metadata
    ) async throws {
        let server = served.first { $0.responder.subnet.interface == interface }?.responder.subnet.server
        guard let server else { return }
        var isFirst = true
        while true {
            do {
                let capture = try PacketCapture(interface: interface, port: number, addresses: [server])
                logger.notice(
                    "DHCP listens by capture: another program of this host has the port, `ss -ulpn sport = :\(number)` names it",
                    metadata: place)
                isFirst = false
                try await DHCPCapture(capture: capture, port: port, number: number, server: server).run(desk, on: loop)
            } catch let error as BootServiceError where !isFirst {
                logger.warning("no DHCP by capture, will retry", metadata: place.merging(["error": "\(error)"]) { $1 })
            }
            try await Task.sleep(for: .seconds(1))
        }
    }
}
