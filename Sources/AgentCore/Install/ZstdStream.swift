import CZstd

/// Unpacks one zstd stream, or passes bytes on as they are, into blocks of a fixed size.
struct ImageDecoder {
    let compression: InstallCompression
    let blockBytes: Int

    enum InstallCompression { case none, zstd }

    /// Takes chunks until there are no more; hands on full blocks, the last one as long as it is.
    /// - Throws: ``InstallError`` for a stream that is broken or cut.
    func run(next: () throws -> [UInt8]?, block: (AlignedBuffer) throws -> Void) throws {
        var current = AlignedBuffer(blockBytes)
        func emit(full: Bool) throws {
            guard current.count == blockBytes || (!full && current.count > 0) else { return }
            try block(current)
            current = AlignedBuffer(blockBytes)
        }
        switch compression {
        case .none:
            while let chunk = try next() {
                var rest = chunk[...]
                while !rest.isEmpty {
                    let count = min(rest.count, blockBytes - current.count)
                    rest.withUnsafeBytes { source in
                        UnsafeMutableRawBufferPointer(rebasing: current.bytes[current.count..<current.count + count])
                            .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[..<count]))
                    }
                    current.count += count
                    rest = rest.dropFirst(count)
                    try emit(full: true)
                }
            }
        case .zstd:
            guard let stream = ZSTD_createDStream() else { throw InstallError("no memory for zstd") }
            defer { ZSTD_freeDStream(stream) }
            var pending = 1
            while let chunk = try next() {
                try chunk.withUnsafeBytes { source in
                    var input = ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: 0)
                    var more = true
                    while input.pos < input.size || more {
                        var output = ZSTD_outBuffer(
                            dst: current.bytes.baseAddress, size: blockBytes, pos: current.count)
                        pending = ZSTD_decompressStream(stream, &output, &input)
                        guard ZSTD_isError(pending) == 0 else {
                            throw InstallError(
                                "the image is no sound zstd stream: \(String(cString: ZSTD_getErrorName(pending)))",
                                isDamage: true)
                        }
                        current.count = output.pos
                        // A frame that has ended has nothing left to flush; another call would begin the next one.
                        more = pending != 0 && output.pos == blockBytes
                        try emit(full: true)
                    }
                }
            }
            guard pending == 0 else {
                throw InstallError("the image ends in the middle of its zstd stream", isDamage: true)
            }
        }
        try emit(full: false)
    }
}
