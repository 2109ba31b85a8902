import Redfish
import Testing

@Suite struct PowerPlanTests {
    static let usual: [ResetType] = [.on, .forceOff, .forceRestart, .powerCycle]

    struct Row: Sendable {
        var verb: PowerVerb
        var state: ChassisPower?
        var allowed: [ResetType]?
        var ways: [[ResetType]]
        var goal: ChassisPower
        var waits = false
    }

    static let rows: [Row] = [
        Row(verb: .on, state: .off, allowed: usual, ways: [[.on]], goal: .on),
        Row(verb: .on, state: .off, allowed: [.forceOn], ways: [[.forceOn]], goal: .on),
        Row(verb: .on, state: .on, allowed: usual, ways: [], goal: .on),
        Row(verb: .on, state: .poweringOn, allowed: usual, ways: [], goal: .on),
        Row(verb: .on, state: .poweringOff, allowed: usual, ways: [], goal: .on, waits: true),
        Row(verb: .on, state: nil, allowed: nil, ways: [[.on], [.forceOn]], goal: .on),
        Row(verb: .off, state: .on, allowed: usual, ways: [[.forceOff]], goal: .off),
        Row(verb: .off, state: .poweringOff, allowed: usual, ways: [[.forceOff]], goal: .off),
        Row(verb: .off, state: .poweringOn, allowed: usual, ways: [[.forceOff]], goal: .off),
        Row(verb: .off, state: .off, allowed: usual, ways: [], goal: .off),
        Row(
            verb: .cycle, state: .on, allowed: usual, ways: [[.powerCycle], [.forceRestart], [.forceOff, .on]],
            goal: .on),
        Row(
            verb: .cycle, state: .on, allowed: [.on, .forceOff, .forceRestart],
            ways: [[.forceRestart], [.forceOff, .on]], goal: .on),
        Row(verb: .cycle, state: .on, allowed: [.on, .forceOff], ways: [[.forceOff, .on]], goal: .on),
        Row(verb: .cycle, state: .off, allowed: usual, ways: [[.on]], goal: .on),
        Row(verb: .cycle, state: .poweringOff, allowed: usual, ways: [], goal: .on, waits: true),
        Row(verb: .reset, state: .off, allowed: usual, ways: [[.on]], goal: .on),
        // IBM's OpenBMC.
        Row(
            verb: .reset, state: .on, allowed: [.on, .forceOff, .powerCycle], ways: [[.powerCycle], [.forceOff, .on]],
            goal: .on),
        Row(
            verb: .reset, state: .paused, allowed: usual, ways: [[.forceRestart], [.powerCycle], [.forceOff, .on]],
            goal: .on),
    ]

    @Test("from a state to the one asked for", arguments: rows)
    func decides(row: Row) throws {
        let plan = try #require(PowerPlan.decide(row.verb, from: row.state, allowed: row.allowed))
        #expect(plan.ways == row.ways)
        #expect(plan.goal == row.goal)
        #expect(plan.waitsForShutdown == row.waits)
    }

    @Test("nothing that it takes would do", arguments: PowerVerb.allCases)
    func impossible(verb: PowerVerb) {
        let state: ChassisPower = verb == .on ? .off : .on
        #expect(PowerPlan.decide(verb, from: state, allowed: [ResetType(rawValue: "Nmi")]) == nil)
    }

    @Test("a reset whose answer was lost is done only when that shows")
    func lost() {
        func judge(
            _ type: ResetType, _ now: ChassisPower?, down: Bool = false, last: String? = "a", late: Bool = true
        ) -> LostReset {
            LostReset.judge(type, now: now, hasBeenDown: down, before: "a", lastReset: last, isLate: late)
        }
        #expect(judge(.on, .on) == .done && judge(.on, .off) == .unknown && judge(.on, .off, late: false) == .looking)
        #expect(judge(.powerCycle, .on) == .unknown)
        #expect(judge(.powerCycle, .on, down: true) == .done)
        #expect(judge(.powerCycle, .on, last: "b") == .done)
        #expect(judge(.powerCycle, .on, last: nil) == .unknown)
        #expect(judge(.forceRestart, .poweringOn, down: true, late: false) == .looking)
    }
}

@Suite struct BootPlanTests {
    static func settings(_ boot: JSON) -> BootSettings? { BootSettings(["Boot": boot]) }

