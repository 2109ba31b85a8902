import APIModel
import CAgent
import FoundationEssentials
import Glibc
import Inventory
import Machines

/// Writes an image to a disk so that a cut install never boots: the first MiB and the backup partition table come last, once
/// all else is on the medium and the stream's SHA-256 is right.
struct ImageWriter {
    let order: InstallOrder
    let target: BlockTarget
    /// The disk is known to read as zeros: those of the image are there already.
    var isBlank = false
    let progress: InstallProgress

    static let blockBytes = 1 << 20

    struct Outcome {
        var table: GPT
        var writeSeconds: Double
        var readBackSeconds: Double
    }

    /// - Throws: ``InstallError``, ``GPTError``; then nothing on the disk boots.
    func run() throws -> Outcome {
        guard
            target.sizeBytes >= order.image.rawBytes + Int64(GPT.tableBlocks * GPT.blockBytes)
                || target.sizeBytes == order.image.rawBytes
        else {
            throw InstallError(
                "\(target.path) has \(target.sizeBytes) bytes; the image needs \(order.image.rawBytes) and room for a partition table"
            )
        }
        let begin = Console.uptime
        // A block given back to the kernel is one to be cleared and mapped anew: half of the time that writing takes.
        agent_keep_freed_memory()
        try destroyOldTables()
        let (head, sums) = try writeTrusted()
        guard head.count == Self.blockBytes else { throw InstallError("the image is shorter than 1 MiB") }
        progress(.flushing, 0, 0)
        try target.flush()
        var table = try GPT(head: Array(head.bytes))
        try table.fit(diskBytes: target.sizeBytes)
        let written = Console.uptime
        try readBack(sums)
        let checked = Console.uptime
        progress(.finishing, 0, 0)
        try writeTables(head, table)
        return Outcome(table: table, writeSeconds: written - begin, readBackSeconds: checked - written)
    }

    /// An old system must not boot half overwritten: its tables go first, and are gone for good before anything else is written.
    private func destroyOldTables() throws {
        try target.zero(Int64(Self.blockBytes), at: 0)
        let tail = Int64(Self.blockBytes)
        try target.zero(min(tail, target.sizeBytes), at: max(0, target.sizeBytes - tail) / 4096 * 4096)
        try target.flush()
    }

    /// Nobody has to trust a mirror: where its bytes turn out to be others, the daemon's are written over them.
    private func writeTrusted() throws -> (head: AlignedBuffer, sums: [UInt64?]) {
        do {
            return try writeBody(usesMirror: true, isBlank: isBlank)
        } catch let error as InstallError where error.isDamage && order.image.mirror != nil {
            Console.say("beginning again without the mirror: \(error)")
            return try writeBody(usesMirror: false, isBlank: false)
        }
    }

    /// Three stages, each on its own thread: receive and hash, unpack, write.
    private func writeBody(usesMirror: Bool, isBlank: Bool) throws -> (head: AlignedBuffer, sums: [UInt64?]) {
        let chunks = BoundedQueue<[UInt8]>(capacity: 16)
        let blocks = BoundedQueue<AlignedBuffer>(capacity: 8)
        let download = ImageDownload(
            file: .init(
                url: order.image.url, sha256: order.image.sha256, bytes: order.image.compressedBytes,
                mirror: order.image.mirror), queue: chunks, usesMirror: usesMirror)
        AgentThread.start("download") { download.run() }
        let decoder = ImageDecoder(
            compression: order.image.compression == .zstd ? .zstd : .none, blockBytes: Self.blockBytes)
        AgentThread.start("unpack") {
            do {
                try decoder.run(
                    next: { try chunks.take() },
                    block: { block in
                        guard blocks.put(block) else { throw InstallError("the install was given up") }
                    })
                blocks.close()
            } catch {
                chunks.fail(error)
                blocks.fail(error)
            }
        }
        do {
            return try writeBlocks(from: blocks, isBlank: isBlank)
        } catch {
            chunks.fail(error)
            blocks.fail(error)
            throw error
        }
    }

