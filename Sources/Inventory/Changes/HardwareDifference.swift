extension HardwareReport {
    /// What is different from an earlier report of the same machine. What was not known before and is now, is no change: another agent or
    /// kernel tells more than the one before it. Pure.
    public func changes(since former: HardwareReport) -> [HardwareChange] {
        let (old, new) = (HardwareFacts(report: former), HardwareFacts(report: self))
        return Self.parts(old, new) + Self.facts("", old.facts, new.facts)
    }

    private static func parts(_ old: HardwareFacts, _ new: HardwareFacts) -> [HardwareChange] {
        let parts = new.parts
        // Two of one name (a card with two functions in a slot) are told apart by their order.
        var remaining = Dictionary(grouping: parts) { $0.kind + " " + $0.name }.mapValues { $0[...] }
        var changes: [HardwareChange] = []
        for part in old.parts {
            let subject = part.kind + " " + part.name
            guard let successor = remaining[subject]?.popFirst() else {
                changes.append(HardwareChange(.gone, subject, from: part.words))
                continue
            }
            changes += facts(subject + " ", part.facts, successor.facts)
            changes += facts(subject + " ", part.heard, successor.heard, mayBeUnheard: true)
        }
        for part in parts where old.looked(for: part.kind) {
            let subject = part.kind + " " + part.name
            guard let left = remaining[subject]?.popFirst() else { continue }
            changes.append(HardwareChange(.appeared, subject, to: left.words))
        }
        return changes
    }

    private static func facts(
        _ prefix: String, _ old: KeyValuePairs<String, String?>, _ new: KeyValuePairs<String, String?>,
        mayBeUnheard: Bool = false
    ) -> [HardwareChange] {
        zip(old, new).compactMap { old, new in
            guard let former = old.value, former != new.value, new.value != nil || !mayBeUnheard else { return nil }
            return HardwareChange(.changed, prefix + old.key, from: former, to: new.value)
        }
    }
}