    @Test(
        "the device and mode that a system offers",
        arguments: [
            (BootTarget.network, true, ["Pxe", "Hdd"], "UEFI", "Pxe", "UEFI"),
            (.network, true, ["UefiHttp", "Hdd"], "UEFI", "UefiHttp", "UEFI"),
            (.network, false, ["Pxe", "UefiHttp"], "UEFI", "Pxe", "Legacy"),
            (.disk, true, ["Pxe", "Hdd"], nil, "Hdd", nil),
            (.disk, true, nil, "Legacy", "Hdd", "UEFI"),
        ] as [(BootTarget, Bool, [String]?, String?, String, String?)])
    func decides(
        _ device: BootTarget, _ uefi: Bool, _ targets: [String]?, _ mode: String?, _ target: String, _ set: String?
    ) throws {
        var boot: [String: JSON] = ["BootSourceOverrideEnabled": "Disabled"]
        if let targets {
            boot["BootSourceOverrideTarget@Redfish.AllowableValues"] = .array(targets.map { .string($0) })
        }
        if let mode { boot["BootSourceOverrideMode"] = .string(mode) }
        let offered = try #require(Self.settings(.object(boot)))
        let plan = try #require(BootPlan.decide(device, uefi: uefi, offered: offered))
        #expect(plan.target == target)
        #expect(plan.mode == set)
        // One PATCH with all of it: Supermicro.
        #expect(plan.body()["Boot"]?["BootSourceOverrideMode"]?.string == set)
        #expect(plan.body()["Boot"]?["BootSourceOverrideEnabled"] == "Once")
        #expect(plan.body(withMode: false)["Boot"]?["BootSourceOverrideMode"] == nil)
    }

    @Test("a device that is not offered is none")
    func impossible() throws {
        let offered = try #require(Self.settings(["BootSourceOverrideTarget@Redfish.AllowableValues": ["None", "Cd"]]))
        #expect(BootPlan.decide(.network, uefi: true, offered: offered) == nil)
    }

    @Test("a mode that is not among the allowable ones is not asked for")
    func modes() throws {
        let offered = try #require(
            Self.settings([
                "BootSourceOverrideMode": "UEFI", "BootSourceOverrideMode@Redfish.AllowableValues": ["UEFI"],
            ]))
        #expect(BootPlan.decide(.network, uefi: false, offered: offered)?.mode == nil)
    }

    @Test("what is read back")
    func compares() throws {
        let offered = try #require(Self.settings(["BootSourceOverrideMode": "UEFI"]))
        let plan = BootPlan.decide(.network, uefi: true, offered: offered)
        func compare(_ enabled: String?, _ target: String?, _ mode: String?) -> BootPlan.Result? {
            var boot: [String: JSON] = [:]
            boot["BootSourceOverrideEnabled"] = enabled.map { .string($0) }
            boot["BootSourceOverrideTarget"] = target.map { .string($0) }
            boot["BootSourceOverrideMode"] = mode.map { .string($0) }
            return plan?.compare(Self.settings(.object(boot)))
        }
        #expect(compare("Once", "Pxe", "UEFI") == .asAsked)
        #expect(compare("Continuous", "Pxe", "UEFI") == .lasting)
        #expect(compare("Disabled", "Pxe", "UEFI") == .differs("BootSourceOverrideEnabled is Disabled"))
        #expect(compare("Once", "Hdd", "UEFI") == .differs("BootSourceOverrideTarget is Hdd"))
        #expect(compare("Once", "Pxe", "Legacy") == .differs("BootSourceOverrideMode is Legacy"))
        #expect(compare(nil, nil, "UEFI") == .silent)
    }

    @Test("refusals that say what to do")
    func refusals() {
        func judge(_ id: String, arguments: [String] = [], text: String? = nil) -> BootRefusal {
            BootRefusal.judge(status: 400, [ServiceMessage(id: id, text: text, arguments: arguments)])
        }
        #expect(judge("Ami.1.0.OperationSupportedInFutureStateURI") == .useSettings)
        #expect(
            judge("iLO.2.37.UnableToModifyDuringSystemPOST", arguments: ["BootSourceOverrideTarget"]) == .waitAndRepeat)
        #expect(judge("Base.1.8.PropertyNotWritable", arguments: ["BootSourceOverrideMode"]) == .leaveOutMode)
        #expect(judge("Base.1.8.PropertyNotWritable", arguments: ["Boot/BootSourceOverrideMode"]) == .leaveOutMode)
        #expect(judge("Base.1.8.PropertyUnknown", text: "BootSourceOverrideMode is unknown") == .leaveOutMode)
        #expect(judge("Base.1.8.PropertyValueNotInList", arguments: ["Pxe"]) == .final)
    }
}

