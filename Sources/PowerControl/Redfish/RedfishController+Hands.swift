import Machines
import Redfish

extension RedfishController {
    public func setIdentifyLight(_ light: IdentifyLight, on bmc: BMCAccess) async throws {
        try await run(bmc, "switch the identify light") { session in
            let system = try await session.system()
            let isOn = light != .off
            let chassis = system.locationIndicator == nil ? try await session.chassis(of: system) : []
            if let path = system.locationIndicator.map({ _ in system.path })
                ?? chassis.first(where: { $0.locationIndicator != nil })?.path
            {
                let answer = try await session.patch(path, ["LocationIndicatorActive": .bool(isOn)], note: "\(isOn)")
                guard answer.isGood else { throw await session.refusal(answer, "LocationIndicatorActive") }
                _ = try await session.settled(answer, "LocationIndicatorActive")
                return try await confirm(path, "LocationIndicatorActive", session) { $0?.bool == isOn }
            }
            let old = [(system.path, system.indicator)] + chassis.map { ($0.path, $0.indicator) }
            guard let (path, indicator) = old.first(where: { $0.1 != nil }), let indicator else {
                throw await session.error(.unsupported, "neither its system nor its chassis has a light")
            }
            var refusal: BMCError?
            for value in indicatorValues(isOn: isOn, allowable: indicator.allowable) {
                let answer = try await session.patch(path, ["IndicatorLED": .string(value)], note: value)
                guard answer.isGood else {
                    refusal = await session.refusal(answer, "IndicatorLED \(value)")
                    continue
                }
                _ = try await session.settled(answer, "IndicatorLED \(value)")
                return try await confirm(path, "IndicatorLED", session) { $0?.string == value }
            }
            if let refusal { throw refusal }
        }
    }

    /// Reads a property back until it is as it was set.
    private func confirm(
        _ path: ResourcePath, _ property: String, _ session: RedfishSession, _ isRight: (JSON?) -> Bool
    ) async throws {
        let deadline = ContinuousClock.now.advanced(by: session.bmc.settle)
        while true {
            let found = try await session.get(path).json[property]
            if isRight(found) { return }
            guard ContinuousClock.now < deadline else {
                throw await session.error(
                    .notDone, "it accepted \(property), and when read back it is \(found?.description ?? "not there")")
            }
            try await Task.sleep(for: limits.poll)
        }
    }

    public func setVirtualMedia(_ url: String?, on bmc: BMCAccess) async throws {
        try await run(bmc, url == nil ? "take the virtual CD out" : "put a virtual CD in") { session in
            let devices = try await self.devices(session)
            let discs = devices.filter(\.isDisc)
            guard !discs.isEmpty else { throw await session.error(.unsupported, "it has no virtual device for CDs") }
            for disc in discs where disc.isOccupied && !(url.map(disc.holds) ?? false) {
                // With an image to put in, only what is in its way is taken out.
                if url == nil || VirtualMedia.device(of: devices)?.path == disc.path { try await eject(disc, session) }
            }
            guard let url, !discs.contains(where: { $0.holds(url) }) else { return }
            guard let device = VirtualMedia.device(of: devices) else {
                throw await session.error(.unsupported, "none of its virtual devices takes an image by URL")
            }
            try await insert(url, into: device, session)
        }
    }

    private func devices(_ session: RedfishSession) async throws -> [VirtualMedia] {
        let system = try await session.system()
        var found: [VirtualMedia] = []
        // The system's are newer; Dell has both, and they are the same.
        var place = system.virtualMedia
        if place == nil { place = try await session.manager(of: system)?.virtualMedia }
        guard let place else { return [] }
        for json in try await session.members(of: place, most: 32) {
            if let path = json.path { found.append(VirtualMedia(json, at: path)) }
        }
        return found
    }

    private func insert(_ url: String, into device: VirtualMedia, _ session: RedfishSession) async throws {
        var answer: RedfishSession.Answer?
        for body in VirtualMedia.insertions(of: url) {
            // The URL may hold a secret of whoever made it: the exchange does not show it.
            let now =
                if let insert = device.insert { try await session.act(insert, body, note: "") } else {
                    try await session.patch(device.path, body, note: "Image")
                }
            answer = now
            if now.isGood || ![400, 422].contains(now.status) { break }
        }
        guard let answer else { return }
        guard answer.isGood else { throw await session.refusal(answer, "the image") }
        _ = try await session.settled(answer, "the image")
        try await look(at: device, session, "the image is not in its \(device.id)") { $0.holds(url) }
    }

    private func eject(_ device: VirtualMedia, _ session: RedfishSession) async throws {
        let answer: RedfishSession.Answer
        if let eject = device.eject {
            answer = try await session.act(eject, [:], note: "")
        } else {
            answer = try await session.patch(device.path, ["Image": .null, "Inserted": false], note: "no Image")
        }
        guard answer.isGood else { throw await session.refusal(answer, "to empty its \(device.id)") }
        _ = try await session.settled(answer, "to empty its \(device.id)")
        try await look(at: device, session, "something is still in its \(device.id)") { !$0.isOccupied }
    }

    private func look(
        at device: VirtualMedia, _ session: RedfishSession, _ complaint: String, _ isRight: (VirtualMedia) -> Bool
    ) async throws {
        let deadline = ContinuousClock.now.advanced(by: session.bmc.settle)
        while !isRight(VirtualMedia(try await session.get(device.path).json, at: device.path)) {
            guard ContinuousClock.now < deadline else {
                throw await session.error(.notDone, "accepted, and when read back \(complaint)")
            }
            try await Task.sleep(for: limits.poll)
        }
    }
}
