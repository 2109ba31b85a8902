/// Set LAN Configuration Parameters (§23.1).
extension Request {
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
    /// 1 to 4094; 0 switches tagging off.
    public var vlan: Int?

    public init(
        source: LANAddressSource? = nil, address: [UInt8]? = nil, mask: [UInt8]? = nil, gateway: [UInt8]? = nil,
        vlan: Int? = nil
    ) {
        (self.source, self.address, self.mask) = (source, address, mask)
        (self.gateway, self.vlan) = (gateway, vlan)
    }

    /// In the order of setting: the source first, since a BMC with DHCP refuses an address.
    var parameters: [(LANParameter, [UInt8])] {
        let vlanBytes = vlan.map { [UInt8($0 & 0xff), UInt8($0 >> 8 & 15) | ($0 == 0 ? 0 : 0x80)] }
        let all: [(LANParameter, [UInt8]?)] = [
            (.addressSource, source.map { [$0.rawValue] }), (.address, address), (.mask, mask), (.gateway, gateway),
            (.vlan, vlanBytes),
        ]
        return all.compactMap { parameter, value in value.map { (parameter, $0) } }
    }
}

/// Sets a LAN channel: says so first (set in progress), writes, releases whatever came, and reads each value back.
public struct LANSetting: Conversation {
    private enum Step { case begin, write(Int), end, read(Int), done }
    private var step = Step.begin
    private let channel: UInt8
    private let parameters: [(LANParameter, [UInt8])]
    private var refusal: ConversationError?
    private var waits = 0
    private var isWaiting = false

    public init(_ configuration: LANConfiguration, channel: UInt8) {
        (parameters, self.channel) = (configuration.parameters, channel)
        if parameters.isEmpty { step = .done }
    }

    private var request: Request {
        switch step {
        case .begin: .setLAN(.setInProgress, [1], channel: channel)
        case .write(let index): .setLAN(parameters[index].0, parameters[index].1, channel: channel)
        case .end, .done: .setLAN(.setInProgress, [0], channel: channel)
        case .read(let index): .lanParameter(parameters[index].0, channel: channel)
        }
    }

    public mutating func next() -> ConversationStep {
        if case .done = step { return .done }
        guard isWaiting else { return .send(request) }
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
            step = .write(0)
        case .write(let index):
            // 82h is for read-only values: those that are right already are no fault, as the reading back shows.
            if code != .success, code.rawValue != 0x82 { refusal = .refused(asked, code) }
            step = refusal == nil && index + 1 < parameters.count ? .write(index + 1) : .end
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
