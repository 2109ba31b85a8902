import Machines

/// The files of one version of a system for one architecture, where its makers publish them.
public struct PublishedRelease: Equatable, Sendable {
    public var files: [PublishedFile]
    /// Of the release that they become.
    public var parameters: [String: String]
    /// Bytes that its root disk has at least, where the files do not say.
    public var minimumDiskBytes: Int64

    public init(files: [PublishedFile], parameters: [String: String] = [:], minimumDiskBytes: Int64 = 0) {
        (self.files, self.parameters, self.minimumDiskBytes) = (files, parameters, minimumDiskBytes)
    }
}

/// One file, and what it is compared with.
public struct PublishedFile: Equatable, Sendable {
    public var role: ArtifactRole
    public var url: String
    /// A list with its digest, which its makers publish beside it.
    public var digests: String
    /// What the list calls it, or the end of that.
    public var listedAs: String
    /// Nil: its makers sign neither it nor its digest.
    public var signature: PublishedSignature?

    public init(
        _ role: ArtifactRole, _ url: String, digests: String, listedAs: String? = nil,
        signature: PublishedSignature? = nil
    ) {
        (self.role, self.url, self.digests, self.signature) = (role, url, digests, signature)
        self.listedAs = listedAs ?? String(url.split(separator: "/").last ?? "")
    }

    /// Its own name.
    public var name: String { String(url.split(separator: "/").last ?? "") }
}

/// What makers sign, and where that lies.
public enum PublishedSignature: Equatable, Sendable {
    /// The file itself; a URL.
    case file(String)
    /// The list of digests; a URL.
    case list(String)
    /// A text with its signature around it, at a URL, that has the digest of the list of digests under a name.
    case index(String, listedAs: String)
}

extension OperatingSystem {
    /// What is published of it, and its makers sign; nil: nothing is published. It is the same for each version.
    public var signedRoles: Set<ArtifactRole>? {
        // One that every system could have.
        let sample = published(version: "12", architecture: "amd64")
        return sample.map { Set($0.files.filter { $0.signature != nil }.map(\.role)) }
    }

    /// Where a version is published; nil: nobody publishes it for download, or not under names that are known beforehand.
    public func published(version: String, architecture: String) -> PublishedRelease? {
        PublishedCatalog.release(of: name, version: version, architecture: architecture)
    }
}

/// Names of files that their makers publish. Sources: docs/operating-systems.md.
enum PublishedCatalog {
    static func release(of system: String, version: String, architecture: String) -> PublishedRelease? {
        guard isVersion(version), ["amd64", "arm64"].contains(architecture) else { return nil }
        let machine = architecture == "amd64" ? "x86_64" : "aarch64"
        return switch system {
        case "talos": talos(version, architecture)
        case "flatcar": flatcar(version, architecture)
        case "fedora-coreos": coreOS(version, machine)
        case "debian": debian(version, architecture)
        case "ubuntu": ubuntu(version, architecture)
        case "k3os": k3OS(version, architecture)
        case "harvester": harvester(version, architecture)
        case "fedora":
            tree("https://dl.fedoraproject.org/pub/fedora/linux/releases/\(version)/Server/\(machine)/os", version)
        case "centos-stream":
            tree("https://mirror.stream.centos.org/\(version)-stream/BaseOS/\(machine)/os", version, appStream: true)
        case "rocky":
            tree("https://dl.rockylinux.org/pub/rocky/\(version)/BaseOS/\(machine)/os", version, appStream: true)
        case "almalinux":
            tree("https://repo.almalinux.org/almalinux/\(version)/BaseOS/\(machine)/os", version, appStream: true)
        default: nil
        }
    }

