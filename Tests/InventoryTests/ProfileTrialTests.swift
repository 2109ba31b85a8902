import Inventory
import Testing

/// What would be with other profiles.
@Suite struct ProfileTrialTests {
    static func profile(_ name: String, priority: Int = 0, _ facts: (String, String)...) -> HardwareProfile {
        HardwareProfile(name: name, priority: priority, match: .all(facts.map { .machine($0.0, $0.1) }))
    }

    static let report = HardwareReport(
        system: .init(manufacturer: "Dell Inc.", product: "PowerEdge R650"), firmware: .init(kind: .uefi),
        processor: .init(architecture: "amd64", sockets: 1, cores: 1, threads: 1),
        memory: .init(installedBytes: 1 << 30), disks: [], nics: [], hasBMC: true, bootID: "1")
    static let generic = profile("generic", ("architecture", "amd64"))
    static let dell = profile("dell", ("architecture", "amd64"), ("manufacturer", "Dell Inc."))

    struct Case: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var adding: [HardwareProfile] = []
        var removing: [String] = []
        var verdict: ProfileTrial.Verdict
    }

    static func changed(_ from: [String], _ to: [String], _ why: String) -> ProfileTrial.Verdict {
        .changed(.init(from: from, to: to, why: why))
    }

    static let cases: [Case] = [
        Case(testDescription: "nothing", verdict: .same),
        Case(
            testDescription: "one for other machines", adding: [profile("hpe", ("manufacturer", "HPE"))],
            verdict: .same),
        Case(
            testDescription: "one that demands more",
            adding: [
                profile("r650", ("architecture", "amd64"), ("manufacturer", "Dell Inc."), ("product", "PowerEdge R650"))
            ],
            verdict: changed(
                ["dell"], ["r650"],
                "r650 fits: architecture amd64, manufacturer Dell Inc., product PowerEdge R650 (3 conditions before dell's 2)"
            )),
        Case(
            testDescription: "one of a higher priority", adding: [profile("first", priority: 7)],
            verdict: changed(["dell"], ["first"], "first fits: anything (priority 7 before dell's 0)")),
        Case(
            testDescription: "one that ties",
            adding: [profile("r650", ("architecture", "amd64"), ("product", "PowerEdge R650"))],
            verdict: changed(
                ["dell"], ["dell", "r650"],
                "dell and r650 fit equally well (priority 0, 2 conditions): give one of them a higher priority")),
        Case(
            testDescription: "another text of its own",
            adding: [profile("dell", ("architecture", "amd64"), ("manufacturer", "Dell Inc."))],
            verdict: .replaced),
        Case(
            testDescription: "another text of a profile that is not its own",
            adding: [profile("generic", ("architecture", "amd64"))], verdict: .same),
        Case(
            testDescription: "its own does not fit any more",
            adding: [profile("dell", ("manufacturer", "Dell Inc."), ("product", "PowerEdge R660"))],
            verdict: changed(
                ["dell"], ["generic"],
                "dell needs product PowerEdge R660; found PowerEdge R650; generic fits: architecture amd64")),
        Case(
            testDescription: "its own does not fit any more, and one that demands more does",
            adding: [
                profile("dell", ("product", "PowerEdge R660")),
                profile("r650", ("manufacturer", "Dell Inc."), ("product", "PowerEdge R650")),
            ],
            verdict: changed(
                ["dell"], ["r650"],
                "dell needs product PowerEdge R660; found PowerEdge R650; "
                    + "r650 fits: manufacturer Dell Inc., product PowerEdge R650")),
        Case(
            testDescription: "its own is removed", removing: ["dell"],
            verdict: changed(["dell"], ["generic"], "dell is removed; generic fits: architecture amd64")),
        Case(
            testDescription: "none is left", removing: ["dell", "generic"],
            verdict: changed(["dell"], [], "dell is removed; no profile fits")),
    ]

    @Test("what becomes of a machine", arguments: cases)
    func verdict(row: Case) throws {
        let trial = try ProfileTrial(
            of: ProfileMatcher([Self.generic, Self.dell]), adding: row.adding, removing: row.removing)
        #expect(trial.judge(Self.report) == row.verdict)
    }

    @Test("a tie that ends, and a machine that had none")
    func settled() throws {
        let other = Self.profile("other", ("architecture", "amd64"), ("product", "PowerEdge R650"))
        let tied = ProfileMatcher([Self.dell, other])
        let trial = try ProfileTrial(of: tied, adding: [], removing: ["other"])
        #expect(
            trial.judge(Self.report)
                == Self.changed(
                    ["dell", "other"], ["dell"],
                    "other is removed; dell fits: architecture amd64, manufacturer Dell Inc."))
        let first = try ProfileTrial(of: ProfileMatcher([]), adding: [Self.generic], removing: [])
        #expect(first.judge(Self.report) == Self.changed([], ["generic"], "generic fits: architecture amd64"))
    }

    @Test("questions that make no sense")
    func nonsense() {
        let before = ProfileMatcher([Self.generic, Self.dell])
        #expect(throws: ProfileTrialError.unknown("hpe")) {
            try ProfileTrial(of: before, adding: [], removing: ["hpe"])
        }
        #expect(throws: ProfileTrialError.twice("dell")) {
            try ProfileTrial(of: before, adding: [Self.dell, Self.dell], removing: [])
        }
        #expect(throws: ProfileTrialError.addedAndRemoved("dell")) {
            try ProfileTrial(of: before, adding: [Self.dell], removing: ["dell"])
        }
    }
}
