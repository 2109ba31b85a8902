extension HardwareReport {
    /// What is different from an earlier report of the same machine. What was not known before and is now, is no change: another agent or
    /// kernel tells more than the one before it. Pure.
    public func changes(since former: HardwareReport) -> [HardwareChange] {
        lastingChanges(since: former) + passingChanges(since: former)
    }

    /// Of ``changes(since:)`` those of the machine itself.
    public func lastingChanges(since former: HardwareReport) -> [HardwareChange] {
        let (old, new) = (HardwareFacts(report: former), HardwareFacts(report: self))
        return Self.parts(old, new) + Self.facts("", old.facts, new.facts)
    }

    /// Of ``changes(since:)`` those that others decide on, or that come by themselves: a neighbour's name, a drive's word of its health. They may
    /// come at any rate.
    public func passingChanges(since former: HardwareReport) -> [HardwareChange] {
        let (old, new) = (HardwareFacts(report: former), HardwareFacts(report: self))
        var successors = new.partsByName
        return old.parts.flatMap { part in
            let subject = part.kind + " " + part.name
            guard let successor = successors[subject]?.popFirst() else { return [HardwareChange]() }
            return Self.facts(subject + " ", part.passing, successor.passing, mayBeUntold: true)
        }
    }

    private static func parts(_ old: HardwareFacts, _ new: HardwareFacts) -> [HardwareChange] {
        let parts = new.parts
        var remaining = new.partsByName
        var changes: [HardwareChange] = []
        for part in old.parts {
            let subject = part.kind + " " + part.name
            guard let successor = remaining[subject]?.popFirst() else {
                changes.append(HardwareChange(.gone, subject, from: part.words))
                continue
            }
            changes += facts(subject + " ", part.facts, successor.facts)
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
        mayBeUntold: Bool = false
    ) -> [HardwareChange] {
        zip(old, new).compactMap { old, new in
            guard let former = old.value, former != new.value, new.value != nil || !mayBeUntold else { return nil }
            return HardwareChange(.changed, prefix + old.key, from: former, to: new.value)
        }
    }
}
