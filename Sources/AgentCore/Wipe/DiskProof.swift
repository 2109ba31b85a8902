import Inventory
import Machines

/// What is written to a disk before it is erased, and read afterwards.
struct DiskProof: Sendable {
    let target: any WipeTarget
    let marks: Marks
    private static let chunk = 4 << 20

    /// Writes the marks and reads them: a disk that does not keep what is written to it proves nothing, and is failing.
    /// - Throws: ``WipeFailure``, or the disk's error.
    func mark() throws {
        let buffer = AlignedBuffer(Marks.length)
        for offset in marks.offsets {
            marks.fill(buffer.bytes, for: offset)
            try target.write(UnsafeRawBufferPointer(buffer.bytes), at: offset)
        }
        try target.flush()
        for offset in marks.offsets {
            try target.read(into: buffer.bytes, at: offset)
            guard marks.isWhole(in: UnsafeRawBufferPointer(buffer.bytes), at: offset) else {
                throw WipeFailure("it does not keep what is written to it: byte \(offset) reads otherwise")
            }
        }
    }

    /// Reads what is left.
    /// - Parameter zeros: the method promises that the disk reads as zeros.
    /// - Throws: ``WipeFailure`` when something is left, or the disk's error.
    func read(
        _ kind: WipePolicy.Verification, zeros: Bool, progress: (_ done: Int64, _ total: Int64) -> Void
    ) throws -> DiskEvidence.ReadBack {
        switch kind {
        case .none: try readSamples(marks.ends, kind, zeros: zeros, progress: progress)
        case .sampled: try readSamples(marks.offsets, kind, zeros: zeros, progress: progress)
        case .full: try readAll(zeros: zeros, progress: progress)
        }
    }

    private func readSamples(
        _ offsets: [Int64], _ kind: WipePolicy.Verification, zeros: Bool, progress: (Int64, Int64) -> Void
    ) throws -> DiskEvidence.ReadBack {
        let buffer = AlignedBuffer(Marks.length)
        buffer.count = Marks.length
        var left: [Int64] = []
        for (index, offset) in offsets.enumerated() {
            try target.read(into: buffer.bytes, at: offset)
            if zeros ? !buffer.isZero : marks.isLeft(in: UnsafeRawBufferPointer(buffer.bytes), at: offset) {
                left.append(offset)
            }
            progress(Int64(index + 1) * Int64(Marks.length), Int64(offsets.count * Marks.length))
        }
        if let first = left.first { throw Self.failure(left.count, of: offsets.count, first: first, zeros: zeros) }
        return DiskEvidence.ReadBack(
            kind: kind, bytes: Int64(offsets.count * Marks.length), finding: finding(offsets.count, zeros: zeros))
    }

    private func readAll(zeros: Bool, progress: (Int64, Int64) -> Void) throws -> DiskEvidence.ReadBack {
        let buffer = AlignedBuffer(Self.chunk)
        var rest = marks.offsets[...]
        var offset: Int64 = 0
        var left: [Int64] = []
        let mark = AlignedBuffer(Marks.length)
        while offset < target.sizeBytes {
            buffer.count = Int(min(Int64(Self.chunk), target.sizeBytes - offset))
            try target.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<buffer.count]), at: offset)
            if zeros, !buffer.isZero {
                throw WipeFailure("not all of it is zeros: there is something in the 4 MiB from byte \(offset) on")
            }
            while let next = rest.first, next < offset + Int64(buffer.count) {
                // The last mark may lie across two chunks.
                try target.read(into: mark.bytes, at: next)
                if marks.isLeft(in: UnsafeRawBufferPointer(mark.bytes), at: next) { left.append(next) }
                rest = rest.dropFirst()
            }
            offset += Int64(buffer.count)
            progress(offset, target.sizeBytes)
        }
        if let first = left.first {
            throw Self.failure(left.count, of: marks.offsets.count, first: first, zeros: false)
        }
        return DiskEvidence.ReadBack(
            kind: .full, bytes: target.sizeBytes, finding: finding(marks.offsets.count, zeros: zeros))
    }

    private func finding(_ count: Int, zeros: Bool) -> String {
        zeros ? BlankDisks.zeros : "none of \(count) marks left"
    }

    private static func failure(_ left: Int, of count: Int, first: Int64, zeros: Bool) -> WipeFailure {
        WipeFailure(
            zeros
                ? "\(left) of \(count) samples are not zeros, the first at byte \(first)"
                : "\(left) of \(count) marks that were written before are still there, the first at byte \(first)")
    }

    /// Writes zeros over ranges and reads them back.
    /// - Throws: ``WipeFailure`` when a range reads otherwise, or the disk's error.
    func zero(_ ranges: [Range<Int64>], progress: (_ done: Int64, _ total: Int64) -> Void) throws {
        let total = ranges.reduce(0) { $0 + $1.upperBound - $1.lowerBound }
        let (zeros, buffer) = (AlignedBuffer(Self.chunk), AlignedBuffer(Self.chunk))
        zeros.zero()
        var done: Int64 = 0
        func each(_ body: (Int, Int64) throws -> Void) throws {
            for range in ranges {
                for offset in stride(from: range.lowerBound, to: range.upperBound, by: Self.chunk) {
                    try body(Int(min(Int64(Self.chunk), range.upperBound - offset)), offset)
                }
            }
        }
        try each { count, offset in
            try target.write(
                UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(zeros.bytes)[..<count]), at: offset)
            done += Int64(count)
            progress(done, total)
        }
        try target.flush()
        try each { count, offset in
            buffer.count = count
            try target.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<count]), at: offset)
            guard buffer.isZero else {
                throw WipeFailure("zeros were written at byte \(offset), and something else is read there")
            }
        }
    }

    /// Writes zeros over the whole disk.
    func overwrite(progress: (_ done: Int64, _ total: Int64) -> Void) throws {
        let zeros = AlignedBuffer(Self.chunk)
        zeros.zero()
        var offset: Int64 = 0
        while offset < target.sizeBytes {
            let count = Int(min(Int64(Self.chunk), target.sizeBytes - offset))
            try target.write(
                UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(zeros.bytes)[..<count]), at: offset)
            offset += Int64(count)
            progress(offset, target.sizeBytes)
        }
        try target.flush()
    }
}
