import APIModel
import Controllers
import FoundationEssentials
import Hummingbird
import Machines

/// `/api/v1/machines/{machine}/shell`: the rescue shell while it is open, what is typed, and what went through it. For those who may change
/// a machine only.
struct ShellRoutes {
    let machines: MachineService
    let shells: ShellService

    func register(on group: RouterGroup<APIContext>) {
        group.get("machines/{machine}/shell", use: watch)
            .post("machines/{machine}/shell/input", use: type)
            .get("machines/{machine}/shell-recordings", use: recordings)
            .get("machines/{machine}/shell-recordings/{recording}", use: recording)
    }

    /// Most that is typed at once.
    private static let most = 4096

    @Sendable func watch(_ request: Request, context: APIContext) async throws -> Response {
        let output = try await shells.attach(try await machine(context), by: context.actor)
        return EventStream.response(output) { piece in
            try EventStream.frame("put", ConsoleRoutes.chunk(piece))
        }
    }

    @Sendable func type(_ request: Request, context: APIContext) async throws -> Response {
        let machine = try await machine(context)
        let keys = try await request.json(ShellKeys.self, limit: 16 << 10)
        if let size = keys.size { shells.resize(machine, to: size) }
        if let data = keys.data {
            guard data.count <= Self.most else {
                throw ServiceError(.invalid, "at most \(Self.most) bytes at once", field: "data")
            }
            try await shells.type(data, to: machine, by: context.actor)
        }
        return try .json(DoneView())
    }

    @Sendable func recordings(_ request: Request, context: APIContext) async throws -> Response {
        let machine = try await machine(context)
        let views = try await shells.recordings(of: machine.id).map { Self.view($0, whole: false) }
        return try .json(ListView(items: views, revision: 0))
    }

    @Sendable func recording(_ request: Request, context: APIContext) async throws -> Response {
        let (machine, id) = (try await machine(context), try context.parameters.require("recording"))
        let recordings = try await shells.recordings(of: machine.id)
        guard let recording = id == "last" ? recordings.last : recordings.first(where: { $0.id == id }) else {
            throw ServiceError(.notFound, "no such recording of a rescue shell of \(machine.name)")
        }
        return try .json(Self.view(recording, whole: true))
    }

    private static func view(_ recording: ShellRecording, whole: Bool) -> ShellRecordingView {
        ShellRecordingView(
            id: recording.id, operation: recording.operation, requestedBy: recording.requestedBy,
            startedAt: recording.startedAt, endedAt: recording.endedAt, end: recording.end,
            visits: recording.visits.map { .init(by: $0.by, since: $0.since) }, bytes: recording.position,
            dropped: max(0, recording.dropped), typedBytes: recording.typedBytes, screen: recording.screen,
            data: whole ? recording.tail : nil,
            typed: whole ? recording.typed.map { .init(at: $0.at, by: $0.by, data: $0.data) } : nil)
    }

    private func machine(_ context: APIContext) async throws -> Machine {
        guard context.caller?.role == .admin else {
            throw HTTPError(.forbidden, message: "a machine's rescue shell is not for a token that may read only")
        }
        return try await machines.machine(try context.parameters.require("machine"))
    }
}
