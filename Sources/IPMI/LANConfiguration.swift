/// Set LAN Configuration Parameters (§23.1).
extension Request {
    /// §23.1: one parameter of a LAN channel; the value is as table 23-4 has it.
    public static func setLAN(_ parameter: LANParameter, _ value: [UInt8], channel: UInt8) -> Request {
        Request(
            "set LAN parameter \(parameter.rawValue)", .transport, 0x01,
            data: [channel & 15, parameter.rawValue] + value)
    }
}

/// Where an address comes from (table 23-4, parameter 4). Open.
public struct LANAddressSource: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let fixed = Self(rawValue: 1)
    public static let dhcp = Self(rawValue: 2)
}

/// What a LAN channel is to be set to; nil is left as it is. Addresses are four bytes in network order.
public struct LANConfiguration: Equatable, Sendable {
    public var source: LANAddressSource?
    public var address: [UInt8]?
    public var mask: [UInt8]?
    public var gateway: [UInt8]?

    public init(
        source: LANAddressSource? = nil, address: [UInt8]? = nil, mask: [UInt8]? = nil, gateway: [UInt8]? = nil
    ) {
        (self.source, self.address, self.mask, self.gateway) = (source, address, mask, gateway)
    }

    /// In the order of setting: the source first, since a BMC with DHCP refuses an address; the address last, since it may answer nowhere
    /// else from then on.
    var parameters: [(LANParameter, [UInt8])] {
        let all: [(LANParameter, [UInt8]?)] = [
            (.addressSource, source.map { [$0.rawValue] }), (.mask, mask), (.gateway, gateway), (.address, address),
        ]
        return all.compactMap { parameter, value in value.map { (parameter, $0) } }
    }
}

/// Reads how a LAN channel is set. A parameter that is not told is as if it were zero.
public struct LANReading: Conversation {
    private static let parameters: [LANParameter] = [.addressSource, .address, .mask, .gateway, .mac, .vlan]
    private var values: [LANParameter: [UInt8]] = [:]
    private var index = 0
    private let channel: UInt8

    public init(channel: UInt8) { self.channel = channel }

    public var source: LANAddressSource { LANAddressSource(rawValue: (values[.addressSource]?.first ?? 0) & 15) }
    /// Four bytes each, in network order; nil when there is none.
    public var address: [UInt8]? { told(.address) }
    public var mask: [UInt8]? { told(.mask) }
    public var gateway: [UInt8]? { told(.gateway) }
    /// Six bytes.
    public var mac: [UInt8]? { told(.mac) }
    /// 1 to 4094; nil: untagged.
    public var vlan: Int? {
        guard let value = values[.vlan], value[1] & 0x80 != 0 else { return nil }
        return Int(value[0]) | Int(value[1] & 15) << 8
    }

    private func told(_ parameter: LANParameter) -> [UInt8]? {
        values[parameter].flatMap { $0.contains { $0 != 0 } ? $0 : nil }
    }

    private var request: Request { .lanParameter(Self.parameters[index], channel: channel) }

    public mutating func next() -> ConversationStep { index < Self.parameters.count ? .send(request) : .done }

    public mutating func receive(_ code: CompletionCode, _ data: [UInt8]) throws(ConversationError) {
        guard index < Self.parameters.count else { return }
        let parameter = Self.parameters[index]
        // The address is the least that has to be told.
        guard code == .success || (parameter != .address && code != .invalidCommand) else {
            throw .refused(request, code)
        }
        if code == .success { values[parameter] = parameter.value(ofAnswer: data) }
        index += 1
    }
}

/// Sets a LAN channel: says so first (set in progress), writes, commits, releases whatever came, and reads each value back.
public struct LANSetting: Conversation {
    private enum Step { case begin, write(Int), commit, end, read(Int), done }
    private var step = Step.begin
    private let channel: UInt8
    private let parameters: [(LANParameter, [UInt8])]
    private var refusal: ConversationError?
    private var waits = 0
    private var isWaiting = false
    /// Something was sent that may have made the BMC go elsewhere.
    public private(set) var hasWritten = false

    public init(_ configuration: LANConfiguration, channel: UInt8) {
        (parameters, self.channel) = (configuration.parameters, channel)
        if parameters.isEmpty { step = .done }
    }

    private var request: Request {
        switch step {
        case .begin: .setLAN(.setInProgress, [1], channel: channel)
        case .write(let index): .setLAN(parameters[index].0, parameters[index].1, channel: channel)
        // Table 23-4, parameter 0: a BMC that can roll back does so at the end of what was not committed (OpenIPMI's simulator).
        case .commit: .setLAN(.setInProgress, [2], channel: channel)
        case .end, .done: .setLAN(.setInProgress, [0], channel: channel)
        case .read(let index): .lanParameter(parameters[index].0, channel: channel)
        }
    }

    public mutating func next() -> ConversationStep {
        if case .done = step { return .done }
        guard isWaiting else {
            if case .write = step { hasWritten = true }
            return .send(request)
        }
        isWaiting = false
        return .pause(.milliseconds(500))
    }

    public mutating func receive(_ code: CompletionCode, _ data: [UInt8]) throws(ConversationError) {
        let asked = request
        switch step {
        case .done: return
        case .begin:
            if code == .setInProgress {
                waits += 1
                guard waits <= 10 else { throw .refused(asked, code) }
                return isWaiting = true
            }
            // The lock is optional (80h: no such parameter), the command is not.
            guard code != .invalidCommand else { throw .refused(asked, code) }
            step = .write(0)
        case .write(let index):
            // 82h is for read-only values: those that are right already are no fault, as the reading back shows.
            if code != .success, code.rawValue != 0x82 { refusal = .refused(asked, code) }
            step = refusal != nil ? .end : index + 1 < parameters.count ? .write(index + 1) : .commit
        // Optional; what became of it is read back.
        case .commit: step = .end
        case .end:
            if let refusal { throw refusal }
            step = .read(0)
        case .read(let index):
            let (parameter, wanted) = parameters[index]
            guard code == .success else { throw .refused(asked, code) }
            var found = parameter.value(ofAnswer: data) ?? []
            if parameter == .addressSource, let first = found.first { found = [first & 15] }
            guard found == wanted else {
                throw .notDone(
                    "LAN parameter \(parameter.rawValue) was set to \(hex(wanted)), and reads back \(hex(found))")
            }
            step = index + 1 < parameters.count ? .read(index + 1) : .done
        }
    }
}
