/// A page of 256 words, each with its low byte first, as ATA drives send them.
struct ATAWords {
    private let data: [UInt8]

    /// - Parameter data: 512 bytes; nil when it is cut.
    init?(_ data: some Collection<UInt8>) {
        guard data.count >= 512 else { return nil }
        self.data = Array(data.prefix(512))
    }

    /// - Parameter index: 0 to 255.
    subscript(index: Int) -> UInt16 { UInt16(data[2 * index]) | UInt16(data[2 * index + 1]) << 8 }

    /// Up to four words as one number, the lowest first.
    func number(_ words: Range<Int>) -> UInt64 { words.reversed().reduce(0) { $0 << 16 | UInt64(self[$1]) } }

    /// One bit of a word that says which features there are. Such a word is valid when its two highest bits are 01.
    func hasFeature(_ index: Int, bit: Int) -> Bool { self[index] >> 14 == 1 && self[index] & 1 << bit != 0 }
}
