import Crypto
import FoundationEssentials

/// An installer that a machine is to start from the network by itself, since it may not enter a kernel from its agent. What its boot program is given goes
/// by plain HTTP and once: the record is deleted before the first byte of it leaves. Its release allows that (``OSRelease/allowsPlainHTTP``).
public struct NetworkStart: Codable, Equatable, Sendable, Identifiable {
    public static let kind = "network-start"

    /// The machine's.
    public let id: String
    public let operation: String
    public let order: String
    /// A ``KernelOrder``, sealed: secrets are in its overlay and on its command line.
    private let sealed: Secret
    /// When the agent left for it; nil: nobody is given anything yet.
    public var openedAt: Date?

    /// - Parameter key: the installation's secret key.
    public init(machine: String, operation: String, order: String, _ kernel: KernelOrder, key: SymmetricKey) throws {
        (id, self.operation, self.order) = (machine, operation, order)
        let text = String(decoding: try JSONEncoder().encode(kernel), as: UTF8.self)
        sealed = try Secret(id: "\(Self.kind)/\(machine)/\(order)", text: text, key: key)
    }

    public func kernel(key: SymmetricKey) throws -> KernelOrder {
        try JSONDecoder().decode(KernelOrder.self, from: Data(try sealed.open(with: key).utf8))
    }
}

/// A part of an initramfs that is sent as one file.
public enum InitrdPart: Equatable, Sendable {
    case bytes([UInt8])
    /// A file of the library.
    case image(sha256: String, bytes: Int64)

    public var count: Int64 {
        switch self {
        case .bytes(let bytes): Int64(bytes.count)
        case .image(_, let bytes): bytes
        }
    }
}

extension KernelOrder {
    /// Its whole initramfs, in the order in which the kernel unpacks it, each archive where it looks for one: at a multiple of four bytes
    /// (Documentation/driver-api/early-userspace/buffer-format.rst).
    /// - Returns: nil where a file has 4 GiB, for which the format has no room.
    public var initrdParts: [InitrdPart]? {
        var parts: [InitrdPart] = []
        for file in initrds {
            parts.append(.image(sha256: file.sha256, bytes: file.bytes))
            let rest = Int(file.bytes % 4)
            if rest > 0 { parts.append(.bytes([UInt8](repeating: 0, count: 4 - rest))) }
        }
        for archived in archived {
            guard let bytes = UInt32(exactly: archived.file.bytes) else { return nil }
            parts.append(.bytes(CPIOArchive.head(of: archived.path, mode: 0o644, bytes: bytes)))
            parts.append(.image(sha256: archived.file.sha256, bytes: archived.file.bytes))
            parts.append(.bytes(CPIOArchive.tail(after: bytes)))
        }
        if !overlay.isEmpty { parts.append(.bytes(CPIOArchive.make(overlay))) }
        return parts
    }
}
