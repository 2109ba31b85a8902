import BMCSimulator
import Crypto
import Foundation
import Inventory
import Logging
import Machines
import PowerControl
import Store
import Synchronization
import TestSupport
import Testing

@testable import Controllers

/// Many BMCs over the real wire, some of which are dead. `SLIPWAY_FLEET=1000` for as many, of which a tenth is dead; the figures are printed.
@Suite(.serialized, .timeLimit(.minutes(10))) struct DeadBMCTests {
    private static let count = ProcessInfo.processInfo.environment["SLIPWAY_FLEET"].flatMap { Int($0) } ?? 60
    /// A look a minute becomes one in so many times less.
    private static let haste = count > 200 ? 3.0 : 12.0
    private static let credentials = (user: "operator", password: "not-a-default")

    /// Looks and how long each took.
    final class Looks: BMCController {
        let router: BMCRouter
        let seconds = Mutex<[Int: [Double]]>([:])

        init(_ router: BMCRouter) { self.router = router }

        func power(of bmc: BMCAccess) async throws -> PowerState {
            let began = ContinuousClock.now
            let state = try await router.power(of: bmc)
            let took = (ContinuousClock.now - began) / .seconds(1)
            seconds.withLock { $0[bmc.port, default: []].append(took) }
            return state
        }
    }

    /// Ports of simulators, of which the first `dead` answer nothing.
    private func withFleet(dead: Int, _ body: @escaping @Sendable ([Int]) async throws -> Void) async throws {
        let ports = Ports()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<Self.count {
                group.addTask {
                    var bmc = SimulatedBMC(username: Self.credentials.user, password: Self.credentials.password)
                    bmc.quirks.drops = number < dead ? 100 : 0
                    try await SimulatedBMCServer.with(bmc) { server in
                        await ports.add(server.port, number)
                        try await Task.sleep(for: .seconds(3600))
                    }
                }
            }
            while await ports.count < Self.count { try await Task.sleep(for: .milliseconds(20)) }
            let sorted = await ports.sorted
            do {
                try await body(sorted)
            } catch {
                group.cancelAll()
                throw error
            }
            group.cancelAll()
            // Each ends by its cancellation.
            while await group.nextResult() != nil {}
        }
    }

    private actor Ports {
        private var known: [(port: Int, number: Int)] = []
        var count: Int { known.count }
        var sorted: [Int] { known.sorted { $0.number < $1.number }.map(\.port) }
        func add(_ port: Int, _ number: Int) { known.append((port, number)) }
    }

    private struct Figures: Sendable {
        var looks: [Double] = []
        var steps: [Double] = []
    }

    /// Looks at a fleet until every BMC that is well was looked at three times.
    private func watch(dead: Int) async throws -> Figures {
        let figures = Mutex(Figures())
        try await withFleet(dead: dead) { ports in
            let (store, began) = (MemoryStore(), Date())
            let now: @Sendable () -> Date = { began.addingTimeInterval(Date().timeIntervalSince(began) * Self.haste) }
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let router = try BMCRouter(authorities: nil, logger: logger)
            let looks = Looks(router)
            let installation = Installation(
                apiURL: "https://10.77.0.1:8443", bootURL: "http://10.77.0.1:8080", certificateAuthority: "PEM\n",
                certificateAuthorityPin: "sha256:" + String(repeating: "a", count: 64),
                orderKey: Curve25519.Signing.PrivateKey(), certificateKey: .init(),
                secretKey: SymmetricKey(size: .bits256),
                admission: .init(unknown: .discover), pollSeconds: 60)
            let controllers = ControllerSet(
                store: store, installation: installation, profiles: [], bmcs: looks, prober: router,
                images: NoImages(), cluster: NoCluster(), logger: logger, now: now)
            for (number, port) in ports.enumerated() {
                try await store.transaction { transaction in
                    var machine = Machine(
                        id: "m-\(number)", name: "node-\(number)",
                        observed: .init(phase: .discovered, phaseSince: now()), createdAt: now())
                    let setting = BMCSetting(
                        .init(address: "127.0.0.1", port: port, kind: .ipmi, username: Self.credentials.user),
                        password: Self.credentials.password)
                    try machine.setBMC(setting, key: installation.secretKey, in: transaction)
                    try transaction.put(machine)
                }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await controllers.monitor.run() }
                group.addTask { try await controllers.reconciler.run() }
                defer { group.cancelAll() }
                let well = Set(ports.dropFirst(dead))
                let isWatched = await eventually(within: .seconds(400), every: .milliseconds(200)) {
                    let seen = looks.seconds.withLock { $0 }
                    return well.allSatisfy { (seen[$0]?.count ?? 0) >= 3 }
                }
                #expect(isWatched, "each BMC that is well was looked at three times")
                let areTold = try await eventually(within: .seconds(60), every: .milliseconds(200)) {
                    try await store.list(Machine.self).items.allSatisfy { machine in
                        let isDead = (Int(machine.id.dropFirst(2)) ?? 0) < dead
                        return machine.condition(.bmcReachable)?.status == !isDead
                    }
                }
                #expect(areTold, "each machine tells whether its BMC answers")
                // How long after a person's word the lifecycle has taken its step, while the dead ones are being asked.
                for number in stride(from: dead, to: Self.count, by: max(1, Self.count / 50)) {
                    let began = ContinuousClock.now
                    _ = try await controllers.machines.accept(
                        "m-\(number)", name: nil, bmc: nil, network: nil, generation: nil, by: "alice")
                    _ = try await eventually(every: .milliseconds(1)) {
                        try await store.get(Machine.self, "m-\(number)")?.observed.phase != .discovered
                    }
                    let took = (ContinuousClock.now - began) / .seconds(1)
                    figures.withLock { $0.steps.append(took) }
                }
                let seconds = looks.seconds.withLock { all in well.flatMap { all[$0] ?? [] } }
                figures.withLock { $0.looks = seconds }
            }
        }
        return figures.withLock { $0 }
    }

    private struct NoImages: ImageSource {
        func path(ofImage digest: String) async -> String? { nil }
    }

    private struct NoCluster: ClusterGateway {
        func departure(of machine: Machine) async throws -> Departure? { nil }
        func askToLeave(_ machine: Machine, by actor: String) async throws {}
        func mayStay(_ machine: Machine) async throws {}
        func remove(_ machine: Machine) async throws {}
    }

    private static func words(_ seconds: [Double]) -> String {
        let sorted = seconds.sorted()
        func at(_ part: Double) -> Int { Int(sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))] * 1000) }
        return sorted.isEmpty ? "none" : "\(sorted.count), median \(at(0.5)) ms, p99 \(at(0.99)) ms"
    }

    @Test("a tenth of the BMCs is dead: the others are looked at and their machines tended as before")
    func tenth() async throws {
        for dead in [0, Self.count / 10] {
            let figures = try await watch(dead: dead)
            print(
                "\(Self.count) BMCs, \(dead) dead: looks \(Self.words(figures.looks)); steps \(Self.words(figures.steps))"
            )
            #expect(figures.looks.count >= 3 * (Self.count - dead))
        }
    }
}
