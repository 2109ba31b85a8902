/// Takes a stream of server-sent events apart (WHATWG HTML §9.2.6; DSP0266 §12.6). Pure; fed with bytes as they come.
public struct ServerSentEvents: Sendable {
    /// Most bytes of one line and of one event; a stream with more is no event stream.
    public static let mostBytes = 1 << 20

    private var line: [UInt8] = []
    private var data: [UInt8] = []
    private var hasData = false
    private var skipLineFeed = false
    private var isFirstLine = true

    public init() {}

    /// A line or an event is too long.
    public struct TooLong: Error, Equatable {}

    /// - Returns: the data of the events that are whole now, in their order.
    public mutating func receive(_ bytes: some Sequence<UInt8>) throws(TooLong) -> [[UInt8]] {
        var events: [[UInt8]] = []
        for byte in bytes {
            if byte == 0x0a, skipLineFeed {
                skipLineFeed = false
                continue
            }
            skipLineFeed = byte == 0x0d
            guard byte == 0x0a || byte == 0x0d else {
                line.append(byte)
                guard line.count <= Self.mostBytes else { throw TooLong() }
                continue
            }
            if let event = try end() { events.append(event) }
        }
        return events
    }

    private mutating func end() throws(TooLong) -> [UInt8]? {
        defer { line.removeAll(keepingCapacity: true) }
        if isFirstLine, line.starts(with: [0xef, 0xbb, 0xbf]) { line.removeFirst(3) }
        isFirstLine = false
        guard !line.isEmpty else {
            defer { (data, hasData) = ([], false) }
            return hasData ? data : nil
        }
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        guard line[..<colon].elementsEqual("data".utf8) else { return nil }
        var value = line[colon...].dropFirst()
        if value.first == 0x20 { value = value.dropFirst() }
        if hasData { data.append(0x0a) }
        data += value
        hasData = true
        guard data.count <= Self.mostBytes else { throw TooLong() }
        return nil
    }
}
