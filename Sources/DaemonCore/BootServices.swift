import DHCP
import Foundation
import ImageLibrary
import Logging
import Machines
import NIOSSL
import NetworkAddresses
import NetworkBoot
import ServiceLifecycle

/// DHCP, TFTP and boot HTTP as the configuration asks for them.
struct BootServices {
    let services: [any Service]

    init(
        _ configuration: DaemonConfiguration, scripts: BootScripts, images: any ImageSource,
        director: any NetworkBootDirector, authority: CertificateAuthority, logger: Logger
    ) throws {
        let address = configuration.address.description
        let bootFiles = BootFileDirectory(
            configuration.bootFileDirectory, linked: BootFiles.linked)
        let content = BootContent(
            scripts: scripts, bootFiles: bootFiles,
            agents: configuration.agentDirectories.mapValues { BootFileDirectory($0) },
            images: images, director: director, bootURL: configuration.bootURL, limits: configuration.images)
        var services: [any Service] = [
            BootHTTPServer(address: address, port: configuration.bootPort, content: content, logger: logger),
            TFTPServer(
                address: address, port: configuration.tftpPort, singlePort: configuration.tftpSinglePort,
                content: content, logger: logger),
        ]
        if let port = configuration.bootTLSPort {
            let now = Date()
            let tls = try Keyring.firmwareAuthority(directory: configuration.stateDirectory, now: now)
                .serverConfiguration(addresses: [address], names: [], now: now)
            services.append(
                BootHTTPServer(
                    address: address, port: port, content: content, logger: logger,
                    tls: try NIOSSLContext(configuration: tls)))
        }
        if let port = configuration.syslogPort {
            services.append(SyslogReceiver(address: address, port: port, director: director, logger: logger))
        }
        let served = try configuration.subnets.map {
            try Self.served($0, configuration, logger: logger)
        }
        if configuration.subnets.contains(where: { $0.mode != .off }) {
            services.append(
                DHCPServer(
                    served, packetsPerSecond: configuration.dhcpPacketsPerSecond, director: director, logger: logger))
        }
        services += Self.version6(
            configuration, content: content, director: director, authority: authority, logger: logger)
        self.services = services
    }

    /// DHCPv6, and the same files at the addresses that it names.
    private static func version6(
        _ configuration: DaemonConfiguration, content: BootContent, director: any NetworkBootDirector,
        authority: CertificateAuthority, logger: Logger
    ) -> [any Service] {
        guard !configuration.networks6.isEmpty else { return [] }
        var files = BootFiles(bootPort: configuration.bootPort, programs: configuration.bootPrograms)
        // Debian 12's GRUB for arm64 crashes in the middle of a kernel that comes by IPv6 (seen on AAVMF, by TFTP and HTTP), and a
        // machine would stand there; without a file its firmware goes on to IPv4.
        files.programs[.efiARM64] = configuration.bootPrograms[.efiARM64]
        var services: [any Service] = [
            DHCPv6Server(
                configuration.networks6, files: files,
                tftpPort: configuration.tftpPort, identifier: authority.identifier,
                packetsPerSecond: configuration.dhcpPacketsPerSecond, director: director, logger: logger)
        ]
        for server in Set(configuration.networks6.map(\.server)) {
            let content = content.at("http://[\(server)]:\(configuration.bootPort)")
            services += [
                BootHTTPServer(
                    address: server.description, port: configuration.bootPort, content: content, logger: logger),
                TFTPServer(
                    address: server.description, port: configuration.tftpPort, singlePort: configuration.tftpSinglePort,
                    content: content, logger: logger),
            ]
        }
        return services
    }

    /// What there is beside iPXE.
    static func offerings(_ configuration: DaemonConfiguration) -> BootOfferings {
        func has(_ file: String?) -> Bool {
            file.map { FileManager.default.isReadableFile(atPath: configuration.bootFileDirectory + "/" + $0) } ?? false
        }
        let agents = Set(configuration.agentDirectories.keys)
        guard let grub = BootFiles.grub[.efiX64], has(grub) else { return BootOfferings(agents: agents) }
        let program = FileManager.default.contents(atPath: configuration.bootFileDirectory + "/" + grub)
        return BootOfferings(
            signedChain: has(BootFiles.signed[.efiX64]), grub: true,
            // The words with which its http module asks.
            grubReadsHTTP: program?.range(of: Data("HTTP/1.1".utf8)) != nil, agents: agents)
    }

    /// Every file that a server asks for at its first boot is there.
    /// - Throws: ``DaemonError`` naming the key and what is missing.
    static func check(_ configuration: DaemonConfiguration) throws {
        let image = AgentFile.Name.allCases.map(\.rawValue)
        var needed = [
            ("agent_image", configuration.agentDirectory, image, "`make agent` builds them"),
            (
                "boot_files", configuration.bootFileDirectory,
                ["undionly.kpxe", "snponly.efi"] + configuration.bootPrograms.values.sorted(),
                "Debian's package ipxe has undionly.kpxe and snponly.efi, boot_programs names the others"
            ),
        ]
        if let directory = configuration.agentDirectoryARM64 {
            needed.append(("agent_image_arm64", directory, image, "`make agent` on an arm64 machine builds them"))
            if let grub = BootFiles.standard[.efiARM64], configuration.bootPrograms[.efiARM64] == nil {
                needed.append(
                    ("boot_files", configuration.bootFileDirectory, [grub], "`make boot-files` makes it, for arm64"))
            }
        }
        for (key, directory, files, remedy) in needed {
            let missing = files.filter { !FileManager.default.isReadableFile(atPath: directory + "/" + $0) }
            guard missing.isEmpty else {
                throw DaemonError("\(key): \(directory) has no \(missing.joined(separator: " and no ")); \(remedy)")
            }
        }
    }

    private static func served(
        _ subnet: Subnet, _ configuration: DaemonConfiguration, logger: Logger
    ) throws -> DHCPServer.Served {
        var files = BootFiles(bootPort: configuration.bootPort, programs: configuration.bootPrograms)
        files.firmwareTLSPort = configuration.firmwareHTTPS ? configuration.bootTLSPort : nil
        files.namesLogServer = configuration.syslogPort == 514
        guard subnet.givesAddresses else {
            return .init(responder: SubnetResponder(subnet, files: files), journal: nil)
        }
        // One journal for each subnet: a machine with NICs in two of them has a lease in each.
        let file = "leases-" + subnet.name.map { $0 == "/" ? "-" : "\($0)" }.joined()
        let (journal, leases) = try LeaseJournal.open("\(configuration.stateDirectory)/\(file).journal")
        logger.info("leases loaded", metadata: ["subnet": "\(subnet.name)", "leases": "\(leases.count)"])
        return .init(responder: SubnetResponder(subnet, files: files, leases: leases), journal: journal)
    }
}
