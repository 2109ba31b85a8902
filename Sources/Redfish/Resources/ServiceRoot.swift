/// The service root (ServiceRoot schema): told without logging in (DSP0266 §13.3.1).
public struct ServiceRoot: Equatable, Sendable {
    /// Of the protocol: `1.17.0`.
    public var version: String
    public var vendor: String?
    /// The BMC's: `Integrated Dell Remote Access Controller`.
    public var product: String?
    public var uuid: String?
    /// Dell says the machine's service tag here. It is the serial number of SMBIOS; `SerialNumber` of the system is the board's.
    public var serviceTag: String?
    public var systems: ResourcePath?
    public var chassis: ResourcePath?
    public var managers: ResourcePath?
    public var sessionService: ResourcePath?
    public var sessions: ResourcePath?
    public var accountService: ResourcePath?
    public var updateService: ResourcePath?
    public var eventService: ResourcePath?
    /// `$expand=.($levels=1)` gives a collection's members in one answer (DSP0266 §7.3.1).
    public var expandsMembers: Bool

    /// Nil when it is no service root: something else answers there.
    public init?(_ json: JSON) {
        guard let version = json["RedfishVersion"]?.text else { return nil }
        self.version = version
        vendor = json["Vendor"]?.text
        product = json["Product"]?.text
        uuid = json["UUID"]?.text
        serviceTag = json["Oem"]?["Dell"]?["ServiceTag"]?.text
        (systems, chassis, managers) = (json.link("Systems"), json.link("Chassis"), json.link("Managers"))
        sessionService = json.link("SessionService")
        sessions = json["Links"]?.link("Sessions")
        accountService = json.link("AccountService")
        updateService = json.link("UpdateService")
        eventService = json.link("EventService")
        expandsMembers = json["ProtocolFeaturesSupported"]?["ExpandQuery"]?["NoLinks"]?.bool ?? false
    }
}

/// One page of a collection (DSP0266 §9.2).
public struct CollectionPage: Equatable, Sendable {
    /// Links, or whole members where the service put them there.
    public var members: [JSON]
    public var next: ResourcePath?
    /// Of the whole collection, as the service says.
    public var count: Int?

    public init(_ json: JSON) {
        members = json["Members"]?.array ?? []
        next = (json["Members@odata.nextLink"] ?? json["@odata.nextLink"])?.string.flatMap { ResourcePath($0) }
        count = json["Members@odata.count"]?.integer
    }

    /// Whether a member is there as a whole, or only as a link.
    public static func isWhole(_ member: JSON) -> Bool { member["Id"] != nil || member["Name"] != nil }
}

/// A long operation (Task schema, DSP0266 §12.2).
public struct TaskState: Equatable, Sendable {
    public var isOver: Bool
    /// Nil while it runs.
    public var hasSucceeded: Bool?
    public var name: String
    public var messages: [ServiceMessage]

    /// Nil when the body is no task: the answer of the operation itself.
    public init?(_ json: JSON) {
        guard let state = json["TaskState"]?.text else { return nil }
        name = state
        messages = (json["Messages"]?.array ?? []).prefix(ServiceMessage.most).compactMap { ServiceMessage($0) }
        switch state {
        case "Completed":
            (isOver, hasSucceeded) = (true, !["Critical"].contains(json["TaskStatus"]?.text ?? ""))
        case "Exception", "Killed", "Cancelled", "Interrupted": (isOver, hasSucceeded) = (true, false)
        default: (isOver, hasSucceeded) = (false, nil)
        }
    }
}
