import DHCP
import Logging
import Machines
import NetworkAddresses

/// Says once for each architecture that machines ask to boot and there is no program for them.
struct UnservedLog {
    private var seen: Set<ClientArchitecture> = []

    /// Architectures told; the numbers are an attacker's to choose.
    static let capacity = 64

    mutating func note(_ question: BootQuestion, logger: Logger) {
        guard let architecture = question.architecture, seen.count < Self.capacity, seen.insert(architecture).inserted
        else { return }
        logger.warning(
            "no boot program for this architecture; boot_programs in the configuration names one",
            metadata: [
                "architecture": "\(architecture.withoutHTTP.rawValue)",
                "mac": "\(question.mac)",
            ])
    }
}
