/// Enter an operating system's own installer by kexec, with its answers in the initramfs. It writes to the order's disk, by the name that the
/// answers give it.
public struct InstallerOrder: Codable, Equatable, Sendable {
    /// Name of the OS release, for people.
    public var release: String
    public var disk: DiskTarget
    public var boot: KernelOrder

    public init(release: String, disk: DiskTarget, boot: KernelOrder) {
        (self.release, self.disk, self.boot) = (release, disk, boot)
    }
}

/// Leave the machine to a system's own installer that its boot program is given, since no kernel may be entered from the agent.
public struct NetworkStartOrder: Codable, Equatable, Sendable {
    /// Name of the OS release, for people.
    public var release: String
    /// What the installer will write to: it has to be there.
    public var disk: DiskTarget

    public init(release: String, disk: DiskTarget) { (self.release, self.disk) = (release, disk) }
}

/// A kernel that is fetched and entered by kexec, with files in its initramfs.
public struct KernelOrder: Codable, Equatable, Sendable {
    public var kernel: RemoteFile
    /// In the order in which the kernel unpacks them.
    public var initrds: [RemoteFile]
    /// Unpacked after them: files of the release that are found in the initramfs, and need not be fetched from anybody.
    public var archived: [ArchivedFile]
    /// Unpacked last. Secrets are among them.
    public var overlay: [OverlayFile]
    public var commandLine: String

    public init(
        kernel: RemoteFile, initrds: [RemoteFile], archived: [ArchivedFile] = [], overlay: [OverlayFile],
        commandLine: String
    ) {
        (self.kernel, self.initrds, self.archived) = (kernel, initrds, archived)
        (self.overlay, self.commandLine) = (overlay, commandLine)
    }

    /// Every file that is fetched.
    public var files: [RemoteFile] { [kernel] + initrds + archived.map(\.file) }

    /// A file that becomes one of the initramfs.
    public struct ArchivedFile: Codable, Equatable, Sendable {
        /// Without a leading slash.
        public var path: String
        public var file: RemoteFile

        public init(path: String, file: RemoteFile) { (self.path, self.file) = (path, file) }
    }

    /// A file that is not secret, and is believed only once its digest matches.
    public struct RemoteFile: Codable, Equatable, Sendable {
        /// `http://…`.
        public var url: String
        /// 64 hex digits.
        public var sha256: String
        public var bytes: Int64
        /// The same bytes nearer by, asked first; nil: there is no mirror.
        public var mirror: String?

        public init(url: String, sha256: String, bytes: Int64, mirror: String? = nil) {
            (self.url, self.sha256, self.bytes, self.mirror) = (url, sha256, bytes, mirror)
        }

        public init(_ artifact: Artifact, below server: String) {
            self.init(url: artifact.url(below: server), sha256: artifact.sha256, bytes: artifact.bytes)
        }
    }
}

/// A file of an initramfs.
public struct OverlayFile: Codable, Equatable, Sendable {
    /// Without a leading slash.
    public var path: String
    /// POSIX permission bits.
    public var mode: UInt32
    public var content: String

    public init(path: String, mode: UInt32 = 0o600, content: String) {
        (self.path, self.mode, self.content) = (path, mode, content)
    }
}
