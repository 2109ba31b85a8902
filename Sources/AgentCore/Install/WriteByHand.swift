import Glibc
import Inventory
import Machines

/// The image writer by itself, on a loop device or a plain file, to measure it. No other device is ever opened by hand.
enum WriteByHand {
    static let usage = "FILE URL SHA256 BYTES RAW-BYTES none|zstd [none|sampled|full]"

    /// Writes the image at a URL, and says how long it took.
    /// - Throws: ``InstallError``, ``GPTError``.
    static func run(_ arguments: [String]) throws {
        guard (6...7).contains(arguments.count), let bytes = Int64(arguments[3]), let rawBytes = Int64(arguments[4]),
            let compression = InstallOrder.Compression(rawValue: arguments[5]),
            let readBack = ReadBack(rawValue: arguments.count == 7 ? arguments[6] : "none")
        else { throw InstallError("expected \(usage)") }
        let file = arguments[0]
        var status = stat()
        guard stat(file, &status) == 0 else { throw InstallError.system("look at", file) }
        // Major 7 (Documentation/admin-guide/devices.txt of Linux).
        let isLoop = status.st_mode & S_IFMT == S_IFBLK && status.st_rdev >> 8 & 0xfff == 7
        guard isLoop || status.st_mode & S_IFMT == S_IFREG else {
            throw InstallError("\(file) is neither a plain file nor a loop device: a disk is written by order only")
        }
        let order = InstallOrder(
            release: "by hand",
            image: .init(
                url: arguments[1], sha256: arguments[2], compression: compression, compressedBytes: bytes,
                rawBytes: rawBytes), disk: DiskTarget(serial: nil, wwn: nil, path: file, sizeBytes: 0), files: [],
            readBack: readBack, entry: .reboot, bootOrder: .networkFirst)
        let outcome = try ImageWriter(order: order, target: BlockTarget(path: file)) { _, _, _ in }.run()
        Console.say("write_seconds=\(outcome.writeSeconds) read_back_seconds=\(outcome.readBackSeconds)")
    }
}
