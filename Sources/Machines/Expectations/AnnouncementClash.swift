import Inventory

/// Two announcements that cannot both be right.
public struct AnnouncementClash: Equatable, Sendable {
    /// Indices into the list.
    public var first: Int
    public var second: Int
    public var field: MachineAnnouncement.Field
    /// What both have, in words: `serial SN-1`.
    public var words: String

    /// Every pair of a list, told at the later one. Pure.
    public static func all(in announcements: [MachineAnnouncement]) -> [AnnouncementClash] {
        var clashes: [AnnouncementClash] = []
        var seen: [String: Int] = [:]
        var places: [String: [(index: Int, location: Location)]] = [:]
        for (index, announcement) in announcements.enumerated() {
            for (field, words) in announcement.unique {
                if let first = seen[words] {
                    clashes.append(.init(first: first, second: index, field: field, words: words))
                } else {
                    seen[words] = index
                }
            }
            guard let location = announcement.location, location.units != nil else { continue }
            let rack = [location.site, location.row, location.rack].map { $0 ?? "" }.joined(separator: "/")
            if let other = places[rack, default: []].first(where: { $0.location.overlaps(location) }) {
                clashes.append(.init(first: other.index, second: index, field: .unit, words: "rack unit \(location)"))
            }
            places[rack, default: []].append((index, location))
        }
        return clashes
    }
}

extension MachineAnnouncement {
    /// What no other announcement may have, in words that are equal where the values are.
    fileprivate var unique: [(Field, String)] {
        [(.name, "name \(name)")] + (FirmwareText.serial(serial).map { [(.serial, "serial \($0)")] } ?? [])
            + macs.map { (.macs, "MAC \($0)") } + (bmc.map { [(.bmc, "BMC \($0.endpoint)")] } ?? [])
            + (hostname.map { [(.hostname, "host name \($0)")] } ?? [])
    }
}
