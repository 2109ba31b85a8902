/// A program in flash memory (SoftwareInventory schema).
public struct SoftwareComponent: Equatable, Sendable {
    public var id: String
    public var name: String
    public var version: String
    public var isUpdateable: Bool?

    /// Nil without a version: an empty slot.
    public init?(_ json: JSON) {
        guard let version = json["Version"]?.text else { return nil }
        id = json["Id"]?.text ?? json.path?.name ?? ""
        name = json["Name"]?.text ?? id
        self.version = version
        isUpdateable = json["Updateable"]?.bool
    }
}

/// The programs that run, of an inventory that has more. Dell lists the running ones as Installed, most of them again as Current, and what could be
/// gone back to as Previous or Available. What has the same name and version (the ports of one card) is one.
public func runningSoftware(_ components: [SoftwareComponent]) -> [SoftwareComponent] {
    let ids = Set(components.map(\.id))
    var seen: Set<[String]> = []
    return components.filter { component in
        if component.id.hasPrefix("Previous-") || component.id.hasPrefix("Available-") { return false }
        let isTwin =
            component.id.hasPrefix("Current-") && ids.contains("Installed-" + component.id.dropFirst("Current-".count))
        return !isTwin && seen.insert([component.name, component.version]).inserted
    }
}
