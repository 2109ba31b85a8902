extension SimulatedBMC {
    /// A command and its answer, whichever way it came: over LAN, or inside the machine (session 0).
    public mutating func perform(function: UInt8, command: UInt8, data: [UInt8], session: UInt32 = 0) -> (
        code: UInt8, data: [UInt8]
    ) {
        commands.append([function, command] + data)
        switch function {
        case 0x00: return chassis(command, data)
        case 0x04: return command == 0x2d ? repository.reading(data) : (0xc1, [])
        case 0x06: return application(command, data, session)
        case 0x0a: return storage(command, data)
        case 0x0c: return transport(command, data)
        default: return (0xc1, [])
        }
    }

    /// §20, §22, §24.
    private mutating func application(_ command: UInt8, _ data: [UInt8], _ session: UInt32) -> (UInt8, [UInt8]) {
        switch command {
        // Device id (§20.1): revision 1, firmware 2.10, IPMI 2.0, sensors, repository, log, inventory, a chassis; Supermicro's number.
        case 0x01: return (0, [0x20, 1, 2, 0x10, 0x02, 0x8f, 0x7c, 0x2a, 0, 0x20, 0x03, 1, 2, 3, 4])
        case 0x37: return (0, Self.guid)
        // Channel authentication capabilities: channel 1, extended, named users with a password, IPMI 2.0.
        case 0x38: return (0, [1, 0x80, 0x04, 0x02, 0, 0, 0, 0])
        case 0x3b: return (0, [data.first ?? 4])
        case 0x3c: return (0, [])
        // Channel access and info (§22.23, §22.24): always available, administrator; channel 1 is a LAN, 15 this interface.
        case 0x41: return (0, [0x22, 4])
        case 0x42:
            switch data.first.map({ $0 & 15 }) {
            case 1, 14: return (0, [1, 0x04, 0x01, 0x81, 0xf2, 0x1b, 0, 0, 0])
            case 15: return (0, [15, 0x0c, 0x05, 0, 0xf2, 0x1b, 0, 0, 0])
            default: return (0xcc, [])
            }
        case 0x43...0x47: return store.perform(command, data, quirks)
        case 0x48:
            guard data.count == 6, data[0] == 1 else { return (0x81, []) }
            // Bit 7 of the third byte: encrypted.
            return data[2] & 0xc0 == 0xc0 ? console.activate(session) : (0x84, [])
        case 0x49: return (console.deactivate(by: session).code, [])
        case 0x4a: return (0, [1, console.session == nil ? 0 : 1, 0])
        case 0x4c: return (0, [])
        case 0x4d: return (0, [2, 0, 0, 0])
        case 0x54:
            let records = suites.sorted().flatMap { suite -> [UInt8] in
                suite == 3 ? [0xc0, 3, 0x01, 0x41, 0x81] : [0xc0, suite, 0x03, 0x44, 0x81]
            }
            let start = Int(data.count > 2 ? data[2] & 0x3f : 0) * 16
            return (0, [1] + records.dropFirst(start).prefix(16))
        default: return (0xc1, [])
        }
    }

    /// §28.
    private mutating func chassis(_ command: UInt8, _ data: [UInt8]) -> (UInt8, [UInt8]) {
        switch command {
        case 0x01:
            if let looks = shutsDownIn {
                shutsDownIn = looks > 0 ? looks - 1 : nil
                if looks == 0 { isOn = false }
            }
            var shown = isOn
            if let lag {
                shown = lag.was
                self.lag = lag.looks > 1 ? (lag.looks - 1, lag.was) : nil
            }
            let light: UInt8 = identify.map { $0 == .infinity ? 0x20 : $0 > now ? 0x10 : 0 } ?? 0
            return (0, [shown ? 0x21 : 0x20, 0, 0x40 | light])
        case 0x02: return control(data)
        case 0x04:
            let isForced = data.count > 1 && data[1] & 1 == 1
            let seconds = data.first ?? 15
            identify = isForced ? .infinity : seconds == 0 ? nil : now + Double(seconds)
            return (0, [])
        case 0x07: return (0, [restartCause, 0])
        case 0x08: return setBootOption(data)
        case 0x09:
            forgetFlags()
            guard let parameter = data.first.map({ $0 & 0x7f }), let value = bootOptions[parameter] else {
                return (0x80, [])
            }
            return (0, [1, parameter] + value)
        default: return (0xc1, [])
        }
    }

    private mutating func control(_ data: [UInt8]) -> (UInt8, [UInt8]) {
        guard let control = data.first, control <= 5 else { return (0xcc, []) }
        // A cycle of a chassis that is off is refused (table 28-4).
        if control == 2, !isOn { return (0xd5, []) }
        if control == 1, shutsDownIn != nil, quirks.refusesDuringShutdown { return (0xd5, []) }
        if quirks.refusesControl { return (0xd5, []) }
        log.append("control \(control)")
        if quirks.ignoresControl || (control == 1 && shutsDownIn != nil) { return (0, []) }
        let was = isOn
        isOn = control != 0 && control != 5
        restartCause = isOn ? 1 : restartCause
        if quirks.powerLag > 0, was != isOn { lag = (quirks.powerLag, was) }
        return (quirks.timesOutInControl ? 0xc3 : 0, [])
    }

    private mutating func setBootOption(_ data: [UInt8]) -> (UInt8, [UInt8]) {
        guard let parameter = data.first.map({ $0 & 0x7f }) else { return (0xc7, []) }
        if quirks.onlyBootFlags, parameter != 5 { return (0x80, []) }
        if parameter == 0, data.count > 1, data[1] == 1 {
            if quirks.inProgress > 0 {
                quirks.inProgress -= 1
                return (0x81, [])
            }
        }
        let words = data.dropFirst().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
        log.append("boot option \(parameter): \(words)")
        bootOptions[parameter] = Array(data.dropFirst())
        if parameter == 5 { flagsSetAt = now }
        return (0, [])
    }

    /// The valid bit goes after a minute, unless parameter 3 says otherwise; or anyway, where the override reverts.
    private mutating func forgetFlags() {
        let isKept = (bootOptions[3]?.first ?? 0) & 0x08 != 0
        let live = quirks.revertsAfter ?? (isKept ? .infinity : quirks.flagsLive)
        if now - flagsSetAt >= live { bootOptions[5] = [0, 0, 0, 0, 0] }
    }

    /// §31, §33, §34.
    private mutating func storage(_ command: UInt8, _ data: [UInt8]) -> (UInt8, [UInt8]) {
        switch command {
        case 0x10:
            guard data.first == 0 else { return (0xcb, []) }
            return (0, [UInt8(inventory.count & 0xff), UInt8(inventory.count >> 8), 0])
        case 0x11:
            guard data.count == 4, data[0] == 0 else { return (0xcb, []) }
            let offset = Int(data[1]) | Int(data[2]) << 8
            guard offset < inventory.count else { return (0xc9, []) }
            guard data[3] <= quirks.pieceLimit else { return (0xca, []) }
            let bytes = inventory[offset...].prefix(Int(data[3]))
            return (0, [UInt8(bytes.count)] + bytes)
        case 0x20...0x23: return repository.perform(command, data, &quirks)
        case 0x40...0x48: return eventLog.perform(command, data, &quirks)
        default: return (0xc1, [])
        }
    }

    /// §23, §26.
    private mutating func transport(_ command: UInt8, _ data: [UInt8]) -> (UInt8, [UInt8]) {
        switch command {
        case 0x01:
            guard data.count >= 3, lan[data[1]] != nil else { return (0x80, []) }
            // An address that DHCP gives cannot be set.
            if data[1] == 3, lan[4] == [2] { return (0x82, []) }
            lan[data[1]] = Array(data[2...])
            return (0, [])
        case 0x02:
            guard data.count >= 2, let value = lan[data[1]] else { return (0x80, []) }
            return (0, [0x11] + value)
        case 0x22:
            // Set in progress, enabled, authentication, accumulation, retries, bit rates (115,200), channel, port.
            let values: [[UInt8]] = [[0], [1], [0x82], [12, 60], [7, 50], [10], [10], [1], [0x6f, 0x02]]
            guard data.count >= 2, Int(data[1]) < values.count else { return (0x80, []) }
            return (0, [0x11] + values[Int(data[1])])
        default: return (0xc1, [])
        }
    }
}
