import Inventory
import Machines
import NetworkAddresses

extension KernelArgument {
    /// - Throws: ``ConfigurationError`` where a value cannot stand on a command line.
    static func checked(_ key: String, _ value: String? = nil) throws(ConfigurationError) -> Self {
        do {
            return try Self(key, value)
        } catch {
            throw ConfigurationError(field: "kernel arguments", reason: "\(error)")
        }
    }
}

extension TargetMachine {
    /// Tells an installer which port to use: the one that the machine booted from.
    var bootInterface: [KernelArgument] {
        // 01 is Ethernet (RFC 1700, hardware types), as PXELINUX began it.
        bootMAC.map { [KernelArgument(made: "BOOTIF", "01-" + $0.description.replacing(":", with: "-"))] } ?? []
    }
}