    /// A part of a URL, whoever wrote it.
    private static func isVersion(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count) && !text.contains("..")
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                    || "._-+".utf8.contains(byte)
            }
    }

    private static func talos(_ version: String, _ architecture: String) -> PublishedRelease {
        let base = "https://github.com/siderolabs/talos/releases/download/v\(version)"
        return PublishedRelease(files: [
            .init(.kernel, "\(base)/vmlinuz-\(architecture)", digests: "\(base)/sha512sum.txt"),
            .init(.initrd, "\(base)/initramfs-\(architecture).xz", digests: "\(base)/sha512sum.txt"),
        ])
    }

    private static func flatcar(_ version: String, _ architecture: String) -> PublishedRelease {
        let base = "https://stable.release.flatcar-linux.net/\(architecture)-usr/\(version)/flatcar_production"
        func file(_ role: ArtifactRole, _ end: String) -> PublishedFile {
            .init(
                role, "\(base)_\(end)", digests: "\(base)_\(end).DIGESTS", signature: .file("\(base)_\(end).sig"))
        }
        return PublishedRelease(files: [
            file(.kernel, "pxe.vmlinuz"), file(.initrd, "pxe_image.cpio.gz"), file(.image, "image.bin.bz2"),
        ])
    }

    private static func coreOS(_ version: String, _ machine: String) -> PublishedRelease {
        let base = "https://builds.coreos.fedoraproject.org/prod/streams/stable/builds/\(version)/\(machine)"
        func file(_ role: ArtifactRole, _ middle: String, _ end: String) -> PublishedFile {
            let url = "\(base)/fedora-coreos-\(version)-\(middle).\(machine)\(end)"
            return .init(role, url, digests: "\(base)/meta.json", signature: .file(url + ".sig"))
        }
        return PublishedRelease(files: [
            file(.kernel, "live-kernel", ""), file(.initrd, "live-initramfs", ".img"),
            file(.rootfs, "live-rootfs", ".img"), file(.image, "metal", ".raw.xz"),
        ])
    }

    private static func debian(_ version: String, _ architecture: String) -> PublishedRelease? {
        let names = ["11": "bullseye", "12": "bookworm", "13": "trixie"]
        guard let name = names[version] else { return nil }
        let suite = "https://deb.debian.org/debian/dists/\(name)"
        let images = "main/installer-\(architecture)/current/images"
        let base = "\(suite)/\(images)"
        let folder = "netboot/debian-installer/\(architecture)"
        // The archive's own index, as apt knows it.
        let signature = PublishedSignature.index("\(suite)/InRelease", listedAs: "\(images)/SHA256SUMS")
        let cloud = "https://cloud.debian.org/images/cloud/\(name)/latest"
        return PublishedRelease(files: [
            .init(
                .kernel, "\(base)/\(folder)/linux", digests: "\(base)/SHA256SUMS", listedAs: "\(folder)/linux",
                signature: signature),
            .init(
                .initrd, "\(base)/\(folder)/initrd.gz", digests: "\(base)/SHA256SUMS", listedAs: "\(folder)/initrd.gz",
                signature: signature),
            .init(
                .image, "\(cloud)/debian-\(version)-generic-\(architecture).qcow2", digests: "\(cloud)/SHA512SUMS"),
        ])
    }

    private static func ubuntu(_ version: String, _ architecture: String) -> PublishedRelease {
        let base = "https://cloud-images.ubuntu.com/releases/\(version)/release"
        return PublishedRelease(files: [
            .init(
                .image, "\(base)/ubuntu-\(version)-server-cloudimg-\(architecture).img", digests: "\(base)/SHA256SUMS",
                signature: .list("\(base)/SHA256SUMS.gpg"))
        ])
    }

    private static func k3OS(_ version: String, _ architecture: String) -> PublishedRelease {
        let base = "https://github.com/rancher/k3os/releases/download/v\(version)"
        func file(_ role: ArtifactRole, _ name: String) -> PublishedFile {
            .init(role, "\(base)/\(name)", digests: "\(base)/sha256sum-\(architecture).txt")
        }
        return PublishedRelease(files: [
            file(.kernel, "k3os-vmlinuz-\(architecture)"), file(.initrd, "k3os-initrd-\(architecture)"),
            file(.iso, "k3os-\(architecture).iso"),
        ])
    }

    private static func harvester(_ version: String, _ architecture: String) -> PublishedRelease {
        let base = "https://releases.rancher.com/harvester/v\(version)"
        func file(_ role: ArtifactRole, _ end: String) -> PublishedFile {
            .init(
                role, "\(base)/harvester-v\(version)-\(end)",
                digests: "\(base)/harvester-v\(version)-\(architecture).sha512")
        }
        return PublishedRelease(
            files: [
                file(.kernel, "vmlinuz-\(architecture)"), file(.initrd, "initrd-\(architecture)"),
                file(.rootfs, "rootfs-\(architecture).squashfs"), file(.iso, "\(architecture).iso"),
            ],
            // docs.harvesterhci.io: requirements.
            minimumDiskBytes: 250_000_000_000)
    }

    /// An installation tree of Anaconda's, whose `.treeinfo` has the digests.
    private static func tree(_ base: String, _ version: String, appStream: Bool = false) -> PublishedRelease {
        func file(_ role: ArtifactRole, _ name: String) -> PublishedFile {
            .init(
                role, "\(base)/images/pxeboot/\(name)", digests: "\(base)/.treeinfo", listedAs: "images/pxeboot/\(name)"
            )
        }
        var parameters = ["repository": base + "/"]
        if appStream {
            parameters["repositories"] = "AppStream=" + base.replacing("/BaseOS/", with: "/AppStream/") + "/"
        }
        return PublishedRelease(
            files: [file(.kernel, "vmlinuz"), file(.initrd, "initrd.img")], parameters: parameters,
            minimumDiskBytes: 10_000_000_000)
    }
}
