import Foundation
import ImageLibrary
import Logging
import Machines
import NetworkAddresses
import NetworkBoot
import ServiceLifecycle

/// DHCP, TFTP and boot HTTP as the configuration asks for them.
struct BootServices {
    let services: [any Service]

    init(
        _ configuration: DaemonConfiguration, scripts: IPXEScripts, images: any ImageSource,
        director: any NetworkBootDirector, logger: Logger
    ) throws {
        let address = configuration.address.description
        let bootFiles = BootFileDirectory(
            configuration.bootFileDirectory, linked: BootFiles.linked)
        let content = BootContent(
            scripts: scripts, bootFiles: bootFiles, agent: BootFileDirectory(configuration.agentDirectory),
            images: images,
            director: director, bootURL: configuration.bootURL)
        var services: [any Service] = [
            BootHTTPServer(address: address, port: configuration.bootPort, content: content, logger: logger),
            TFTPServer(
                address: address, port: configuration.tftpPort, directory: bootFiles, director: director, logger: logger
            ),
        ]
        if let dhcp = configuration.dhcp {
            let mode = try Self.mode(dhcp, configuration, logger: logger)
            services.append(DHCPServer(interface: dhcp.interface, mode: mode, director: director, logger: logger))
        }
        self.services = services
    }

    /// Every file that a server asks for at its first boot is there.
    /// - Throws: ``DaemonError`` naming the key and what is missing.
    static func check(_ configuration: DaemonConfiguration) throws {
        for (key, directory, files, remedy) in [
            ("agent_image", configuration.agentDirectory, ["vmlinuz", "initrd"], "`make agent` builds them"),
            (
                "boot_files", configuration.bootFileDirectory,
                ["undionly.kpxe", "snponly.efi"] + configuration.bootPrograms.values.sorted(),
                "Debian's package ipxe has undionly.kpxe and snponly.efi, boot_programs names the others"
            ),
        ] {
            let missing = files.filter { !FileManager.default.isReadableFile(atPath: directory + "/" + $0) }
            guard missing.isEmpty else {
                throw DaemonError("\(key): \(directory) has no \(missing.joined(separator: " and no ")); \(remedy)")
            }
        }
    }

    private static func mode(
        _ dhcp: DaemonConfiguration.DHCP, _ configuration: DaemonConfiguration, logger: Logger
    ) throws -> DHCPServer.Mode {
        let files = BootFiles(bootURL: configuration.bootURL, programs: configuration.bootPrograms)
        guard dhcp.mode == .full, let start = dhcp.poolStart, let end = dhcp.poolEnd else {
            return .proxy(ProxyResponder(server: configuration.address, files: files))
        }
        let (journal, leases) = try LeaseJournal.open(configuration.stateDirectory + "/leases.journal")
        logger.info("leases loaded", metadata: ["leases": "\(leases.count)"])
        let responder = FullResponder(
            server: configuration.address, files: files,
            subnet: .init(
                prefixLength: dhcp.prefixLength, router: dhcp.router, nameServers: dhcp.nameServers,
                leaseSeconds: UInt32(dhcp.leaseSeconds)), pool: LeasePool(range: start...end, leases: leases))
        return .full(responder, journal)
    }
}
