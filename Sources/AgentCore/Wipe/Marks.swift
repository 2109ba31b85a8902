import Glibc

/// Random blocks that are written before an erasure, at places that are noted. What is still there afterwards was not erased; a disk that was blank
/// before proves something too. Pure.
struct Marks: Sendable {
    /// Bytes of one mark.
    static let length = 4096
    /// So many a disk gets, unless it is smaller.
    static let count = 2048

    private let seed: UInt64
    /// Both ends and the places of labels.
    let ends: [Int64]
    /// All of them, in order.
    let offsets: [Int64]

    /// - Parameters:
    ///   - places: of labels; each begins at a multiple of 4096 or ends at the disk's end.
    init(
        sizeBytes: Int64, places: [Range<Int64>], using generator: inout some RandomNumberGenerator
    ) {
        seed = generator.next()
        let length = Int64(Self.length)
        guard sizeBytes >= length else {
            (ends, offsets) = ([], [])
            return
        }
        // The last one may overlap the one before it where the disk ends within 4096 bytes: it is the one that stays.
        let last = sizeBytes - length
        func fits(_ offset: Int64) -> Bool { offset == last || offset + length <= last }
        var edges: Set<Int64> = [0, last]
        for place in places { edges.formUnion([place.lowerBound, (place.upperBound - length) / length * length]) }
        let ends = edges.filter { $0 >= 0 && fits($0) }
        var offsets = ends
        let blocks = sizeBytes / length
        let strata = Int64(Self.count)
        for index in 0..<min(strata, blocks) {
            // One in each part of the disk, so that no part is without.
            let (from, to) =
                blocks <= strata ? (index, index + 1) : (blocks * index / strata, blocks * (index + 1) / strata)
            let offset = Int64.random(in: from..<to, using: &generator) * length
            if fits(offset) { offsets.insert(offset) }
        }
        self.ends = ends.sorted()
        self.offsets = offsets.sorted()
    }

    /// Fills a buffer with the mark that belongs to `offset`.
    func fill(_ bytes: UnsafeMutableRawBufferPointer, for offset: Int64) {
        for index in 0..<bytes.count / 8 {
            bytes.storeBytes(
                of: word(UInt64(bitPattern: offset) &+ UInt64(index) * 8), toByteOffset: index * 8, as: UInt64.self)
        }
    }

    /// Whether any part of the mark at `offset` is in what was read there.
    func isLeft(in bytes: UnsafeRawBufferPointer, at offset: Int64) -> Bool {
        for index in stride(from: 0, to: bytes.count / 8 - 1, by: 2) {
            let (first, second) = (
                bytes.load(fromByteOffset: index * 8, as: UInt64.self),
                bytes.load(fromByteOffset: index * 8 + 8, as: UInt64.self)
            )
            let place = UInt64(bitPattern: offset) &+ UInt64(index) * 8
            if first == word(place), second == word(place &+ 8) { return true }
        }
        return false
    }

    /// Whether the whole mark is in what was read at `offset`.
    func isWhole(in bytes: UnsafeRawBufferPointer, at offset: Int64) -> Bool {
        (0..<bytes.count / 8).allSatisfy {
            bytes.load(fromByteOffset: $0 * 8, as: UInt64.self) == word(UInt64(bitPattern: offset) &+ UInt64($0) * 8)
        }
    }

    /// SplitMix64 (Steele, Lea, Flood 2014) of the seed and a place.
    private func word(_ place: UInt64) -> UInt64 {
        var value = seed &+ (place / 8 &+ 1) &* 0x9e37_79b9_7f4a_7c15
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}
