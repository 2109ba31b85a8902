import Controllers
import Machines

extension MachineService {
    /// What most tests ask for.
    @discardableResult func provision(
        _ id: String, assignment: Machine.Assignment, generation: Int64?, by actor: String
    ) async throws -> (Machine, Operation) {
        try await begin(.init(.provision, assignment: assignment), on: id, generation: generation, by: actor)
    }
}
