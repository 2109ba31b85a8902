import NetworkAddresses

/// A server that has the files of the image library too, for the machines of a subnet. It is trusted with nothing: a file is believed by the
/// digest in the order.
public struct ImageMirror: Equatable, Sendable {
    public var subnet: IPv4Network
    /// `http://10.20.3.2:8080`; the paths below it are those of the daemon.
    public var url: String

    public init(subnet: IPv4Network, url: String) { (self.subnet, self.url) = (subnet, url) }

    /// The URL of the mirror for a machine: that of the smallest subnet it is in.
    public static func url(for machine: IPv4Address, among mirrors: [ImageMirror]) -> String? {
        mirrors.filter { $0.subnet.contains(machine) }.max { $0.subnet.prefixLength < $1.subnet.prefixLength }?.url
    }
}

extension Order.Task {
    /// The same, with its files fetched from a mirror first.
    /// - Parameters:
    ///   - mirror: nil: there is none, and nothing changes.
    ///   - origin: what the URLs of the library's files begin with.
    public func mirrored(at mirror: String?, of origin: String) -> Order.Task {
        guard let mirror else { return self }
        func near(_ url: String) -> String? {
            url.hasPrefix(origin + "/") ? mirror + url.dropFirst(origin.count) : nil
        }
        func near(_ kernel: KernelOrder) -> KernelOrder {
            var kernel = kernel
            kernel.kernel.mirror = near(kernel.kernel.url)
            for index in kernel.initrds.indices { kernel.initrds[index].mirror = near(kernel.initrds[index].url) }
            for index in kernel.archived.indices {
                kernel.archived[index].file.mirror = near(kernel.archived[index].file.url)
            }
            return kernel
        }
        switch self {
        case .install(var order):
            order.image.mirror = near(order.image.url)
            order.firstStart = order.firstStart.map(near)
            return .install(order)
        case .runInstaller(var order):
            order.boot = near(order.boot)
            return .runInstaller(order)
        case .startInstaller, .wipe, .shell, .start, .reboot, .powerOff, .setUpBMC: return self
        }
    }
}
