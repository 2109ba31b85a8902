/// One message of a service: of an error, or beside an answer (DSP0266 §8.6, §9.5.11).
public struct ServiceMessage: Equatable, Sendable {
    /// `Base.1.8.PropertyNotWritable`: registry, version, key. Empty when the service gave none.
    public var id: String
    public var text: String?
    public var arguments: [String]
    public var resolution: String?

    public init(id: String, text: String? = nil, arguments: [String] = [], resolution: String? = nil) {
        (self.id, self.text, self.arguments, self.resolution) = (id, text, arguments, resolution)
    }

    init?(_ json: JSON) {
        // `MessageID` is how iLO 4 writes it.
        id = json["MessageId"]?.text ?? json["MessageID"]?.text ?? ""
        text = json["Message"]?.text
        arguments = (json["MessageArgs"]?.array ?? []).prefix(Self.most).compactMap {
            $0.text ?? $0.number.map { "\($0)" }
        }
        resolution = json["Resolution"]?.text
        if id.isEmpty, text == nil { return nil }
    }

    /// The last part of the id, by which messages are told apart whatever their registry and version.
    public var key: Substring { id.split(separator: ".").last ?? "" }

    /// For people.
    public var description: String {
        let words = text ?? (arguments.isEmpty ? "" : arguments.joined(separator: ", "))
        return words.isEmpty ? id : id.isEmpty ? words : "\(words) (\(id))"
    }

    /// Most messages of one answer that are read.
    static let most = 16

    /// The messages of an answer: of its `error`, or its own `@Message.ExtendedInfo`.
    public static func all(in body: JSON) -> [ServiceMessage] {
        let error = body["error"]
        var messages: [ServiceMessage] = []
        for holder in [error, body] {
            messages += (holder?["@Message.ExtendedInfo"]?.array ?? []).prefix(most).compactMap { ServiceMessage($0) }
            // Some services give one object in place of the array.
            if let one = holder?["@Message.ExtendedInfo"], one.object != nil, let message = ServiceMessage(one) {
                messages.append(message)
            }
        }
        if messages.isEmpty, let error, error["code"] != nil || error["message"] != nil {
            messages.append(ServiceMessage(id: error["code"]?.text ?? "", text: error["message"]?.text))
        }
        return messages
    }
}

extension [ServiceMessage] {
    /// Whether one of them is this.
    public func contain(_ keys: String...) -> Bool { contains { keys.contains(String($0.key)) } }
}
