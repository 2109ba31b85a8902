import Foundation

extension SimulatedRedfish {
    mutating func get(_ request: Request, at now: Double) -> Reply {
        if request.path == "/redfish/v1/SSE", tree["/redfish/v1/EventService"] != nil, !isPicture {
            var reply = Reply(200, nil, headers: [("Content-Type", "text/event-stream")])
            reply.isStream = true
            return reply
        }
        if let end = tasks[request.path] { return task(request.path, end: end, at: now) }
        guard var value = resource(request.path, at: now) else {
            return Reply(404, Self.error("Base.1.8.ResourceMissingAtURI", "Nothing there.", [request.path]))
        }
        let query = request.target.split(separator: "?", maxSplits: 1).dropFirst().first.map(String.init) ?? ""
        let page = Int(query.split(separator: "&").first { $0.hasPrefix("$skip=") }?.dropFirst(6) ?? "") ?? 0
        if request.path.hasSuffix("/Entries"), let members = value["Members"]?.array, !isPicture {
            value["Members"] = .array(Array(members.dropFirst(page).prefix(pageSize)))
            if page + pageSize < members.count {
                value["Members@odata.nextLink"] = .string("\(request.path)?$skip=\(page + pageSize)")
            }
        }
        if quirks.contains(.expands), query.contains("$expand"), let members = value["Members"]?.array {
            value["Members"] = .array(
                members.map { member in
                    member["@odata.id"]?.string.flatMap { resource(Self.key($0), at: now) } ?? member
                })
        }
        let tags = tags(of: request.path, at: now)
        value["@odata.etag"] = .string(tags.body)
        if forgetsNow, request.path == system { forgetOverride() }
        return Reply(200, value, headers: [("ETag", tags.header)])
    }

    /// The resource as it is now.
    func resource(_ path: String, at now: Double) -> Value? {
        guard var value = tree[path] else { return nil }
        if !isPicture, path == system { value["PowerState"] = .string(power.state(at: now)) }
        return value
    }

