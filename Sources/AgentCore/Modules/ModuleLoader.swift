import CAgent
import Glibc
import Synchronization

/// Loads drivers for the devices that are there, without udev or modprobe.
public final class ModuleLoader {
    private let files: SystemFiles
    private let index: ModuleIndex
    private let directory: String
    private var loaded: Set<String> = []
    private var seen: Set<String> = []

    /// Nil when the initramfs carries no modules for this kernel.
    public init?(files: SystemFiles = SystemFiles()) {
        guard let release = files.text("/proc/sys/kernel/osrelease"),
            let dependencies = files.text("/lib/modules/\(release)/modules.dep"),
            let aliases = files.bytes("/lib/modules/\(release)/modules.alias", limit: 8 << 20)
        else { return nil }
        self.files = files
        directory = "/lib/modules/\(release)/"
        index = ModuleIndex(dependencies: dependencies, aliases: String(decoding: aliases, as: UTF8.self))
    }

    /// Loads what devices in /sys ask for, again and again until loading brings up no new device.
    /// - Parameter wanted: of each device's modalias, whether it is this turn's.
    public func loadForDevices(where wanted: @Sendable (String) -> Bool = { _ in true }) {
        for _ in 0..<6 {
            var fresh = false
            for bus in files.list("/sys/bus") {
                for device in files.list("/sys/bus/\(bus)/devices") {
                    guard let modalias = files.text("/sys/bus/\(bus)/devices/\(device)/modalias"), wanted(modalias),
                        seen.insert(modalias).inserted
                    else { continue }
                    for module in index.modules(for: modalias) where load(module) { fresh = true }
                }
            }
            guard fresh else { return }
        }
    }

    /// Network controllers, by PCI class, and the buses of virtual machines, which are quick.
    @Sendable public static func isNetwork(_ modalias: String) -> Bool {
        guard modalias.hasPrefix("pci:") else { return modalias.hasPrefix("virtio:") || modalias.hasPrefix("vmbus:") }
        return modalias.contains("bc02sc") || modalias.hasPrefix("pci:v00001AF4")
    }

    /// Loads one module and what it needs. False when nothing new was loaded.
    @discardableResult public func load(_ module: String) -> Bool {
        var fresh = false
        for (name, path) in index.loadOrder(of: module) where loaded.insert(name).inserted {
            guard let image = ModuleFile.read(files.root + directory + path) else { continue }
            if agent_load_module(image, image.count, Self.parameters[name] ?? "") == 0 {
                fresh = true
            } else if errno != EEXIST && errno != ENODEV {
                Console.say("module \(name): \(String(cString: strerror(errno)))")
            }
        }
        return fresh
    }

    /// Loading a controller's driver returns when its disks are there, so that a report lists all of them.
    private static let parameters = ["scsi_mod": "scan=sync"]
}

/// The one loader of this boot, for whoever needs a driver.
public final class Drivers: Sendable {
    private let loader = Mutex(ModuleLoader())

    public init() {}

    /// Returns when the drivers of all devices that are wanted have been loaded, by whomever.
    public func loadForDevices(where wanted: @Sendable (String) -> Bool = { _ in true }) {
        loader.withLock { $0?.loadForDevices(where: wanted) }
    }

    /// Loads modules that no device asks for, such as file systems.
    public func load(_ names: [String]) {
        loader.withLock { loader in
            for name in names { loader?.load(name) }
        }
    }
}
