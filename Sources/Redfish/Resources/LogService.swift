import FoundationEssentials

/// A log (LogService schema).
public struct LogService: Equatable, Sendable {
    public var path: ResourcePath
    public var id: String
    public var kind: String?
    public var entries: ResourcePath?
    public var clear: ServiceAction?

    public init(_ json: JSON, at path: ResourcePath) {
        self.path = path
        id = json["Id"]?.text ?? path.name
        kind = json["LogEntryType"]?.text
        entries = json.link("Entries")
        clear = ServiceAction(json, "LogService.ClearLog")
    }

    /// The log that tells of the hardware: the one of kind SEL; else by the names vendors give it (HPE: IML); else one of events that is
    /// neither an audit nor a debugging aid. Dell's Lclog has a line for each login beside it, HPE's IEL too.
    public static func ofHardware(_ services: [LogService]) -> LogService? {
        let readable = services.filter { $0.entries != nil }
        let names = ["sel", "iml", "eventlog", "log", "log1", "event", "health"]
        func rank(_ service: LogService) -> Int? {
            let id = service.id.lowercased()
            if service.kind == "SEL" || id == "sel" { return 0 }
            if let index = names.firstIndex(of: id) { return index + 1 }
            let others = [
                "audit", "iel", "lclog", "dump", "journal", "postcode", "crashdump", "security", "sl", "fault",
            ]
            if others.contains(where: { id.contains($0) }) { return nil }
            return service.kind == "Event" ? 50 : 60
        }
        return readable.compactMap { service in rank(service).map { (service, $0) } }.min { $0.1 < $1.1 }?.0
    }
}

/// How bad something is, in our words.
public enum Severity: String, Sendable { case ok, warning, critical, unknown }

extension Severity {
    /// Of the `Health`, `Severity` and `MessageSeverity` properties.
    public init(word: String?) {
        switch word?.lowercased() {
        case "ok", "informational", "information": self = .ok
        case "warning": self = .warning
        case "critical", "fatal": self = .critical
        default: self = .unknown
        }
    }
}

/// One line of a log (LogEntry schema), or one event (Event schema).
public struct LogRecord: Equatable, Sendable {
    public var id: String
    public var created: Date?
    public var severity: Severity
    public var source: String?
    public var message: String

    /// Nil when it says nothing.
    public init?(_ json: JSON) {
        let id = json["Id"]?.text ?? json["EventId"]?.text ?? json["MemberId"]?.text ?? json.path?.name
        guard let message = json["Message"]?.text ?? json["MessageId"]?.text ?? json["EntryCode"]?.text else {
            return nil
        }
        self.id = id ?? ""
        self.message = message
        created = (json["EventTimestamp"] ?? json["Created"])?.text.flatMap { Timestamp.parse($0) }
        severity = Severity(word: (json["MessageSeverity"] ?? json["Severity"])?.text)
        source =
            json["SensorType"]?.text ?? json["Links"]?.link("OriginOfCondition")?.name
            ?? json.link("OriginOfCondition")?.name
    }

    /// The events of one server-sent event, or of one delivery (Event schema).
    public static func events(in json: JSON) -> [LogRecord] {
        (json["Events"]?.array ?? []).prefix(1000).compactMap { LogRecord($0) }
    }

    /// The newest first. BMCs give either order, and clocks that jump: time decides, and where it does not, the number.
    public static func newestFirst(_ records: [LogRecord]) -> [LogRecord] {
        records.enumerated().sorted { one, other in
            let times = (one.element.created, other.element.created)
            if let first = times.0, let second = times.1, first != second { return first > second }
            let numbers = (Int(one.element.id), Int(other.element.id))
            if let first = numbers.0, let second = numbers.1, first != second { return first > second }
            return one.offset < other.offset
        }.map(\.element)
    }
}
