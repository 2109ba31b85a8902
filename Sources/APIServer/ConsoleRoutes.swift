import APIModel
import Controllers
import FoundationEssentials
import Hummingbird
import Machines

/// `/api/v1/machines/{machine}/console`: the serial console while it is open, what is typed, and what was recorded. Consoles show
/// secrets now and then, so only those who may change a machine may look.
struct ConsoleRoutes {
    let machines: MachineService
    let hub: ConsoleHub
    let service: ConsoleService

    func register(on group: RouterGroup<APIContext>) {
        group.get("machines/{machine}/console", use: watch)
            .post("machines/{machine}/console", use: type)
            .get("machines/{machine}/console-recordings", use: recordings)
            .get("machines/{machine}/console-recordings/{recording}", use: recording)
    }

    /// Most that is typed at once.
    private static let most = 4096

    @Sendable func watch(_ request: Request, context: APIContext) async throws -> Response {
        let machine = try await machine(context)
        guard machine.desired.bmc?.kind?.isController ?? (machine.desired.bmc != nil) else {
            throw ServiceError(
                .conflict,
                "\(machine.name) has no BMC, so no serial console: name it with `slipway machine bmc set \(machine.name) ADDRESS`"
            )
        }
        let output = hub.attach(machine.id, takingOver: request.flag("take-over"))
        return EventStream.response(output) { piece in
            try EventStream.frame("put", Self.chunk(piece))
        }
    }

    @Sendable func type(_ request: Request, context: APIContext) async throws -> Response {
        let machine = try await machine(context)
        let input = try await request.json(ConsoleInput.self)
        if let data = input.data {
            guard data.count <= Self.most else {
                throw ServiceError(.invalid, "at most \(Self.most) bytes at once", field: "data")
            }
            guard hub.send(Array(data), to: machine.id) else { throw notOpen(machine) }
        }
        if input.sendsBreak == true, !hub.sendBreak(to: machine.id) { throw notOpen(machine) }
        return try .json(DoneView())
    }

    @Sendable func recordings(_ request: Request, context: APIContext) async throws -> Response {
        let machine = try await machine(context)
        let views = try await service.recordings(of: machine.id).map { Self.view($0, whole: false) }
        return try .json(ListView(items: views, revision: 0))
    }

    @Sendable func recording(_ request: Request, context: APIContext) async throws -> Response {
        let (machine, id) = (try await machine(context), try context.parameters.require("recording"))
        let recordings = try await service.recordings(of: machine.id)
        guard let recording = id == "last" ? recordings.last : recordings.first(where: { $0.id == id }) else {
            throw ServiceError(.notFound, "no such recording of the console of \(machine.name)")
        }
        return try .json(Self.view(recording, whole: true))
    }

    private func notOpen(_ machine: Machine) -> ServiceError {
        ServiceError(.conflict, "the console of \(machine.name) is not open, or takes no more now")
    }

    private static func view(_ recording: ConsoleRecording, whole: Bool) -> ConsoleRecordingView {
        ConsoleRecordingView(
            id: recording.id, startedAt: recording.startedAt, lastAt: recording.lastAt, endedAt: recording.endedAt,
            bytes: recording.tail.count, dropped: recording.dropped, screen: recording.screen,
            data: whole ? recording.tail : nil)
    }

    static func chunk(_ piece: ConsoleHub.Output) -> ConsoleChunk {
        switch piece {
        case .bytes(let bytes): ConsoleChunk(data: Data(bytes))
        case .note(let words): ConsoleChunk(note: words)
        case .end(let words): ConsoleChunk(note: words, isOver: true)
        }
    }

    private func machine(_ context: APIContext) async throws -> Machine {
        guard context.caller?.role == .admin else {
            throw HTTPError(.forbidden, message: "a machine's console is not for a token that may read only")
        }
        return try await machines.machine(try context.parameters.require("machine"))
    }
}
