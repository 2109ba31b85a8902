/// Finds the hardware profile of a machine. Pure.
public struct ProfileMatcher: Sendable {
    public let profiles: [HardwareProfile]

    public init(_ profiles: [HardwareProfile]) { self.profiles = profiles }

    /// The matching profile with the highest priority, then the most conditions, then the first name.
    public func match(_ report: HardwareReport) -> HardwareProfile? {
        profiles.filter { $0.match.holds(for: report) }
            .max { ($0.priority, $0.match.conditions, $1.name) < ($1.priority, $1.match.conditions, $0.name) }
    }

    public func profile(named name: String) -> HardwareProfile? { profiles.first { $0.name == name } }
}

extension HardwareProfile.Match {
    func holds(for report: HardwareReport) -> Bool {
        func same(_ wanted: String?, _ found: String?) -> Bool {
            guard let wanted else { return true }
            return found.map { $0.lowercased() == wanted.lowercased() } ?? false
        }
        return same(architecture, report.processor.architecture) && same(manufacturer, report.system.manufacturer)
            && same(product, report.system.product)
    }

    var conditions: Int { [architecture, manufacturer, product].count { $0 != nil } }
}
