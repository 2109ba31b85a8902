/// A text that an installation gives a machine, and where it goes.
public struct RenderedFile: Codable, Equatable, Sendable {
    /// `initramfs`, `partition ESP (vfat)`, or `fetched`: the installer asks for it by TLS.
    public var place: String
    public var path: String
    /// POSIX permission bits; nil where there are none.
    public var mode: UInt32?
    public var content: String

    public init(place: String, path: String, mode: UInt32?, content: String) {
        (self.place, self.path, self.mode, self.content) = (place, path, mode, content)
    }
}

/// What a machine was given by its newest installation, to be compared with what it would get now. Without anything that is sealed.
public struct InstalledRendering: Codable, Equatable, Sendable, Identifiable {
    public static let kind = "installed-rendering"

    /// The machine's.
    public let id: String
    public var operation: String
    public var assignment: Machine.Assignment
    public var route: InstallRoute
    public var disk: String
    public var entry: String
    public var kernelArguments: String?
    public var files: [RenderedFile]
    /// ``InstallationRecord/digest``.
    public var digest: String

    public init(
        machine: String, operation: String, assignment: Machine.Assignment, route: InstallRoute, disk: String,
        entry: String, kernelArguments: String?, files: [RenderedFile], digest: String
    ) {
        (id, self.operation, self.assignment, self.route) = (machine, operation, assignment, route)
        (self.disk, self.entry, self.kernelArguments) = (disk, entry, kernelArguments)
        (self.files, self.digest) = (files, digest)
    }
}
