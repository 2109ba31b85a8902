import Inventory
import Yams

extension YAMLReader {
    /// All of this mapping, as what is demanded of a machine.
    mutating func machineCondition() throws -> HardwareCondition {
        var parts = try conditions(HardwareField.ofMachine) { try $0.machineCondition() }
        for list in HardwareParts.allCases {
            guard let value = take(list.rawValue) else { continue }
            parts.append(try count(of: list, value))
        }
        try finish()
        return .all(parts)
    }

    private mutating func partCondition(_ fields: [HardwareField]) throws -> HardwareCondition {
        let parts = try conditions(fields) { try $0.partCondition(fields) }
        try finish()
        return .all(parts)
    }

    /// Fields, and `all`, `any` and `not` of the same.
    private mutating func conditions(
        _ fields: [HardwareField], _ inner: (inout YAMLReader) throws -> HardwareCondition
    ) throws -> [HardwareCondition] {
        var parts: [HardwareCondition] = []
        for field in fields {
            if let value = take(field.name) { parts.append(.field(field, try test(of: field, value))) }
        }
        if var listed = try mappings("all") {
            parts.append(.all(try listed.indices.map { try inner(&listed[$0]) }))
        }
        if var listed = try mappings("any") {
            parts.append(.any(try listed.indices.map { try inner(&listed[$0]) }))
        }
        if var negated = try mapping("not") { parts.append(.not(try inner(&negated))) }
        return parts
    }

    /// `disks: ">= 2"`, or `disks: {where: {…}, count: ">= 2"}`.
    private func count(of list: HardwareParts, _ value: Node) throws -> HardwareCondition {
        if value.scalar != nil {
            return .count(list, where: nil, try bounds(value, key: list.rawValue, .count))
        }
        var reader = try YAMLReader(file: file, node: value)
        var condition: HardwareCondition?
        if var inner = try reader.mapping("where") { condition = try inner.partCondition(list.fields) }
        guard let number = reader.take("count") else {
            throw fault(value, "\(list.rawValue): count is missing, such as \">= 1\"")
        }
        let bounds = try bounds(number, key: "count", .count)
        try reader.finish()
        return .count(list, where: condition, bounds)
    }

    private func test(of field: HardwareField, _ value: Node) throws -> FieldTest {
        switch field.kind {
        case .flag:
            guard let flag = value.bool else { throw fault(value, "\(field.name): expected true or false") }
            return .isSet(flag)
        case .number(let unit): return .compares(try bounds(value, key: field.name, unit))
        case .text, .list:
            if let sequence = value.sequence {
                return .isOneOf(
                    try sequence.map { item in
                        guard let text = item.scalar?.string, !text.isEmpty else {
                            throw fault(item, "\(field.name): expected text")
                        }
                        return text
                    })
            }
            guard let text = value.scalar?.string, !text.isEmpty else {
                throw fault(value, "\(field.name): expected text, a list of texts, or /an expression/")
            }
            guard text.count > 2, text.hasPrefix("/"), text.hasSuffix("/") else { return .isOneOf([text]) }
            do {
                return .matches(try TextPattern(String(text.dropFirst().dropLast())))
            } catch {
                throw fault(value, "\(field.name): \(text) is not a regular expression: \(error)")
            }
        }
    }

    /// `>= 512GiB`, `32`, `>= 2, < 8`.
    private func bounds(_ value: Node, key: String, _ unit: NumberUnit) throws -> [Comparison] {
        guard let text = value.scalar?.string else { throw fault(value, "\(key): expected a number") }
        return try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
            let part = part.drop { $0 == " " }
            let relation = Comparison.Relation.allCases.first { part.hasPrefix($0.rawValue) }
            let number = part.dropFirst(relation?.rawValue.count ?? 0).drop { $0 == " " }
            guard let bound = unit.parse(String(number)) else {
                throw fault(value, "\(key): \(number.isEmpty ? "this" : String(number)) is not \(unit.example)")
            }
            return Comparison(relation ?? .equal, bound)
        }
    }
}

extension NumberUnit {
    fileprivate func parse(_ text: String) -> Int64? {
        let trimmed = String(text.reversed().drop { $0 == " " }.reversed())
        switch self {
        case .count: return Int64(trimmed).flatMap { $0 < 0 ? nil : $0 }
        case .bytes: return ByteSize(trimmed)?.bytes
        case .bits:
            let digits = trimmed.prefix { $0.isNumber || $0 == "." }
            let factors = ["Gbit/s": 1e9, "Mbit/s": 1e6]
            let name = trimmed.dropFirst(digits.count).drop { $0 == " " }
            guard let number = Double(digits), let factor = factors[String(name)], number < 1e9 else { return nil }
            return Int64(number * factor)
        }
    }

    fileprivate var example: String {
        switch self {
        case .count: "a whole number such as 2, or a bound such as >= 2"
        case .bytes: "a size with a unit such as 512GiB, or a bound such as >= 800GB"
        case .bits: "a speed with a unit such as 25Gbit/s, or a bound such as >= 10Gbit/s"
        }
    }
}
