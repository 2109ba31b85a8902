import APIModel
import DHCP
import Foundation
import Inventory
import Machines
import Store
import TestSupport
import Testing

@testable import Controllers

/// The agent as a way to the disk: it starts the installed system's kernel.
@Suite(.timeLimit(.minutes(2))) struct AgentKexecTests {
    private typealias Flow = LifecycleFlowTests

    private let client = BootClient(mac: Flow.mac, stage: .ipxe, address: Flow.address)

    /// A machine that has its system, power-cycled, and the order that its agent got.
    private func start(_ daemon: Flow.Daemon, _ store: any RecordStore, _ keys: Flow.Keys) async throws -> (
        Order, AgentSession
    ) {
        let (order, session) = try await Flow.installed(daemon, store, keys)
        try await daemon.controllers.agents.finish(
            OrderResult(outcome: .succeeded(entry: "kexec")), order: order.id, from: session)
        _ = try await Flow.register(daemon, token: try Flow.joinToken(order))
        #expect(try await eventually { try await Flow.phase(store) == .ready })

        // The same script as for any agent, with its own name for the trace.
        #expect(
            await eventually {
                if case .agent(_, toDisk: true) = daemon.controllers.director.script(for: client) {
                    true
                } else {
                    false
                }
            })
        let again = try await Flow.boot(daemon, report: Flow.report(bootID: "boot-2", holdsData: true))
        let start = try await Flow.poll(daemon, again, keys: keys)
        guard case .install(let install) = order.task, case .start(let system) = start.task else {
            throw Flow.Unexpected("\(start.task)")
        }
        #expect(system.disk == install.disk && system.takesKexec)
        return (start, again)
    }

    private func isConnected(_ session: AgentSession, _ store: any RecordStore) async throws -> Bool? {
        try await store.get(Machine.self, session.machine)?.condition(.agentConnected)?.status
    }

    @Test("an installed machine that asks the network is booted into the agent, which is told to start its system")
    func started() async throws {
        let (store, keys) = (try await Flow.store(), Flow.Keys())
        let daemon = Flow.Daemon(store, keys: keys, boot: BootPreferences(localDisk: [.agentKexec]), records: true)
        let (start, session) = try await start(daemon, store, keys)
        #expect(try await isConnected(session, store) == true)
        try await daemon.controllers.agents.finish(
            OrderResult(outcome: .succeeded(entry: "kexec")), order: start.id, from: session)
        #expect(try await isConnected(session, store) == false)
        #expect(try await Flow.phase(store) == .ready)
        await daemon.kill()
    }

    @Test("an agent that cannot start the system says why, and the machine is told another way")
    func failed() async throws {
        let (store, keys) = (try await Flow.store(), Flow.Keys())
        let daemon = Flow.Daemon(
            store, keys: keys, boot: BootPreferences(localDisk: [.agentKexec, .exitFailure]), records: true)
        let (start, again) = try await start(daemon, store, keys)

        // A failure is told, and changes neither the machine nor its operation.
        try await daemon.controllers.agents.finish(
            OrderResult(outcome: .failed("kexec_file_load: Operation not permitted")), order: start.id, from: again)
        let told = try await store.list(Event.self).items.first { $0.details["problem"] == "kexec-failed" }
        #expect(told?.message.contains("Operation not permitted") ?? false)
        #expect(try await Flow.phase(store) == .ready)

        // The firmware is back: another way.
        let director = daemon.controllers.director
        for step in [
            BootTraceEvent.Step.discover(stage: .firmware, architecture: .efiX64),
            .script(name: LocalDiskMethod.agentKexec.script), .session,
            .discover(stage: .firmware, architecture: .efiX64),
        ] { director.record(BootTraceEvent(mac: Flow.mac, step: step)) }
        #expect(
            await eventually {
                if case .localDisk(.exitFailure, _) = director.script(for: client) { true } else { false }
            })
        await daemon.kill()
    }
}
