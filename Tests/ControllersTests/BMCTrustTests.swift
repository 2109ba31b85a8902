import Controllers
import Foundation
import Inventory
import Logging
import Machines
import Store
import Synchronization
import TestSupport
import Testing

/// A BMC that shows another certificate than the one that is believed is a problem of its own, until it is itself again.
@Suite(.timeLimit(.minutes(2))) struct BMCTrustTests {
    private final class Impostor: BMCController {
        let isItself = Mutex(false)

        func power(of bmc: BMCAccess) async throws -> PowerState {
            guard isItself.withLock({ $0 }) else {
                throw BMCError(
                    address: bmc.address, doing: "reading power", reason: .certificate, "another certificate")
            }
            return .on
        }
        func perform(_ action: PowerAction, on bmc: BMCAccess) async throws -> PowerState { .on }
        func bootOnce(from device: BootDevice, uefi: Bool, on bmc: BMCAccess) async throws -> BootOverride {
            throw BMCError.unsupported(bmc, "boot device")
        }
    }

    @Test func impostor() async throws {
        let (store, began, bmc) = (MemoryStore(), Date(), Impostor())
        let installation = LifecycleFlowTests.installation(LifecycleFlowTests.Keys())
        // Ten minutes a second: BMCs are looked at now and then.
        let controllers = ControllerSet(
            store: store, installation: installation, profiles: .init([]), bmcs: bmc,
            prober: LifecycleFlowTests.NoBMCs(), images: LifecycleFlowTests.AllImages(),
            cluster: LifecycleFlowTests.NoCluster(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            now: { began.addingTimeInterval(Date().timeIntervalSince(began) * 600) })
        var machine = Machine(
            id: "m", name: "r1u01", observed: .init(phase: .available, phaseSince: began), createdAt: began)
        machine.desired.bmc = .init(address: "127.0.0.1", kind: .ipmi, username: "admin")
        try await store.transaction { try $0.put(machine) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await controllers.monitor.run() }
            defer { group.cancelAll() }
            func becomes(_ kinds: [Problem.Kind]) async throws -> Bool {
                try await eventually(within: .seconds(40), every: .milliseconds(100)) {
                    try await controllers.problems.problems().map(\.kind) == kinds
                }
            }
            let isTold = try await becomes([.bmcCertificate])
            #expect(isTold)
            bmc.isItself.withLock { $0 = true }
            let isOver = try await becomes([])
            #expect(isOver)
        }
    }
}
