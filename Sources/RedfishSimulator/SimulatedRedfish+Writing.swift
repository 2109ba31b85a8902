import Foundation

extension SimulatedRedfish {
    mutating func patch(_ request: Request, at now: Double) -> Reply {
        guard tree[request.path] != nil else {
            return Reply(404, Self.error("Base.1.8.ResourceMissingAtURI", "Nothing there.", [request.path]))
        }
        if changesMeanwhile > 0 {
            changesMeanwhile -= 1
            changes += 1
        }
        if let given = request.headers["if-match"] {
            let isRight = given == "*" || tags(of: request.path, at: now).accepted.contains(given)
            guard isRight, !quirks.contains(.refusesIfMatch) else {
                return Reply(412, Self.error("Base.1.8.PreconditionFailed", "The ETag supplied did not match."))
            }
        } else if quirks.contains(.requiresIfMatch) {
            return Reply(428, Self.error("Ami.1.0.PreconditionHeaderMissing", "If-Match is missing."))
        }
        guard let body = Value(bytes: request.body), let properties = body.object else {
            return Reply(400, Self.error("Base.1.8.MalformedJSON", "No JSON."))
        }
        if isPicture { return Reply(200, tree[request.path]) }
        if let boot = properties["Boot"] { return setBoot(boot, at: request.path, now) }
        if let password = properties["Password"]?.string, request.path == account { return setPassword(password) }
        if request.path.contains("/VirtualMedia/") {
            guard quirks.contains(.mediaByPatch) else {
                return Reply(405, Self.error("Base.1.8.OperationNotAllowed", "By action."))
            }
            return body["Image"]?.string == nil ? eject(request.path) : insert(body, request.path, at: now)
        }
        for (name, value) in properties {
            guard tree[request.path]?[name] != nil else {
                return Reply(400, Self.error("Base.1.8.PropertyUnknown", "No such property.", [name]))
            }
            if name == "IndicatorLED", value == "Off", quirks.contains(.indicatorNeverOff) {
                return Reply(400, Self.error("Base.1.8.PropertyValueNotInList", "Lit or Blinking.", ["Off", name]))
            }
            tree[request.path]?[name] = value
            done.append("\(name) \(String(decoding: value.bytes, as: UTF8.self))")
        }
        return accepted(now)
    }

    /// 204, or a task.
    private mutating func accepted(_ now: Double) -> Reply {
        guard !quirks.isDisjoint(with: [.tasks, .monitorsGo]) else { return Reply(204) }
        counter += 1
        let path = "/redfish/v1/TaskService/TaskMonitors/\(counter)"
        tasks[path] = now + 0.05
        return Reply(202, ["@odata.id": .string(path), "TaskState": "New"], headers: [("Location", path)])
    }

    private mutating func setBoot(_ boot: Value, at path: String, _ now: Double) -> Reply {
        if busyInPOST > 0 {
            busyInPOST -= 1
            return Reply(
                400, Self.error("iLO.2.37.UnableToModifyDuringSystemPOST", "In POST.", ["BootSourceOverrideTarget"]))
        }
        if quirks.contains(.bootInSettings), path == system {
            return Reply(400, Self.error("Ami.1.0.OperationSupportedInFutureStateURI", "Use FutureState."))
        }
        if quirks.contains(.modeNotWritable), boot["BootSourceOverrideMode"] != nil {
            return Reply(400, Self.error("Base.1.8.PropertyNotWritable", "Not writable.", ["BootSourceOverrideMode"]))
        }
        let enabled = boot["BootSourceOverrideEnabled"]?.string ?? "Disabled"
        let target = boot["BootSourceOverrideTarget"]?.string ?? "None"
        let allowed = tree[system]?["Boot"]?["BootSourceOverrideTarget@Redfish.AllowableValues"]?.array ?? []
        guard allowed.contains(.string(target)) else {
            return Reply(400, Self.error("Base.1.8.PropertyValueNotInList", "Not in the list.", [target]))
        }
        if dropsOverrides > 0 {
            dropsOverrides -= 1
            return accepted(now)
        }
        var mode = boot["BootSourceOverrideMode"]?.string ?? tree[system]?["Boot"]?["BootSourceOverrideMode"]?.string
        if quirks.contains(.forgetsMode), boot["BootSourceOverrideMode"] == nil { mode = "Legacy" }
        if forgetsOverrides > 0 {
            forgetsOverrides -= 1
            forgetsNow = true
        }
        let kept = quirks.contains(.onceBecomesContinuous) ? "Continuous" : enabled
        for place in [system, path] {
            tree[place]?["Boot"]?["BootSourceOverrideEnabled"] = .string(kept)
            tree[place]?["Boot"]?["BootSourceOverrideTarget"] = .string(target)
            if let mode { tree[place]?["Boot"]?["BootSourceOverrideMode"] = .string(mode) }
        }
        done.append("boot \(target) \(kept) \(mode ?? "")")
        return accepted(now)
    }

    mutating func forgetOverride() {
        forgetsNow = false
        for place in [system, system + "/SD"] where tree[place]?["Boot"] != nil {
            tree[place]?["Boot"]?["BootSourceOverrideEnabled"] = "Disabled"
            tree[place]?["Boot"]?["BootSourceOverrideTarget"] = "None"
        }
    }