    /// Of the content: the same content has the same tag.
    func tags(of path: String, at now: Double) -> (header: String, body: String, accepted: Set<String>) {
        let content = tree[path]?.bytes ?? []
        let hash = content.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x0100_0000_01b3 }
        let plain = "\"\(String(hash &+ UInt64(changes), radix: 16))\""
        if quirks.contains(.weakShownStrongWanted) { return ("W/" + plain, "W/" + plain, [plain]) }
        if quirks.contains(.doubledETagHeader) { return ("\"" + plain + "\"", plain, [plain]) }
        let tag = quirks.contains(.weakETags) ? "W/" + plain : plain
        return (tag, tag, [tag])
    }

    /// The path of the system.
    var system: String { "/redfish/v1/Systems/1" }

    private mutating func task(_ path: String, end: Double, at now: Double) -> Reply {
        let isOver = now >= end
        if isOver, quirks.contains(.monitorsGo) {
            return Reply(goneStatus, Self.error("Base.1.18.ResourceMissingAtURI", "Nothing there.", [path]))
        }
        let name = isOver ? tasksFail ? "Exception" : "Completed" : "Running"
        let value: Value = [
            "@odata.id": .string(path), "TaskState": .string(name), "TaskStatus": tasksFail ? "Critical" : "OK",
            "Messages": tasksFail ? [["MessageId": "Base.1.8.InternalError", "Message": "It did not work."]] : [],
        ]
        return Reply(isOver ? 200 : 202, value, headers: isOver ? [] : [("Location", path), ("Retry-After", "0")])
    }

    /// The tree of a rack server with one system.
    static func rackServer(_ quirks: Set<Quirk>) -> [String: Value] {
        let root = "/redfish/v1"
        var resets: [Value] = ["On", "ForceOff", "GracefulShutdown", "ForceRestart", "PowerCycle", "Nmi"]
        if quirks.contains(.noForceRestart) { resets.removeAll { $0 == "ForceRestart" } }
        var reset: Value = ["target": "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset"]
        if quirks.contains(.actionInfoOnly) {
            reset["@Redfish.ActionInfo"] = "/redfish/v1/Systems/1/ResetActionInfo"
        } else if !quirks.contains(.noAllowableValues) {
            reset["ResetType@Redfish.AllowableValues"] = .array(resets)
        }
        var tree: [String: Value] = [:]
        func add(_ path: String, _ value: Value) {
            var value = value
            value["@odata.id"] = .string(root + path)
            value["Id"] = value["Id"] ?? .string(path.split(separator: "/").last.map(String.init) ?? "RootService")
            value["Name"] = value["Name"] ?? value["Id"]
            tree[root + path] = value
        }
        func collect(_ path: String, _ names: [String]) {
            tree[root + path] = .collection(root + path, names.map { root + path + "/" + $0 })
        }
        var service: Value = [
            "RedfishVersion": "1.17.0", "Vendor": "Contoso", "Product": "Contoso BMC 7",
            "UUID": "92384634-2938-2342-8820-489239905423", "Systems": .link(root + "/Systems"),
            "Chassis": .link(root + "/Chassis"), "Managers": .link(root + "/Managers"),
            "AccountService": .link(root + "/AccountService"), "UpdateService": .link(root + "/UpdateService"),
            "EventService": .link(root + "/EventService"),
            "ProtocolFeaturesSupported": ["ExpandQuery": ["NoLinks": .bool(quirks.contains(.expands))]],
        ]
        if !quirks.contains(.noSessions) {
            service["SessionService"] = .link(root + "/SessionService")
            service["Links"] = ["Sessions": .link(root + "/SessionService/Sessions")]
        }
        add("", service)
        add(
            "/SessionService",
            ["ServiceEnabled": true, "SessionTimeout": 300, "Sessions": .link(root + "/SessionService/Sessions")])
        collect("/Systems", ["1"])
        var system: Value = [
            "Manufacturer": "Contoso", "Model": "R1000", "SerialNumber": "CNT0001",
            "UUID": "38947555-7742-3448-3784-823347823834", "BiosVersion": "1.2.3",
            "LastResetTime": "2024-01-01T00:00:00Z", "Status": ["State": "Enabled", "Health": "OK"],
            "Boot": [
                "BootSourceOverrideEnabled": "Disabled", "BootSourceOverrideTarget": "None",
                "BootSourceOverrideMode": "UEFI",
                "BootSourceOverrideTarget@Redfish.AllowableValues": ["None", "Pxe", "Hdd", "Cd", "BiosSetup"],
            ],
            "Actions": ["#ComputerSystem.Reset": reset], "Bios": .link(root + "/Systems/1/Bios"),
            "SecureBoot": .link(root + "/Systems/1/SecureBoot"),
            "VirtualMedia": .link(root + "/Systems/1/VirtualMedia"),
            "LogServices": .link(root + "/Systems/1/LogServices"),
            "Links": ["Chassis": [.link(root + "/Chassis/1")], "ManagedBy": [.link(root + "/Managers/1")]],
        ]
        if quirks.contains(.indicatorLEDOnly) || quirks.contains(.indicatorNeverOff) {
            system["IndicatorLED"] = quirks.contains(.indicatorNeverOff) ? "Lit" : "Off"
        } else {
            system["LocationIndicatorActive"] = false
        }
        if quirks.contains(.bootInSettings) {
            system["@Redfish.Settings"] = ["SettingsObject": .link(root + "/Systems/1/SD")]
            add("/Systems/1/SD", ["Boot": system["Boot"] ?? [:]])
        }
        add("/Systems/1", system)
        add("/Systems/1/ResetActionInfo", ["Parameters": [["Name": "ResetType", "AllowableValues": .array(resets)]]])
        add(
            "/Systems/1/Bios", ["Attributes": ["BootMode": "Uefi", "ProcCores": 32, "SriovEnable": true, "Empty": nil]])
        add(
            "/Systems/1/SecureBoot",
            ["SecureBootEnable": true, "SecureBootCurrentBoot": "Disabled", "SecureBootMode": "UserMode"])
        collect("/Systems/1/VirtualMedia", ["USB1", "CD1"])
        for (id, types) in [("USB1", ["USBStick"]), ("CD1", ["CD", "DVD"])] as [(String, [Value])] {
            let target = root + "/Systems/1/VirtualMedia/\(id)/Actions/VirtualMedia."
            var device: Value = [
                "MediaTypes": .array(types), "Inserted": false, "Image": nil, "ImageName": nil,
                "ConnectedVia": "NotConnected",
            ]
            if !quirks.contains(.mediaByPatch) {
                device["Actions"] = [
                    "#VirtualMedia.InsertMedia": ["target": .string(target + "InsertMedia")],
                    "#VirtualMedia.EjectMedia": ["target": .string(target + "EjectMedia")],
                ]
            } else if id == "CD1" {
                device["Id"] = "EXT1"
            }
            add("/Systems/1/VirtualMedia/\(id)", device)
        }
        collect("/Systems/1/LogServices", ["SEL"])
        add(
            "/Systems/1/LogServices/SEL",
            [
                "LogEntryType": "SEL", "Entries": .link(root + "/Systems/1/LogServices/SEL/Entries"),
                "Actions": [
                    "#LogService.ClearLog": [
                        "target": "/redfish/v1/Systems/1/LogServices/SEL/Actions/LogService.ClearLog"
                    ]
                ],
            ])
        tree[root + "/Systems/1/LogServices/SEL/Entries"] = .collection(root + "/Systems/1/LogServices/SEL/Entries", [])
        collect("/Chassis", ["1"])
        add(
            "/Chassis/1",
            [
                "Sensors": .link(root + "/Chassis/1/Sensors"),
                "PowerSubsystem": .link(root + "/Chassis/1/PowerSubsystem"),
            ])
        collect("/Chassis/1/Sensors", ["Inlet", "Fan1"])
        add(
            "/Chassis/1/Sensors/Inlet",
            [
                "Name": "Inlet", "ReadingType": "Temperature", "ReadingUnits": "Cel", "Reading": 23.5,
                "Status": ["State": "Enabled", "Health": "OK"],
            ])
        add(
            "/Chassis/1/Sensors/Fan1",
            [
                "Name": "Fan 1", "ReadingType": "Rotational", "ReadingUnits": "RPM", "Reading": 480,
                "Status": ["State": "Enabled", "Health": "Critical"],
            ])
        add("/Chassis/1/PowerSubsystem", ["PowerSupplies": .link(root + "/Chassis/1/PowerSubsystem/PowerSupplies")])
        collect("/Chassis/1/PowerSubsystem/PowerSupplies", ["PS1"])
        add(
            "/Chassis/1/PowerSubsystem/PowerSupplies/PS1",
            ["Name": "PS1", "Status": ["State": "Enabled", "Health": "OK"]])
        collect("/Managers", ["1"])
        add(
            "/Managers/1",
            [
                "ManagerType": "BMC", "FirmwareVersion": "7.00.1", "Model": "BMC 7",
                "SerialConsole": ["ServiceEnabled": true, "ConnectTypesSupported": ["IPMI", "SSH"]],
            ])
        add(
            "/AccountService",
            ["MinPasswordLength": 8, "MaxPasswordLength": 32, "Accounts": .link(root + "/AccountService/Accounts")])
        collect("/AccountService/Accounts", ["1", "2"])
        add("/AccountService/Accounts/1", ["UserName": "", "Enabled": false, "Password": nil])
        add("/AccountService/Accounts/2", ["UserName": "operator", "Enabled": true, "Password": nil])
        add("/UpdateService", ["FirmwareInventory": .link(root + "/UpdateService/FirmwareInventory")])
        collect("/UpdateService/FirmwareInventory", ["BIOS", "BMC"])
        add("/UpdateService/FirmwareInventory/BIOS", ["Name": "System BIOS", "Version": "1.2.3", "Updateable": true])
        add("/UpdateService/FirmwareInventory/BMC", ["Name": "BMC", "Version": "7.00.1"])
        add("/EventService", ["ServiceEnabled": true, "ServerSentEventUri": "/redfish/v1/SSE"])
        return quirks.contains(.trailingSlashes) ? tree.mapValues(withSlashes) : tree
    }

    private static func withSlashes(_ value: Value) -> Value {
        switch value {
        case .array(let values): return .array(values.map(withSlashes))
        case .object(let values):
            return .object(
                Dictionary(
                    uniqueKeysWithValues: values.map { key, value in
                        if key == "@odata.id", let path = value.string, !path.hasSuffix("/") {
                            return (key, .string(path + "/"))
                        }
                        return (key, withSlashes(value))
                    }))
        default: return value
        }
    }

    /// Adds a line to the log.
    public mutating func log(_ message: String, severity: String = "OK", created: String) {
        let collection = "/redfish/v1/Systems/1/LogServices/SEL/Entries"
        counter += 1
        let members = tree[collection]?["Members"]?.array ?? []
        let entry: Value = [
            "@odata.id": .string("\(collection)/\(counter)"), "Id": .string("\(counter)"), "Name": "Entry",
            "Message": .string(message), "Severity": .string(severity), "Created": .string(created),
        ]
        if linksEntries { tree["\(collection)/\(counter)"] = entry }
        tree[collection]?["Members"] = .array(
            members + [linksEntries ? .link("\(collection)/\(counter)") : entry])
        tree[collection]?["Members@odata.count"] = .number(Double(members.count + 1))
    }
}
