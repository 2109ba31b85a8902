/// What server and client agreed on for one transfer (RFC 2347).
public struct Negotiation: Equatable, Sendable {
    /// Bytes of a DATA block, 8–65464 (RFC 2348).
    public var blockSize = 512
    /// Blocks sent before an ACK, 1–65535 (RFC 7440).
    public var windowSize = 1
    /// Before a block is sent again.
    public var timeout: Duration = .seconds(1)
    /// The options to acknowledge; empty: none was asked for, and DATA comes at once.
    public var acknowledged: [(name: String, value: String)] = []

    public static func == (left: Self, right: Self) -> Bool {
        left.blockSize == right.blockSize && left.windowSize == right.windowSize && left.timeout == right.timeout
            && left.acknowledged.elementsEqual(right.acknowledged) { $0.name == $1.name && $0.value == $1.value }
    }

    public struct Limits: Sendable {
        /// Largest block: what one datagram holds without being cut up on an Ethernet of 1500.
        public var blockSize = 1468
        public var windowSize = 64

        public init(blockSize: Int = 1468, windowSize: Int = 64) {
            (self.blockSize, self.windowSize) = (blockSize, windowSize)
        }
    }

    /// Options that are unknown or out of range are not acknowledged, which means refused (RFC 2347 §2); `blksize` and
    /// `windowsize` may be answered with less than was asked for.
    public init(_ request: ReadRequest, fileSize: Int, limits: Limits = Limits()) {
        for (name, value) in request.options {
            guard let number = Int(value), !acknowledged.contains(where: { $0.name == name }) else { continue }
            switch name {
            case "blksize" where (8...65464).contains(number):
                blockSize = min(number, limits.blockSize)
                acknowledged.append((name, String(blockSize)))
            case "tsize" where number >= 0:
                acknowledged.append((name, String(fileSize)))
            case "timeout" where (1...255).contains(number):
                timeout = .seconds(number)
                acknowledged.append((name, value))
            case "windowsize" where (1...65535).contains(number):
                windowSize = min(number, limits.windowSize)
                acknowledged.append((name, String(windowSize)))
            default: continue
            }
        }
    }
}
