import APIModel
import DHCP
import Foundation
import Machines
import NIOCore
import NIOPosix
import NetworkAddresses
import NetworkBoot

/// Looks at what machines need of this host: addresses and links, files, its own services as a machine would ask them, other DHCP
/// servers, the clock, room on the disk.
struct Doctor: Sendable {
    typealias Finding = DoctorView.Finding

    let configuration: DaemonConfiguration
    let offerings: BootOfferings

    /// Takes some seconds: it waits for the answers of others.
    func examine() async -> [Finding] {
        let blocking = NIOThreadPool.singleton
        let own = try? await blocking.runIfActive { addresses() + links() + files() + services() + clock() + disk() }
        let interfaces = Set(configuration.subnets.filter { $0.mode != .off }.compactMap(\.interface)).sorted()
        let others = await withTaskGroup(of: [Finding].self) { group in
            for interface in interfaces {
                group.addTask { (try? await blocking.runIfActive { otherServers(on: interface) }) ?? [] }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        return (own ?? []) + others
    }

    private func addresses() -> [Finding] {
        let here = (try? System.enumerateDevices().compactMap { $0.address?.ipAddress }) ?? []
        let others = Set(configuration.networks6.map(\.server.description)).sorted().map {
            ("`server` of `dhcpv6`", $0)
        }
        return ([("`address`", configuration.address.description)] + others).map { key, address in
            guard !here.contains(address) else {
                return Finding(.ok, "address", "\(address) is an address of this host")
            }
            return Finding(
                .failed, "address", "\(address) is no address of this host; it has \(here.joined(separator: ", "))",
                attempt: "set \(key) to one that machines reach, or give it to an interface")
        }
    }

    private func links() -> [Finding] {
        let served = configuration.subnets.map(\.interface) + configuration.networks6.map(\.interface)
        return Set(served.compactMap { $0 }).sorted().map { interface in
            let path = "/sys/class/net/\(interface)"
            let check = "interface \(interface)"
            guard FileManager.default.fileExists(atPath: path) else {
                return Finding(.failed, check, "there is none", attempt: "see `ip link`; mend `interface` under `dhcp`")
            }
            let carrier = try? String(contentsOfFile: path + "/carrier", encoding: .utf8)
            guard carrier?.hasPrefix("1") ?? false else {
                return Finding(
                    .failed, check, "it is down or has no link",
                    attempt: "`ip link set \(interface) up`; look at cable and switch")
            }
            return Finding(.ok, check, "it has a link")
        }
    }

    private func files() -> [Finding] {
        var findings: [Finding] = []
        do {
            try BootServices.check(configuration)
            findings.append(Finding(.ok, "boot files", "boot programs, kernel and initrd are there"))
        } catch {
            findings.append(Finding(.failed, "boot files", "\(error)", attempt: "put them there"))
        }
        findings.append(
            offerings.signedChain
                ? Finding(.ok, "Secure Boot", "shimx64.efi and grubx64.efi are there")
                : Finding(
                    .warning, "Secure Boot", "\(configuration.bootFileDirectory) has no shimx64.efi or no grubx64.efi",
                    attempt: "`make boot-files` puts them there; machines in Secure Boot mode cannot boot without"))
        return findings
    }

    private func services() -> [Finding] {
        let address = configuration.address.description
        let file = BootFiles.standard[.efiX64] ?? "snponly.efi"
        let tftp = FetchProbe.tftp(file, at: address, port: configuration.tftpPort)
        let http = FetchProbe.http("/boot/files/\(file)", at: address, port: configuration.bootPort)
        return [
            ("TFTP, UDP \(configuration.tftpPort)", tftp), ("boot HTTP, TCP \(configuration.bootPort)", http),
        ].map { name, fault in
            fault.map {
                Finding(
                    .failed, name, "\(file) does not come: \($0)",
                    attempt: "look at the log of slipwayd, at firewalls of this host, and `ss -lpn`")
            } ?? Finding(.ok, name, "\(file) comes")
        }
    }

    private func otherServers(on interface: String) -> [Finding] {
        let check = "DHCP servers on \(interface)"
        let mode = configuration.subnets.first { $0.interface == interface }?.mode ?? .off
        do {
            return DoctorRules.judge(try DHCPProbe.ask(on: interface), check: check, mode: mode)
        } catch {
            return [
                Finding(
                    .warning, check, "not looked for: \(error)",
                    attempt: "stop the DHCP client that holds UDP 68 on this interface while you look")
            ]
        }
    }

    private func clock() -> [Finding] {
        let now = Date()
        let remedy = "start chrony or systemd-timesyncd: agents and installed systems take the time from here"
        // No daemon is older than this.
        guard now > Date(timeIntervalSince1970: 1_767_225_600) else {
            return [Finding(.failed, "clock", "this host believes that it is \(now)", attempt: remedy)]
        }
        let hardware = (try? String(contentsOfFile: "/sys/class/rtc/rtc0/since_epoch", encoding: .utf8)).flatMap {
            Double($0.prefix { $0.isNumber })
        }
        guard let hardware, abs(hardware - now.timeIntervalSince1970) > 120 else {
            return [Finding(.ok, "clock", "\(now)")]
        }
        let seconds = Int(hardware - now.timeIntervalSince1970)
        return [
            Finding(
                .warning, "clock", "the hardware clock differs from the system's by \(seconds) s", attempt: remedy)
        ]
    }

    private func disk() -> [Finding] {
        let directory = configuration.stateDirectory
        let facts = try? FileManager.default.attributesOfFileSystem(forPath: directory)
        guard let free = (facts?[.systemFreeSize] as? NSNumber)?.int64Value else { return [] }
        let words = "\(free >> 20) MiB are free in \(directory)"
        guard free > 2 << 30 else {
            return [Finding(.warning, "disk", words, attempt: "images and the store need room; make some")]
        }
        return [Finding(.ok, "disk", words)]
    }
}
