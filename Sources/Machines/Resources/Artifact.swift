/// What a file of a release is for. Open: generic releases have files of their own.
public struct ArtifactRole: RawRepresentable, Hashable, Sendable, Codable, CodingKeyRepresentable {
    public var rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    /// A raw disk image.
    public static let image = Self(rawValue: "image")
    public static let kernel = Self(rawValue: "kernel")
    public static let initrd = Self(rawValue: "initrd")
    /// A root file system that a live system fetches by itself.
    public static let rootfs = Self(rawValue: "rootfs")
    public static let iso = Self(rawValue: "iso")
    /// A kernel with its initrd and command line in one signed program.
    public static let uki = Self(rawValue: "uki")

    /// Lower-case letters, digits and `-`, at most 32: a part of a URL.
    public var isName: Bool {
        (1...32).contains(rawValue.utf8.count)
            && rawValue.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d }
    }
}

/// A file of a release, as machines fetch it.
public struct Artifact: Codable, Equatable, Sendable {
    /// What its makers call it, such as `initrd.gz`: some installers look at the end of a URL. Nil: nothing.
    public var name: String?
    /// SHA-256 of the file, 64 hex digits; its name in the image library.
    public var sha256: String
    /// Of the file.
    public var bytes: Int64
    /// Of a disk image.
    public var compression: InstallOrder.Compression
    /// What it unpacks to; ``bytes`` of a file that is not compressed.
    public var rawBytes: Int64

    public init(
        sha256: String, bytes: Int64, compression: InstallOrder.Compression = .none, rawBytes: Int64? = nil,
        name: String? = nil
    ) {
        self.name = name
        (self.sha256, self.bytes, self.compression, self.rawBytes) = (sha256, bytes, compression, rawBytes ?? bytes)
    }
}

extension Artifact {
    /// Where machines fetch it from the boot HTTP server.
    public func url(below server: String) -> String { server + "/images/" + sha256 + (name.map { "/" + $0 } ?? "") }

    /// Letters, digits, `.`, `_`, `-` and `+`, at most 128: a part of a URL that needs no escape.
    public static func isFileName(_ name: String) -> Bool {
        (1...128).contains(name.utf8.count) && name.utf8.first != UInt8(ascii: ".")
            && name.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                    || "._-+".utf8.contains(byte)
            }
    }
}

/// How a system gets onto a machine.
public enum InstallRoute: String, Codable, Sendable, CaseIterable {
    /// The agent writes its disk image, and puts files on it.
    case image
    /// The agent enters the system's own installer by kexec, which is told all it needs in its initramfs.
    case installer
}