    private func writeBlocks(
        from blocks: BoundedQueue<AlignedBuffer>, isBlank: Bool
    ) throws -> (head: AlignedBuffer, sums: [UInt64?]) {
        var head: AlignedBuffer?
        /// Of each block after the first; nil: all zeros.
        var sums: [UInt64?] = []
        var offset: Int64 = 0
        /// Zeros that are still to be written, as one run.
        var zeros: Int64 = 0
        var told = 0.0
        while let block = try blocks.take() {
            guard offset + Int64(block.count) <= order.image.rawBytes else {
                throw InstallError(
                    "the image unpacks to more than the \(order.image.rawBytes) bytes that its release says",
                    isDamage: true)
            }
            if head == nil {
                head = block
            } else if block.isZero {
                zeros += Int64(block.count)
                sums.append(nil)
            } else {
                if !isBlank { try target.zero(zeros, at: offset - zeros) }
                zeros = 0
                // Direct writes are of whole 4 KiB; the tail of the last block is zeros beyond the image.
                let length = (block.count + 4095) / 4096 * 4096
                for index in block.count..<length { block.bytes[index] = 0 }
                let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(block.bytes)[..<length])
                try target.write(bytes, at: offset)
                sums.append(
                    order.readBack == .none ? 0 : XXH64.of(UnsafeRawBufferPointer(rebasing: bytes[..<block.count])))
            }
            offset += Int64(block.count)
            if Console.uptime - told > 0.5 {
                told = Console.uptime
                progress(.writing, offset, order.image.rawBytes)
            }
        }
        if !isBlank { try target.zero(zeros, at: offset - zeros) }
        guard offset == order.image.rawBytes else {
            throw InstallError(
                "the image unpacks to \(offset) bytes, not the \(order.image.rawBytes) that its release says",
                isDamage: true)
        }
        guard let head else { throw InstallError("the image is empty") }
        return (head, sums)
    }

    /// Reads the medium again, past the page cache, and compares.
    private func readBack(_ sums: [UInt64?]) throws {
        let chosen: [Int]
        switch order.readBack {
        case .none: return
        case .full: chosen = Array(sums.indices)
        case .sampled: chosen = sums.indices.filter { $0 < 8 || $0 >= sums.count - 8 || Int.random(in: 0..<16) == 0 }
        }
        let buffer = AlignedBuffer(Self.blockBytes)
        var told = 0.0
        for (done, index) in chosen.enumerated() {
            let offset = Int64(index + 1) * Int64(Self.blockBytes)
            let count = Int(min(Int64(Self.blockBytes), order.image.rawBytes - offset))
            let length = (count + 4095) / 4096 * 4096
            try target.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<length]), at: offset)
            buffer.count = count
            let same =
                sums[index].map {
                    $0 == XXH64.of(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer.bytes)[..<count]))
                }
                ?? buffer.isZero
            guard same else {
                throw InstallError("\(target.path) reads back something else than was written, at byte \(offset)")
            }
            if Console.uptime - told > 0.5 {
                told = Console.uptime
                progress(
                    .readingBack, Int64(done) * Int64(Self.blockBytes), Int64(chosen.count) * Int64(Self.blockBytes))
            }
        }
    }

    private func writeTables(_ head: AlignedBuffer, _ table: GPT) throws {
        let backup = table.backup(diskBytes: target.sizeBytes)
        // The backup's blocks do not begin at a multiple of 4 KiB: the space around them was zeroed at the start.
        let start = (target.sizeBytes - Int64(backup.count)) / 4096 * 4096
        let lead = Int(target.sizeBytes - Int64(backup.count) - start)
        let tail = AlignedBuffer((lead + backup.count + 4095) / 4096 * 4096)
        tail.zero()
        // What of the image reaches into these blocks stays as it is.
        if lead > 0 { try target.read(into: UnsafeMutableRawBufferPointer(rebasing: tail.bytes[..<4096]), at: start) }
        backup.withUnsafeBytes { bytes in
            UnsafeMutableRawBufferPointer(rebasing: tail.bytes[lead..<lead + backup.count]).copyMemory(from: bytes)
        }
        try target.write(
            UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(tail.bytes)[..<(lead + backup.count)]), at: start)
        try target.flush()
        let primary = table.primary(in: Array(head.bytes), diskBytes: target.sizeBytes)
        primary.withUnsafeBytes { head.bytes.copyMemory(from: $0) }
        try target.write(UnsafeRawBufferPointer(head.bytes), at: 0)
        try target.flush()
        try target.rereadPartitions()
    }
}