    private mutating func setPassword(_ new: String) -> Reply {
        guard new.count >= 8, new != password else {
            // Some say back what they were sent.
            return Reply(
                400,
                Self.error("Base.1.8.PropertyValueFormatError", "The value \(new) is not taken.", [new, "Password"]))
        }
        if !keepsPassword { (password, demandsPasswordChange) = (new, false) }
        done.append("password")
        return Reply(204)
    }

    mutating func post(_ request: Request, at now: Double) -> Reply {
        if quirks.contains(.refusesIfMatchOnActions), request.headers["if-match"] != nil {
            return Reply(412, Self.error("Base.1.8.PreconditionFailed", "No If-Match here."))
        }
        guard let action = request.path.split(separator: "/").last, request.path.contains("/Actions/") else {
            return Reply(405, Self.error("Base.1.8.OperationNotAllowed", "No action."))
        }
        if isPicture { return Reply(204) }
        let body = Value(bytes: request.body) ?? [:]
        let device = String(
            request.path.prefix(upTo: request.path.range(of: "/Actions/")?.lowerBound ?? request.path.endIndex))
        switch action {
        case "ComputerSystem.Reset": return reset(body["ResetType"]?.string, at: now)
        case "LogService.ClearLog":
            if !keepsLog {
                tree[device + "/Entries"] = .collection(device + "/Entries", [])
                log("Log cleared", created: "2024-06-01T00:00:00Z")
            }
            done.append("clear")
            return accepted(now)
        case "VirtualMedia.InsertMedia": return insert(body, device, at: now)
        case "VirtualMedia.EjectMedia": return eject(device)
        default: return Reply(404, Self.error("Base.1.8.ActionNotSupported", "No such action."))
        }
    }

    private mutating func insert(_ body: Value, _ device: String, at now: Double) -> Reply {
        if quirks.contains(.imageOnly), (body.object ?? [:]).count > 1 {
            return Reply(
                400, Self.error("Base.1.8.ActionParameterUnknown", "The property Inserted is not in the list."))
        }
        guard let image = body["Image"]?.string else {
            return Reply(400, Self.error("Base.1.8.ActionParameterMissing", "No image.", ["Image"]))
        }
        done.append("insert \(image)")
        if !ignoresMedia {
            tree[device]?["Image"] = .string(image)
            tree[device]?["ImageName"] = .string(image.split(separator: "/").last.map(String.init) ?? image)
            tree[device]?["Inserted"] = true
            tree[device]?["ConnectedVia"] = "URI"
        }
        return accepted(now)
    }

    private mutating func eject(_ device: String) -> Reply {
        done.append("eject")
        tree[device]?["Inserted"] = false
        tree[device]?["ConnectedVia"] = "NotConnected"
        if !quirks.contains(.imageOnly) {
            tree[device]?["Image"] = .null
            tree[device]?["ImageName"] = .null
        }
        return Reply(204)
    }

    private mutating func reset(_ type: String?, at now: Double) -> Reply {
        let known = ["On", "ForceOff", "GracefulShutdown", "ForceRestart", "PowerCycle"]
        var refused: Set<String> = quirks.contains(.noForceRestart) ? ["ForceRestart"] : []
        if quirks.contains(.refusesListedResets) { refused = ["ForceRestart", "PowerCycle"] }
        guard let type, known.contains(type), !refused.contains(type) else {
            return Reply(
                400, Self.error("Base.1.8.ActionParameterNotSupported", "Not that reset.", [type ?? "", "ResetType"]))
        }
        let state = power.state(at: now)
        if type == "ForceRestart" || type == "PowerCycle", state != "On" {
            if quirks.contains(.refusesRestartWhenOff) {
                return Reply(
                    400, Self.error("iLO.0.10.InvalidOperationForSystemState", "Power is off.", ["Power is off"]))
            }
            return Reply(204)
        }
        done.append(type)
        // "On" in the middle of a shutdown is lost.
        guard !isPowerStuck, !(type == "On" && state != "Off") else { return accepted(now) }
        switch type {
        case "On": power.become([(0, "PoweringOn"), (powerDelay, "On")], from: now)
        case "ForceOff": power.become([(staleAfterOff, "PoweringOff"), (staleAfterOff + powerDelay, "Off")], from: now)
        case "GracefulShutdown": power.become([(0, "PoweringOff"), (2 * powerDelay, "Off")], from: now)
        default: power.become([(0, "Off"), (powerDelay, "PoweringOn"), (2 * powerDelay, "On")], from: now)
        }
        if type != "ForceOff", type != "GracefulShutdown" {
            counter += 1
            tree[system]?["LastResetTime"] = .string("2024-01-01T00:00:\(10 + counter % 50)Z")
            if tree[system]?["Boot"]?["BootSourceOverrideEnabled"] == "Once" { forgetOverride() }
        }
        return accepted(now)
    }

    /// The state from which a test begins, or that another hand makes of it.
    public mutating func become(_ states: [(after: Double, state: String)], at now: Double) {
        power.become(states, from: now)
    }

    public func powerState(at now: Double) -> String { power.state(at: now) }
}
