import WireBytes

/// One command to the BMC.
public struct Request: Equatable, Sendable {
    /// For people.
    public var name: String
    public var function: NetworkFunction
    public var command: UInt8
    public var data: [UInt8]
    /// Which part of the BMC is asked, 0 to 3 (§7.2). Sensors may be elsewhere than in 0.
    public var lun: UInt8
    /// It may be sent again when its answer is lost. Cycle and reset may not.
    public var isRepeatable: Bool
    /// Its data is in no log and no error.
    public var isSecret: Bool

    public init(
        _ name: String, _ function: NetworkFunction, _ command: UInt8, data: [UInt8] = [], lun: UInt8 = 0,
        isRepeatable: Bool = true, isSecret: Bool = false
    ) {
        (self.name, self.function, self.command, self.data) = (name, function, command, data)
        (self.lun, self.isRepeatable, self.isSecret) = (lun & 3, isRepeatable, isSecret)
    }

    /// For who has to talk to the maker: `keep boot flags: 00 08 03 08` (function, command, data).
    public var exchangeText: String {
        "\(name): \(hex([function.rawValue, command])) \(isSecret ? "(data withheld)" : hex(data))"
    }

    /// The message inside a LAN packet (§13.8): addresses, function, sequence number, two checksums.
    func message(sequence: UInt8) -> [UInt8] {
        let head: [UInt8] = [0x20, function.rawValue << 2 | lun]
        let body: [UInt8] = [0x81, (sequence & 0x3f) << 2, command] + data
        return head + [checksum(head)] + body + [checksum(body)]
    }
}

/// What the BMC answered.
public struct Response: Equatable, Sendable {
    public var function: UInt8
    public var sequence: UInt8
    public var command: UInt8
    public var code: CompletionCode
    public var data: [UInt8]

    /// Nil unless both checksums are right.
    init?(message: [UInt8]) {
        guard message.count >= 8, checksum(Array(message[0..<2])) == message[2],
            let last = message.last, checksum(Array(message[3..<message.count - 1])) == last
        else { return nil }
        function = message[1] >> 2
        sequence = message[4] >> 2
        command = message[5]
        code = CompletionCode(rawValue: message[6])
        data = Array(message[7..<message.count - 1])
    }
}

/// `0a ff`.
public func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
}

/// Two's complement of the sum (§13.8): all bytes and it add up to zero.
func checksum(_ bytes: [UInt8]) -> UInt8 { 0 &- bytes.reduce(0, &+) }
