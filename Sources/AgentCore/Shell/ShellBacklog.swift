import APIModel
import FoundationEssentials

/// What a shell printed and the daemon has not written down, as far as there is room: the oldest gives way.
struct ShellBacklog {
    static let capacity = 256 << 10

    private var bytes = Data()
    /// Position of the first of ``bytes``.
    private(set) var oldest: Int64 = 0
    /// Position behind what the daemon has.
    private var sent: Int64 = 0

    var end: Int64 { oldest + Int64(bytes.count) }
    /// More would push out what was never sent.
    var isFull: Bool { end - sent >= Int64(Self.capacity) }
    var isSent: Bool { sent == end }

    mutating func append(_ new: some Sequence<UInt8>) {
        bytes.append(contentsOf: new)
        guard bytes.count > Self.capacity else { return }
        // Cut to three quarters, so that not every byte moves all the others; of what was not sent no more than there is no room for.
        let unsent = Int(end - max(sent, oldest))
        forget(before: end - Int64(max(Self.capacity * 3 / 4, min(unsent, Self.capacity))))
    }

    /// The next piece.
    var piece: ShellOutput {
        let start = max(sent, oldest)
        let data = Data(bytes.dropFirst(Int(start - oldest)).prefix(ShellOutput.most))
        return ShellOutput(position: start, oldest: oldest, data: data)
    }

    mutating func note(_ reply: ShellReply) {
        sent = min(max(reply.next, oldest), end)
        forget(before: min(reply.kept, sent))
    }

    private mutating func forget(before position: Int64) {
        guard position > oldest else { return }
        bytes = Data(bytes.dropFirst(Int(position - oldest)))
        oldest = position
    }
}
