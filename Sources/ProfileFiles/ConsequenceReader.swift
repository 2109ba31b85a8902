import Inventory

/// What follows from a profile, beside its disk and its boot.
extension YAMLReader {
    mutating func readConsoles(into profile: inout HardwareProfile) throws {
        profile.consoles = try list("console", orOne: true, KernelConsole.init(parsing:)) ?? []
        guard Set(profile.consoles.map(\.device)).count == profile.consoles.count else {
            throw fault(key: "console", "console: each device stands here once")
        }
        if !profile.consoles.isEmpty, profile.kernelArguments.contains(where: { $0.key == "console" }) {
            throw fault(
                key: "kernel_arguments",
                "kernel_arguments: the console is said by the key console; the last one of two would win")
        }
    }

    mutating func wipePolicy() throws -> WipePolicy {
        let method = try word("method", WipePolicy.Method.self)
        let verify = try word("verify", WipePolicy.Verification.self)
        let frozen = try word("frozen", WipePolicy.Frozen.self)
        try finish()
        guard let method else {
            let words = WipePolicy.Method.allCases.map(\.rawValue).joined(separator: ", ")
            throw fault(nil, "wipe: method is missing, which is one of \(words)")
        }
        return WipePolicy(method: method, verify: verify ?? .sampled, frozen: frozen ?? .fail)
    }

    mutating func phaseDeadlines() throws -> PhaseDeadlines {
        func seconds(_ phase: String) throws -> Double? {
            try duration(phase, in: .seconds(60) ... .seconds(14 * 86400)).map { Double($0.components.seconds) }
        }
        let deadlines = PhaseDeadlines(
            inspecting: try seconds("inspecting"), draining: try seconds("draining"), wiping: try seconds("wiping"),
            installing: try seconds("installing"), joining: try seconds("joining"))
        try finish()
        return deadlines
    }

    mutating func bmcPreferences() throws -> BMCPreferences {
        let preferences = BMCPreferences(
            quirks: try words("quirks", BMCQuirk.self) ?? [],
            powerSettle: try duration("power_settle", in: .seconds(1) ... .seconds(3600)))
        try finish()
        return preferences
    }

    mutating func labels(_ key: String) throws -> [String: String]? {
        let pairs = try pairs(key) { name, value in
            if let fault = Label.fault(ofKey: name) ?? Label.fault(ofValue: value) { throw ValueFault(fault) }
            return (name, value)
        }
        return pairs.map { Dictionary($0) { first, _ in first } }
    }
}