@Suite struct ChoiceTests {
    static func system(_ name: String, uuid: String? = nil, serial: String? = nil) throws -> ComputerSystem {
        var json: [String: JSON] = ["Name": .string(name)]
        json["UUID"] = uuid.map { .string($0) }
        json["SerialNumber"] = serial.map { .string($0) }
        return ComputerSystem(.object(json), at: try #require(ResourcePath("/redfish/v1/Systems/\(name)")))
    }

    @Test("one of several systems by UUID, in either byte order, or serial number; never the first")
    func systems() throws {
        let blades = [
            try Self.system("Blade1", uuid: "4c4c4544-0035-3410-8050-c6c04f314733", serial: "A1"),
            try Self.system("Blade2", uuid: "4c4c4544-0035-3410-8050-c6c04f314734", serial: "A2"),
        ]
        func choose(_ uuid: String?, _ serial: String?, _ systems: [ComputerSystem]? = nil) -> String {
            switch SystemChoice.choose(systems ?? blades, known: .init(uuid: uuid, serial: serial)) {
            case .system(let system): system.path.name
            case .undecided(let why): why
            }
        }
        #expect(choose("4C4C4544-0035-3410-8050-C6C04F314734", nil) == "Blade2")
        #expect(choose("44454c4c-3500-1034-8050-c6c04f314733", nil) == "Blade1")
        #expect(choose(nil, "a2") == "Blade2")
        #expect(choose("00000000-0000-0000-0000-000000000000", "A1") == "Blade1")
        let words = choose(nil, nil)
        #expect(words.contains("2 systems") && words.contains("Blade1") && words.contains("serial A2"), "\(words)")
        #expect(choose(nil, "A3").contains("A3"))
        #expect(choose(nil, "A3", [blades[0]]) == "Blade1")
        #expect(choose(nil, nil, []).contains("no system"))
    }

    @Test(
        "the log of the hardware",
        arguments: [
            (["Sel", "Lclog", "FaultList"], "Sel"), (["IEL", "IML", "SL"], "IML"),
            (["AuditLog", "EventLog"], "EventLog"),
            (["PostCodes", "Journal"], nil), (["Lclog"], nil), (["AuditLog", "Misc"], "Misc"),
        ] as [([String], String?)])
    func logs(ids: [String], chosen: String?) throws {
        let services = try ids.map { id in
            LogService(
                ["Id": .string(id), "Entries": ["@odata.id": .string("/redfish/v1/\(id)/Entries")]],
                at: try #require(ResourcePath("/redfish/v1/\(id)")))
        }
        #expect(LogService.ofHardware(services)?.id == chosen)
    }

    @Test("the newest line first, by time and where that does not tell by number")
    func order() {
        let lines: [JSON] = [
            ["Id": "9", "Message": "b", "Created": "2024-01-01T00:00:00Z"],
            ["Id": "10", "Message": "c", "Created": "2024-01-01T00:00:00Z"],
            ["Id": "1", "Message": "d", "Created": "2024-02-01T00:00:00Z"],
        ]
        #expect(LogRecord.newestFirst(lines.compactMap { LogRecord($0) }).map(\.id) == ["1", "10", "9"])
    }

    @Test("the device for an image")
    func media() throws {
        func device(_ id: String, _ types: [JSON] = ["CD"], occupied: Bool = false, action: Bool = true) throws
            -> VirtualMedia
        {
            let path = "/redfish/v1/VirtualMedia/\(id)"
            let actions: JSON = action ? ["#VirtualMedia.InsertMedia": ["target": .string(path + "/Insert")]] : [:]
            return VirtualMedia(
                ["Id": .string(id), "MediaTypes": .array(types), "Inserted": .bool(occupied), "Actions": actions],
                at: try #require(ResourcePath(path)))
        }
        let usual = [try device("Floppy1", ["Floppy"]), try device("CD1", occupied: true), try device("CD2")]
        #expect(VirtualMedia.device(of: usual)?.id == "CD2")
        let lenovo = try ["RDOC1", "EXT1", "Remote1", "EXT2"].map { try device($0, action: false) }
        #expect(VirtualMedia.device(of: lenovo)?.id == "EXT1")
        #expect(VirtualMedia.device(of: [try device("USB", ["USBStick"])]) == nil)
        // Supermicro after an eject.
        let left = VirtualMedia(
            ["Inserted": true, "Image": "http://x/a.iso", "ConnectedVia": "NotConnected"], at: .root)
        #expect(!left.isOccupied)
    }

    @Test("values of the old light")
    func indicators() {
        #expect(indicatorValues(isOn: true, allowable: nil) == ["Blinking", "Lit"])
        #expect(indicatorValues(isOn: true, allowable: ["Lit", "Off"]) == ["Lit"])
        #expect(indicatorValues(isOn: false, allowable: nil) == ["Off", "Lit"])
    }

    @Test("tasks")
    func tasks() {
        #expect(TaskState(["TaskState": "Running"])?.isOver == false)
        #expect(TaskState(["TaskState": "Completed", "TaskStatus": "OK"])?.hasSucceeded == true)
        #expect(TaskState(["TaskState": "Completed", "TaskStatus": "Critical"])?.hasSucceeded == false)
        #expect(TaskState(["TaskState": "Exception"])?.hasSucceeded == false)
        #expect(TaskState(["Name": "x"]) == nil)
    }

    @Test("sensors of services before 1.1 and of the subsystems")
    func sensors() {
        let thermal = SensorValue.thermal([
            "Fans": [["FanName": "Fan 1", "CurrentReading": 35, "Units": "Percent", "Status": ["Health": "OK"]]],
            "Temperatures": [
                ["Name": "01-Inlet", "ReadingCelsius": 21, "Status": ["Health": "Warning", "State": "Enabled"]],
                ["Name": "05-GPU", "ReadingCelsius": 0, "Status": ["State": "Absent"]],
            ],
        ])
        #expect(thermal.map(\.name) == ["01-Inlet", "Fan 1"])
        #expect(thermal[0].severity == .warning && thermal[1].unit == "%")
        let fans = SensorValue.fans([["Name": "Fan 1", "SpeedPercent": ["Reading": 40, "SpeedRPM": 4200]]])
        #expect(fans.first?.value == 4200 && fans.first?.unit == "RPM")
    }
}
