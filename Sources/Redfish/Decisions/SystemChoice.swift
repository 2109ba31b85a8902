/// Which system of a service is meant.
public enum SystemChoice: Equatable, Sendable {
    case system(ComputerSystem)
    /// None, or not one: why, with the systems there are.
    case undecided(String)

    /// What is known of the machine from elsewhere.
    public struct Known: Equatable, Sendable {
        public var uuid: String?
        public var serial: String?

        public init(uuid: String? = nil, serial: String? = nil) { (self.uuid, self.serial) = (uuid, serial) }
    }

    /// A service with one system has it: what is known of the machine may be old, or a board was changed, and the address is the BMC's. Of several
    /// (a blade chassis, a twin) the one with the UUID or the serial number is chosen, and never the first.
    public static func choose(_ systems: [ComputerSystem], known: Known) -> SystemChoice {
        if systems.count == 1 { return .system(systems[0]) }
        let list = systems.map { system in
            let facts = [system.uuid.map { "UUID \($0)" }, (system.serial ?? system.sku).map { "serial \($0)" }]
            let words = facts.compactMap(\.self).joined(separator: ", ")
            return words.isEmpty ? system.path.name : "\(system.path.name) (\(words))"
        }.joined(separator: "; ")
        guard !systems.isEmpty else { return .undecided("the service has no system") }
        guard known.uuid != nil || known.serial != nil else {
            return .undecided("it has \(systems.count) systems, and nothing says which is the machine: \(list)")
        }
        let byUUID = known.uuid.map { uuid in systems.filter { $0.uuid.map { isSame($0, uuid) } ?? false } } ?? []
        if byUUID.count == 1 { return .system(byUUID[0]) }
        let bySerial = known.serial.map { serial in
            systems.filter { [$0.serial, $0.sku].contains { $0?.lowercased() == serial.lowercased() } }
        }
        if let found = bySerial, found.count == 1 { return .system(found[0]) }
        let wanted = [known.uuid.map { "UUID \($0)" }, known.serial.map { "serial \($0)" }].compactMap(\.self)
            .joined(separator: ", ")
        return .undecided("none of its \(systems.count) systems is the machine (\(wanted)): \(list)")
    }

    /// BMCs write the first three groups in either byte order.
    static func isSame(_ one: String, _ other: String) -> Bool {
        func digits(_ text: String) -> [Character] { Array(text.lowercased().filter(\.isHexDigit)) }
        func swapped(_ digits: [Character]) -> [Character] {
            guard digits.count == 32 else { return digits }
            let order = [3, 2, 1, 0, 5, 4, 7, 6] + Array(8..<16)
            return order.flatMap { [digits[$0 * 2], digits[$0 * 2 + 1]] }
        }
        let (first, second) = (digits(one), digits(other))
        guard first.count == 32, first.contains(where: { $0 != "0" && $0 != "f" }) else { return false }
        return first == second || swapped(first) == second
    }
}
