import APIModel
import Controllers
import Hummingbird
import Machines
import NetworkAddresses
import Store

/// `/api/v1/events`: `?machine=` narrows to one machine, `?limit=` to the newest ones, `?watch=true` goes on.
struct EventRoutes {
    let store: any RecordStore
    let machines: MachineService

    func register(on group: RouterGroup<APIContext>) { group.get("events", use: list) }

    @Sendable func list(_ request: Request, context: APIContext) async throws -> Response {
        let filter = try await filter(request)
        if request.flag("watch") {
            return try await WatchResponse<Event, EventView>(store: store) { filter($0) ? EventView($0) : nil }
                .response()
        }
        let limit = request.uri.queryParameters["limit"].flatMap { Int($0) } ?? 1000
        guard limit > 0 else { throw ServiceError(.invalid, "a limit is at least 1", field: "limit") }
        // Their ids are ordered by time.
        var events: [Event] = []
        let revision = try await store.eachPage(of: Event.self, isReversed: true) { page in
            events += page.filter(filter)
            return events.count < limit
        }
        return try .json(ListView(items: events.prefix(limit).reversed().map(EventView.init), revision: revision))
    }

    private func filter(_ request: Request) async throws -> @Sendable (Event) -> Bool {
        guard let reference = request.uri.queryParameters["machine"] else { return { _ in true } }
        let machine = try await machines.machine(String(reference))
        let macs = Set(machine.observed.macs)
        // Steps of the first boot were seen before there was a machine: its MAC tells whose they are.
        return { $0.machine == machine.id || ($0.machine == nil && $0.mac.map(macs.contains) ?? false) }
    }
}
