/// Cuts a stream of bytes into server-sent events (WHATWG HTML §9.2). Comments and unknown fields are passed over.
struct EventStreamParser {
    struct Frame: Equatable {
        var event = "message"
        var data = ""
    }

    private var line: [UInt8] = []
    private var frame = Frame()
    private var hasData = false

    mutating func feed(_ bytes: some Sequence<UInt8>) -> [Frame] {
        var frames: [Frame] = []
        for byte in bytes {
            guard byte == UInt8(ascii: "\n") else {
                line.append(byte)
                continue
            }
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            if line.isEmpty {
                if hasData { frames.append(frame) }
                (frame, hasData) = (Frame(), false)
            } else {
                take(String(decoding: line, as: UTF8.self))
            }
            line = []
        }
        return frames
    }

    private mutating func take(_ line: String) {
        let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let value = parts.count == 2 ? String(parts[1].hasPrefix(" ") ? parts[1].dropFirst() : parts[1]) : ""
        switch parts[0] {
        case "event": frame.event = value
        case "data":
            frame.data += (hasData ? "\n" : "") + value
            hasData = true
        default: break
        }
    }
}
