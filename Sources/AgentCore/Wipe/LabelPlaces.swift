/// Where partition tables, RAID sets, volume managers and file systems leave the marks they are known by. Pure.
///
/// | what | where |
/// |---|---|
/// | MBR, GPT | the first 34 blocks; the last 33 |
/// | ext, XFS, LVM, swap, bcache, md 1.1 and 1.2 | the first MiB |
/// | LUKS2 (second header, key slots) | up to 16 MiB |
/// | ZFS | two labels of 256 KiB at either end |
/// | btrfs | 64 KiB, 64 MiB, 256 GiB |
/// | Ceph BlueStore | 0, and 1, 10, 100, 1000 GiB |
/// | md 0.90 and 1.0, Intel IMSM, other firmware RAIDs | the last 128 KiB |
/// | DDF | the last block, and what it leads to in the last 32 MiB |
enum LabelPlaces {
    private static let mebibyte: Int64 = 1 << 20
    private static let gibibyte: Int64 = 1 << 30

    /// Ranges of bytes, in order, apart from each other, within the disk; they begin and end at multiples of 4096 or at the disk's end.
    /// - Parameter partitions: their labels count too: the same partitions may be made again.
    static func ranges(sizeBytes: Int64, partitions: [Range<Int64>]) -> [Range<Int64>] {
        var places = [0..<16 * mebibyte, sizeBytes - 32 * mebibyte..<sizeBytes]
        for start in [64 * mebibyte, gibibyte, 10 * gibibyte, 100 * gibibyte, 256 * gibibyte, 1000 * gibibyte] {
            places.append(start..<start + 64 * 1024)
        }
        for partition in partitions {
            places.append(partition.lowerBound..<min(partition.lowerBound + 16 * mebibyte, partition.upperBound))
            places.append(max(partition.upperBound - mebibyte, partition.lowerBound)..<partition.upperBound)
        }
        let within = places.compactMap { place -> Range<Int64>? in
            let start = max(0, min(place.lowerBound, sizeBytes)) / 4096 * 4096
            let end = min((min(place.upperBound, sizeBytes) + 4095) / 4096 * 4096, sizeBytes)
            return start < end ? start..<end : nil
        }
        return within.sorted { $0.lowerBound < $1.lowerBound }.reduce(into: []) { merged, place in
            if let last = merged.last, place.lowerBound <= last.upperBound {
                merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, place.upperBound)
            } else {
                merged.append(place)
            }
        }
    }
}
