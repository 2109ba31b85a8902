import FoundationEssentials
import Machines
import Testing

@Suite struct OperationTests {
    @Test("operations that a daemon kept before there were steps are read")
    func formerRecords() throws {
        let text = """
            {"id":"o-1","verb":"provision","machine":"m-1","requestedBy":"alice","createdAt":0,"state":"running","attempts":1,
            "assignment":{"cluster":"lab","release":"ref-1","eraseExistingData":false},"installedAt":60}
            """
        let operation = try JSONDecoder().decode(Operation.self, from: Data(text.utf8))
        #expect(operation.steps == [.install, .join] && operation.step == .join)
        #expect(operation.assignment?.release == "ref-1" && operation.attempts == 1)
        let again = try JSONDecoder().decode(Operation.self, from: try JSONEncoder().encode(operation))
        #expect(again == operation)
    }

    @Test("every field of an operation survives the store")
    func whole() throws {
        let now = Date(timeIntervalSince1970: 1_800_000_000)
        var operation = Operation(
            id: "o", verb: .reprovision, machine: "m", requestedBy: "alice", steps: [.drain, .wipe, .install, .join],
            assignment: .init(cluster: "c", release: "r", role: .controlPlane), wipe: .init(keep: ["D-2"]),
            rescueSeconds: 60, approval: .init(by: "bob", at: now), createdAt: now)
        operation.targets = [.init(serial: "D-1", wwn: nil, sizeBytes: 5)]
        operation.completeStep(at: now)
        (operation.state, operation.stepSince, operation.formerPhase) = (.running, now, .ready)
        (operation.attempts, operation.starts, operation.powerCommands) = (1, 2, 3)
        operation.fall(back: "frozen", at: now)
        operation.order = .init(id: "x", session: "s", issuedAt: now, expiresAt: now)
        (operation.joinToken, operation.abortedBy, operation.certificate) = ("t", "carol", "wipe-1")
        (operation.carriedOutAt, operation.installedAt, operation.error) = (now, now, "e")
        operation.finishedAt = now
        #expect(try JSONDecoder().decode(Operation.self, from: try JSONEncoder().encode(operation)) == operation)
    }
}
