import APIModel
import Controllers
import FoundationEssentials
import Hummingbird
import Machines

/// `/api/v1/problems`: what is wrong now. `?severity=` leaves out what is less bad, `?machine=` narrows to one machine.
struct ProblemRoutes {
    let problems: ProblemService
    let machines: MachineService

    func register(on group: RouterGroup<APIContext>) { group.get("problems", use: list) }

    @Sendable func list(_ request: Request, context: APIContext) async throws -> Response {
        let worst = try request.uri.queryParameters["severity"].map { text in
            guard let severity = Problem.Severity(rawValue: String(text)) else {
                let known = Problem.Severity.allCases.map(\.rawValue).joined(separator: ", ")
                throw ServiceError(.invalid, "\(text) is not one of \(known)", field: "severity")
            }
            return severity
        }
        var machine: String?
        if let reference = request.uri.queryParameters["machine"] {
            machine = try await machines.machine(String(reference)).id
        }
        let found = try await problems.problems().filter { problem in
            (worst.map { problem.severity <= $0 } ?? true) && (machine.map { problem.machine == $0 } ?? true)
        }
        return try .json(ListView(items: found, revision: 0))
    }
}
