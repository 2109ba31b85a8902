import NetworkAddresses

/// Decides whether a machine that shows itself is one that is known. Pure. A machine is one that is known when they agree on what both tell,
/// and differ in nothing; when they agree and differ, a person decides. Nobody takes over another's identity by one value.
public struct IdentityResolver: Sendable {
    public enum Verdict: Equatable, Sendable {
        /// It is this machine, by its id.
        case same(String)
        /// It has much of this machine, and not all of it: a board or NICs were replaced, or it is another one.
        case question(String, IdentityComparison)
        case new
    }

    /// A machine as it is known.
    public struct Known: Sendable {
        public var id: String
        public var identity: MachineIdentity
        /// Nobody has said yet whether it is a machine of its own: what it shows makes nothing of others common.
        public var isQuestioned: Bool

        public init(id: String, identity: MachineIdentity, isQuestioned: Bool = false) {
            (self.id, self.identity, self.isQuestioned) = (id, identity, isQuestioned)
        }
    }

    private var known: [String: Known] = [:]
    /// Who shows a value, by it: nobody else can be the one that shows it.
    private var holders: [String: Set<String>] = [:]
    /// Machines that show a value, without those that are questioned. What several show tells none of them: makers forget to set it.
    private var counts: [String: Int] = [:]

    public init(_ known: [Known] = []) { for machine in known { update(machine) } }

    /// Takes over what is known of a machine now.
    public mutating func update(_ machine: Known) {
        remove(machine.id)
        known[machine.id] = machine
        for value in machine.identity.values {
            holders[value, default: []].insert(machine.id)
            if !machine.isQuestioned { counts[value, default: 0] += 1 }
        }
    }

    public mutating func remove(_ id: String) {
        guard let machine = known.removeValue(forKey: id) else { return }
        for value in machine.identity.values {
            holders[value]?.remove(id)
            if holders[value]?.isEmpty ?? false { holders[value] = nil }
            guard !machine.isQuestioned, let count = counts[value] else { continue }
            counts[value] = count > 1 ? count - 1 : nil
        }
    }

    private func isShared(_ value: String) -> Bool { counts[value, default: 0] > 1 }

    /// - Parameter identity: of a machine that shows itself.
    public func resolve(_ identity: MachineIdentity) -> Verdict {
        // Whoever agrees in anything shows a value that is not shared.
        let candidates = identity.values.reduce(into: Set<String>()) { found, value in
            if !isShared(value) { found.formUnion(holders[value] ?? []) }
        }
        let compared = candidates.compactMap { known[$0] }
            .map { (id: $0.id, with: compare(identity, $0.identity)) }.filter { $0.with.weight > 0 }
        if let same = compared.filter({ $0.with.isEnough }).max(by: isLess) { return .same(same.id) }
        guard let closest = compared.max(by: isLess) else { return .new }
        return .question(closest.id, closest.with)
    }

    private func isLess(
        _ left: (id: String, with: IdentityComparison), _ right: (id: String, with: IdentityComparison)
    ) -> Bool {
        // Of two that are equal the first by name, so that the order of machines decides nothing.
        (left.with.weight, right.id) < (right.with.weight, left.id)
    }

    /// What two identities agree on, and what they differ in.
    public func compare(_ one: MachineIdentity, _ other: MachineIdentity) -> IdentityComparison {
        var comparison = IdentityComparison()
        for fact in IdentityFact.allCases {
            let (mine, theirs) = (one.values(of: fact), other.values(of: fact))
            let both = mine.intersection(theirs)
            if mine.isEmpty != theirs.isEmpty {
                comparison.missing.append(fact)
            } else if !mine.isEmpty, both.isEmpty {
                comparison.differing.append(fact)
            } else if !both.isEmpty {
                // A NIC more or less is the same machine.
                if both.allSatisfy({ isShared($0) }) {
                    comparison.common.append(fact)
                } else {
                    comparison.agreeing.append(fact)
                }
            }
        }
        return comparison
    }
}

/// See ``IdentityResolver/compare(_:_:)``.
public struct IdentityComparison: Codable, Equatable, Sendable, CustomStringConvertible {
    public var agreeing: [IdentityFact] = []
    public var differing: [IdentityFact] = []
    /// What only one of them tells.
    public var missing: [IdentityFact] = []
    /// What is the same, and in other machines too.
    public var common: [IdentityFact] = []

    /// How much they agree.
    var weight: Int { agreeing.reduce(0) { $0 + $1.weight } }

    /// They are one machine: never by one value, unless there is no other to go by.
    var isEnough: Bool {
        guard differing.isEmpty, !agreeing.isEmpty else { return false }
        return agreeing.count + common.count > 1
            || (agreeing == [.macs] && !missing.contains(where: \.isOfFirmware))
    }

    public var description: String {
        let parts = [
            ("the same", agreeing), ("another", differing), ("only one has a", missing),
            ("the same as in other machines:", common),
        ]
        return parts.filter { !$0.1.isEmpty }
            .map { "\($0.0) \($0.1.map(\.rawValue).joined(separator: ", "))" }.joined(separator: "; ")
    }
}

extension MachineIdentity {
    /// All of them, once each, also where serial and board serial are one text.
    fileprivate var values: Set<String> {
        IdentityFact.allCases.reduce(into: []) { $0.formUnion(values(of: $1)) }
    }

    /// Each value as it is compared; empty where it tells nothing.
    fileprivate func values(of fact: IdentityFact) -> Set<String> {
        func text(_ value: String?) -> Set<String> { value.map { [$0.lowercased()] } ?? [] }
        return switch fact {
        case .endorsementKey: text(endorsementKeyHash)
        case .serial: text(serial)
        case .uuid: text(uuid.flatMap { $0.isTelling ? $0.canonical : nil })
        case .macs: Set(macs.map(\.description))
        case .boardSerial: text(boardSerial)
        case .bmcMAC: text(bmcMAC)
        }
    }
}

extension SystemUUID {
    /// The smaller of its two byte orders: the same for both.
    fileprivate var canonical: String { min(description, swapped.description) }

    /// It is neither one byte repeated nor one that makers leave in machine after machine.
    public var isTelling: Bool {
        Set(bytes).count > 1 && !Self.bogus.contains(description) && !Self.bogus.contains(swapped.description)
    }

    /// Placeholders of AMI's firmware and others', as public dumps of many boards show them.
    private static let bogus: Set<String> = [
        "03000200-0400-0500-0006-000700080009", "12345678-1234-1234-1234-123456681234",
        "12345678-1234-5678-90ab-cddeefaabbcc", "00010203-0405-0607-0809-0a0b0c0d0e0f",
        "deadbeef-dead-beef-dead-beefdeadbeef",
    ]
}
