import APIModel
import Foundation
import Inventory
import Machines
import Testing

@testable import Commands

@Suite struct ProgressBoardTests {
    private let start = Date(timeIntervalSince1970: 1_800_000_000)
    private let plain = Painter(isOn: false)

    private func machine(
        _ name: String, _ phase: Phase = .installing, _ progress: OrderProgress? = nil,
        state: Machines.Operation.State = .running, operation id: String = "o-1", error: String? = nil
    ) -> MachineView {
        var observed = Machine.Observed(phase: phase, phaseSince: start)
        observed.node = phase == .ready ? name : nil
        var operation = Machines.Operation(
            id: id, verb: .provision, machine: "m-" + name, requestedBy: "admin", steps: [.install, .join],
            assignment: .init(cluster: "lab", release: "r"), createdAt: start)
        (operation.state, operation.error) = (state, error)
        return MachineView(
            Machine(id: "m-" + name, name: name, observed: observed, createdAt: start),
            operation: OperationView(operation, progress: progress))
    }

    private func board(_ names: String...) -> ProgressBoard {
        ProgressBoard(names.map { .init(id: "m-" + $0, name: $0) }, startedAt: start)
    }

    private func lines(_ board: ProgressBoard, width: Int = 100, height: Int = 20, after seconds: Double = 0)
        -> [String]
    {
        board.lines(
            width: width, height: height, now: start.addingTimeInterval(seconds), painter: plain, isUnicode: false)
    }

    @Test("a bar with rate and the time that is left")
    func bar() {
        var board = board("a", "bb")
        let total: Int64 = 2 << 30
        board.update(
            machine("a", .installing, .init(step: .writing, bytes: 0, totalBytes: total)), verdict: .going, now: start)
        board.update(
            machine("a", .installing, .init(step: .writing, bytes: total / 2, totalBytes: total)), verdict: .going,
            now: start.addingTimeInterval(4))
        let shown = lines(board, after: 4)
        #expect(shown[0] == "a   installing   writes the image      #######.......   50% of 2.0 GiB  268 MB/s  ETA 4s")
        #expect(shown[1] == "bb" && shown[2] == "2 machines: 0 done, 2 to go; 4s")
        // Another step begins its rate anew.
        board.update(
            machine("a", .installing, .init(step: .readingBack, bytes: 1, totalBytes: total)), verdict: .going,
            now: start.addingTimeInterval(5))
        #expect(!lines(board)[0].contains("MB/s") && lines(board)[0].contains("reads the disk back"))
    }

    @Test("disks of a wipe have lines of their own")
    func disks() {
        var board = board("a")
        let disks = [
            DiskProgress(disk: "S4EV-1", step: .erasing, method: .nvmeFormat, fraction: 0.5, rate: 1.5e9),
            DiskProgress(disk: "S4EV-2", step: .waiting),
        ]
        board.update(machine("a", .wiping, .init(step: .erasing, disks: disks)), verdict: .going, now: start)
        let shown = lines(board)
        #expect(shown[0] == "a  wiping       erases the disks")
        #expect(
            shown[1] == "    S4EV-1                erasing    nvme-format             #######.......   50%  1.5 GB/s")
        #expect(shown[2] == "    S4EV-2                waiting" && shown.count == 4)
    }

    @Test(
        "no line is wider and no picture higher than the terminal, and failures come first",
        arguments: [20, 40, 80, 200], [1, 2, 5, 24])
    func fits(width: Int, height: Int) {
        var board = ProgressBoard((0..<100).map { .init(id: "m-n\($0)", name: "n\($0)") }, startedAt: start)
        for number in 0..<100 {
            let machine = machine("n\(number)", .installing, .init(step: .writing, bytes: 5, totalBytes: 10))
            board.update(machine, verdict: number == 77 ? .failed("the disk is full of holes") : .going, now: start)
        }
        for isUnicode in [true, false] {
            let shown = board.lines(width: width, height: height, now: start, painter: plain, isUnicode: isUnicode)
            #expect(shown.count <= height && shown.allSatisfy { $0.count <= max(width, 17) }, "\(shown)")
            if height > 1 { #expect(shown[0].hasPrefix("n77")) }
            #expect(shown.last?.hasPrefix("100 machines") == true)
        }
    }

    @Test(
        "in a pipe: a line for each change, each with the machine's name, and no more lines for many machines than are read"
    )
    func pipe() {
        var board = board("a", "b")
        func tell(_ machine: MachineView, _ verdict: Waiting.Verdict = .going) -> [String] {
            board.update(machine, verdict: verdict, now: start)
            return board.news(of: machine.id)
        }
        #expect(tell(machine("a", .available)) == ["a: available"])
        #expect(tell(machine("a", .available)) == [])
        var steps: [String] = []
        for done in 0...100 {
            let progress = OrderProgress(step: .writing, bytes: Int64(done) << 20, totalBytes: 100 << 20)
            steps += tell(machine("a", .installing, progress))
        }
        #expect(steps.count == 11 && steps[1] == "a: installing, writes the image, 10% of 100 MiB")
        let disk = DiskProgress(disk: "D", step: .erasing, method: .discard, fraction: 0.31)
        #expect(
            tell(machine("b", .wiping, .init(step: .erasing, disks: [disk])))
                == ["b: wiping, erases the disks", "b: D, erasing, discard, 30%"])
        #expect(tell(machine("b", .failed), .failed("no reason")) == ["b: failed: no reason"])
        #expect(tell(machine("a", .ready), .done("is node a")) == ["a: is node a"])
        #expect(board.isSettled)
    }

    @Test("what an operation's state means to who waits for it")
    func verdicts() {
        let judge = Waiting.operations(["m-a": "o-1"])
        let target = Waiting.Target(id: "m-a", name: "a")
        #expect(judge(machine("a"), target) == .going)
        #expect(judge(machine("a", .ready, state: .succeeded), target) == .done("is node a"))
        #expect(judge(machine("a", .failed, state: .failed, error: "E"), target) == .failed("E"))
        #expect(judge(machine("a", operation: "o-2"), target).isFailure)
        #expect(judge(nil, target) == .failed("it was deleted"))
    }

    @Test("what a machine's state means to `slipway wait`")
    func goals() {
        let ready = WaitGoal.phase([.ready])
        #expect(ready.judge(machine("a", .ready)).isDone && ready.judge(machine("a", .joining)) == .going)
        #expect(ready.judge(machine("a", .failed)).isFailure && ready.judge(nil).isFailure)
        #expect(WaitGoal.phase([.ready, .failed]).judge(machine("a", .failed)).isDone)
        #expect(WaitGoal.deleted.judge(nil).isDone && WaitGoal.deleted.judge(machine("a", .failed)) == .going)
    }

    @Test("the exit status of many")
    func status() {
        func report(_ verdicts: Waiting.Verdict...) -> Commands.ExitStatus {
            Waiting.Report(outcomes: verdicts.map { .init(target: .init(id: "i", name: "n"), verdict: $0) }).status
        }
        #expect(report(.done(), .done()) == .done && report() == .done)
        #expect(report(.done(), .going) == .timedOut && report(.going, .failed("x"), .done()) == .failed)
    }
}
