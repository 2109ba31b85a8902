import Machines
import NIOHTTP1
import Redfish

extension RedfishSession {
    /// Members of a collection as wholes, with as few requests as the service allows. Pages are followed, each once; members that
    /// cannot be read are passed over.
    func members(of collection: ResourcePath, most: Int) async throws -> [JSON] {
        var members: [JSON] = []
        for member in try await listed(in: collection, most: most) {
            if let whole = try await whole(member) { members.append(whole) }
        }
        return members
    }

    /// Members of a log as wholes: all that the service gives as such. Of those that have to be fetched one by one only so many of the newest.
    func entries(of collection: ResourcePath, most: Int) async throws -> [JSON] {
        var listed = try await listed(in: collection, most: most)
        let count = limits.linkedEntries
        if listed.count > count, listed.contains(where: { !CollectionPage.isWhole($0) }) {
            // Some begin with the oldest, some with the newest.
            let ends = [try await whole(listed[0]), try await whole(listed[listed.count - 1])]
            let records = ends.compactMap { $0.flatMap { LogRecord($0) } }
            let isNewestFirst = records.count == 2 && LogRecord.newestFirst(records)[0] == records[0]
            listed = Array(isNewestFirst ? listed.prefix(count) : listed.suffix(count))
        }
        var entries: [JSON] = []
        for member in listed { if let whole = try await whole(member) { entries.append(whole) } }
        return entries
    }

    private func whole(_ member: JSON) async throws -> JSON? {
        if CollectionPage.isWhole(member) { return member }
        guard let path = member.path else { return nil }
        let answer = try await send(.GET, path)
        return answer.isGood ? answer.json : nil
    }

    /// What the pages of a collection have, wholes or links.
    private func listed(in collection: ResourcePath, most: Int) async throws -> [JSON] {
        var first: Answer?
        if try await serviceRoot().expandsMembers {
            let expanded = try await send(.GET, collection.adding(query: "$expand=.($levels=1)"))
            if expanded.isGood { first = expanded }
        }
        var page: CollectionPage
        if let first {
            page = CollectionPage(first.json)
        } else {
            page = CollectionPage(try await get(collection).json)
        }
        var visited: Set<ResourcePath> = [collection]
        var members: [JSON] = []
        while true {
            members += page.members.prefix(most - members.count)
            guard members.count < most else { return members }
            guard let next = page.next, visited.insert(next).inserted, visited.count <= 200 else { return members }
            page = CollectionPage(try await get(next).json)
        }
    }

    /// The machine that is meant.
    func system() async throws -> ComputerSystem {
        guard let systems = try await serviceRoot().systems else {
            throw error(.unsupported, "its service has no systems")
        }
        let found = try await members(of: systems, most: 64).compactMap { json in
            json.path.map { ComputerSystem(json, at: $0) }
        }
        switch SystemChoice.choose(found, known: .init(uuid: bmc.machineUUID, serial: bmc.machineSerial)) {
        case .system(let system): return system
        case .undecided(let why): throw error(.refused, why)
        }
    }

    func again(_ system: ComputerSystem) async throws -> ComputerSystem {
        ComputerSystem(try await get(system.path).json, at: system.path)
    }

    /// The BMC that manages the system; nil when the service shows none.
    func manager(of system: ComputerSystem) async throws -> Manager? {
        for path in system.managers.prefix(8) {
            let answer = try await send(.GET, path)
            if answer.isGood { return Manager(answer.json, at: path) }
        }
        guard let managers = try await serviceRoot().managers else { return nil }
        let all = try await members(of: managers, most: 16).compactMap { json in json.path.map { Manager(json, at: $0) }
        }
        return all.first { $0.kind == "BMC" } ?? all.first
    }

    /// The boxes that the system is in.
    func chassis(of system: ComputerSystem) async throws -> [Chassis] {
        var found: [Chassis] = []
        for path in system.chassis.prefix(16) {
            let answer = try await send(.GET, path)
            if answer.isGood { found.append(Chassis(answer.json, at: path)) }
        }
        guard found.isEmpty, let all = try await serviceRoot().chassis else { return found }
        return try await members(of: all, most: 16).compactMap { json in json.path.map { Chassis(json, at: $0) } }
    }

    /// Changes properties of a resource, with the entity tag that it has, and with what else services have been seen to want in its place.
    /// - Returns: the last answer, whatever it is.
    func patch(_ path: ResourcePath, _ body: JSON, note: String) async throws -> Answer {
        var tags = try await get(path).tags
        var candidates = tags.candidates[...]
        var isRenewed = false
        var answer = try await send(.PATCH, path, body: body, ifMatch: candidates.removeFirst(), note: note)
        while answer.status == 412 || answer.status == 428, !candidates.isEmpty {
            let now = try await get(path).tags
            if now != tags, !isRenewed {
                // Changed by someone else meanwhile: its new tag, once.
                (tags, candidates, isRenewed) = (now, now.candidates[...], true)
            }
            answer = try await send(.PATCH, path, body: body, ifMatch: candidates.removeFirst(), note: note)
        }
        return answer
    }

    /// Waits for the end of what a service goes on with after its answer (202, DSP0266 §12.2).
    /// - Returns: the answer that counts. Of a monitor that is gone, the first one: the service took it, and reading back decides.
    /// - Throws: ``BMCError`` `refused` when the task failed, `notDone` when it does not end.
    func settled(_ answer: Answer, _ what: String) async throws -> Answer {
        guard answer.status == 202, let monitor = answer.location ?? answer.json.path else { return answer }
        let deadline = ContinuousClock.now.advanced(by: bmc.settle)
        var last = answer
        while true {
            if let task = TaskState(last.json), task.isOver {
                guard task.hasSucceeded == true else {
                    let said = task.messages.first.map { ": \($0.description)" } ?? ""
                    throw error(.refused, "it took \(what), and its task ended as \(task.name)\(said)")
                }
                return last
            }
            if last.status != 202, TaskState(last.json) == nil {
                // A monitor may go with its task (ironcore-dev/metal-operator issue 668: iLO; dell/dellemc-openmanage-ansible-modules issue
                // 420: iDRAC9): that it is not there says nothing of what it was for.
                if last.status == 404 || last.status == 410 { return answer }
                // The operation's own answer.
                guard last.isGood else { throw refusal(last, what) }
                return last
            }
            guard ContinuousClock.now < deadline else {
                throw error(.notDone, "it took \(what), and its task has not ended after \(bmc.settle)")
            }
            try await Task.sleep(for: min(max(last.retryAfter ?? limits.poll, limits.poll), limits.retryAfter))
            last = try await send(.GET, monitor)
        }
    }

    /// Gives an action. Never with `If-Match`: iDRAC10 refuses that with 412 (stmcginnis/gofish pull request 510).
    func act(_ action: ServiceAction, _ body: JSON, note: String, isRepeatable: Bool = false) async throws -> Answer {
        try await send(.POST, action.target, body: body, note: note, isRepeatable: isRepeatable)
    }
}
