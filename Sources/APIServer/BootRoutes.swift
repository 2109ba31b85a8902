import APIModel
import Controllers
import FoundationEssentials
import Hummingbird
import Machines
import NetworkAddresses
import Store

/// `/api/v1/boots`: the newest attempt of every MAC, also of those that are no machine yet. `/api/v1/boots/{reference}`: every
/// attempt that is kept of one MAC or machine, the newest last, with its steps.
struct BootRoutes {
    let store: any RecordStore
    let machines: MachineService
    let boots: BootBook
    let consoles: ConsoleService
    let now: @Sendable () -> Date

    func register(on group: RouterGroup<APIContext>) {
        group.get("boots", use: list)
            .get("boots/{reference}", use: show)
    }

    @Sendable func list(_ request: Request, context: APIContext) async throws -> Response {
        var names: [MACAddress: String] = [:]
        let revision = try await store.eachPage(of: Machine.self) { machines in
            for machine in machines {
                for mac in machine.observed.macs { names[mac] = machine.name }
            }
            return true
        }
        let views = boots.all().compactMap { traces in
            BootView(traces, machine: traces.last.flatMap { names[$0.mac] }, withSteps: false, now: now())
        }
        return try .json(ListView(items: views, revision: revision))
    }

    @Sendable func show(_ request: Request, context: APIContext) async throws -> Response {
        let reference = try context.parameters.require("reference")
        var (macs, name) = ([MACAddress](), String?.none)
        var recordings: [ConsoleRecording] = []
        do {
            let machine = try await machines.machine(reference)
            (macs, name) = (machine.observed.macs, machine.name)
            // Consoles show secrets now and then.
            if context.caller?.role == .admin { recordings = try await consoles.recordings(of: machine.id) }
        } catch let error as ServiceError where error.kind == .notFound {
            guard let mac = MACAddress(reference) else { throw error }
            macs = [mac]
        }
        let views = macs.flatMap { mac in
            let traces = boots.traces(of: mac)
            return traces.indices.compactMap { index in
                BootView(Array(traces[...index]), machine: name, withSteps: true, now: now())
            }
        }.map { view in
            var view = view
            view.screen =
                recordings.last { recording in
                    recording.startedAt <= view.lastAt && recording.endedAt.map { $0 >= view.startedAt } ?? true
                }?.screen
            return view
        }
        let revision = try await store.list(kind: BootRecord.kind, .init(limit: 0)).revision
        return try .json(ListView(items: views.sorted { $0.startedAt < $1.startedAt }, revision: revision))
    }
}
