import FoundationEssentials
import Yams

/// JSON as YAML, for people. Every text that YAML would read as something else is quoted.
public enum YAMLText {
    public static func write(json: Data) throws -> String {
        let value = try JSONDecoder().decode(JSONTree.self, from: json)
        return try Yams.serialize(node: try value.node(), width: -1, allowUnicode: true, sortKeys: true)
    }
}

private indirect enum JSONTree: Decodable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case number(Double)
    case text(String)
    case list([JSONTree])
    case mapping([String: JSONTree])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .boolean(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode([JSONTree].self) {
            self = .list(value)
        } else {
            self = .mapping(try container.decode([String: JSONTree].self))
        }
    }

    func node() throws -> Node {
        switch self {
        case .null: Node("null", Tag(.null))
        case .boolean(let value): try value.represented()
        case .integer(let value): try value.represented()
        case .number(let value): try value.represented()
        case .text(let value): try value.represented()
        case .list(let values): Node(try values.map { try $0.node() }, Tag(.seq))
        case .mapping(let values):
            Node(try values.map { (Node($0.key, Tag(.str)), try $0.value.node()) }, Tag(.map))
        }
    }
}
