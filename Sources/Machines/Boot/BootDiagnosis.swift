import DHCP
import FoundationEssentials
import Inventory
import NetworkAddresses

/// Why a boot stopped: what was seen, what it means, what to try.
public struct BootDiagnosis: Codable, Equatable, Sendable {
    public enum Cause: String, Codable, Sendable, CaseIterable {
        case ignored, noProgram, noFreeAddress, addressInUse, refusedAddress, otherServer, offerNotFollowed, noTransfer
        case tlsRefused, tftpNegotiation, tftpStalled, fileMissing, scriptMissing, programSilent, secureBoot,
            grubElsewhere,
            noHTTP, noScript, noKernel
        case transferBroken, noAgent, loop
    }

    public let cause: Cause
    public let seen: String
    public let means: String
    public let attempt: String

    public init(_ cause: Cause, seen: String, means: String, attempt: String) {
        (self.cause, self.seen, self.means, self.attempt) = (cause, seen, means, attempt)
    }

    /// One line.
    public var summary: String { "\(seen): \(means); \(attempt)" }

    /// - Parameters:
    ///   - traces: the attempts of one machine, the newest last.
    ///   - now: decides whether a silence is long enough to mean something.
    /// - Returns: nil while a boot goes well, or is too young to tell.
    public static func of(_ traces: [BootTrace], now: Date) -> BootDiagnosis? {
        guard let trace = traces.last, trace.stage < .agent else { return nil }
        let evidence = BootEvidence(trace: trace, now: now)
        return certain(evidence) ?? loop(traces) ?? silent(evidence)
    }

    /// What was seen tells by itself.
    private static func certain(_ evidence: BootEvidence) -> BootDiagnosis? {
        for trouble in evidence.troubles.reversed() {
            switch trouble {
            case .ignored where evidence.stage < .offered:
                return .init(
                    .ignored, seen: "it asked for a boot file",
                    means:
                        "Slipway is not to serve it: it is unknown, denied, rejected or retired",
                    attempt: "set `unknown_machines: discover`, or accept the machine")
            case .noProgram(let architecture) where evidence.stage < .program:
                return .init(
                    .noProgram, seen: "it asked for a boot program for architecture \(architecture.rawValue)",
                    means: "there is none", attempt: "name one in `boot_programs`")
            case .noFreeAddress where evidence.stage < .offered:
                return .init(
                    .noFreeAddress, seen: "it asked for an address", means: "every address of its subnet is taken",
                    attempt: "make the pool larger; expired leases are given again")
            case .addressInUse(let address) where evidence.stage < .program || evidence.stage == .ipxe:
                return .init(
                    .addressInUse, seen: "it declined \(address)", means: "another device answers at that address",
                    attempt: "take the address out of the pool, or find the device")
            case .refusedAddress(let address, let reason) where evidence.stage < .addressed:
                return .init(
                    .refusedAddress, seen: "it asks for \(address)", means: reason,
                    attempt: "most firmware asks anew by itself; a static address in its setup does not")
            case .chose(let server) where evidence.stage < .program || evidence.stage == .ipxe:
                return .init(
                    .otherServer, seen: "it took the offer of \(server)",
                    means: "another DHCP server on this network answers before us, and names no boot file of ours",
                    attempt: "use mode proxy beside that server, or switch it off on this network")
            case .tls(let reason) where evidence.stage < .program:
                return .init(
                    .tlsRefused, seen: "it asked for its boot file over TLS, which failed: \(reason)",
                    means:
                        "the boot CA is not among the certificates of its firmware, or they have no cipher in common",
                    attempt: "add boot-ca.pem of the state directory to them, or set `firmware_https: false`")
            case .noHTTP where evidence.stage <= .ipxe:
                return .init(
                    .noHTTP, seen: "its iPXE says that it has no HTTP", means: "it cannot fetch its script",
                    attempt:
                        "boot another iPXE first: an older ROM is replaced when it boots undionly.kpxe or snponly.efi by PXE"
                )
            case .notFound where evidence.wentOn(after: trouble): continue
            case .notFound(_, let file) where file.hasPrefix("/boot/ipxe"):
                return .init(
                    .scriptMissing, seen: "it asked for \(file)", means: "no script has that address",
                    attempt: "look whether another DHCP server names the URL; ours is /boot/ipxe?mac=…")
            case .notFound(let transport, let file) where !evidence.isOptional(file):
                return .init(
                    .fileMissing, seen: "it asked for \(file) by \(transport.rawValue.uppercased())",
                    means: "there is no such file",
                    attempt: "put it into `boot_files`, or look which server names it")
            default: continue
            }
        }
        return evidence.brokenTransfer
    }

    /// The same end, again and again.
    private static func loop(_ traces: [BootTrace]) -> BootDiagnosis? {
        let stage = traces.last?.stage
        // A machine that was handed to its disk did what it should, however often it restarts.
        let alike = traces.reversed().prefix { $0.stage == stage && $0.stage >= .addressed && !$0.wasHandedOver }
        guard alike.count >= 3, let first = alike.last, let last = traces.last,
            last.lastAt.timeIntervalSince(first.startedAt) < 3600
        else { return nil }
        return .init(
            .loop, seen: "\(alike.count) attempts in a row ended at the same stage, \(last.stage)",
            means: "the machine boots in a circle", attempt: "look at its console; power it off if nobody needs it")
    }

    /// What did not come.
    private static func silent(_ evidence: BootEvidence) -> BootDiagnosis? {
        switch evidence.stage {
        case .silent, .agent: return nil
        case .asked, .offered:
            guard evidence.isSilent(for: 20), evidence.stage == .offered else { return nil }
            return .init(
                .offerNotFollowed, seen: "\(evidence.offers) offers and no word since",
                means:
                    "the firmware did not take the offer: it prefers another server's, drops this form of it, or never heard it",
                attempt:
                    "look for another DHCP or PXE server on this network, and whether the switch lets broadcasts through"
            )
        case .addressed:
            guard evidence.isSilent(for: 30) else { return nil }
            let isTLS = evidence.bootFile?.hasPrefix("https:") ?? false
            return .init(
                .noTransfer, seen: "it has its address and was told the boot file \(evidence.bootFile ?? "")",
                means: "it never asked for the file" + (isTLS ? ", as firmware without any CA certificate does" : ""),
                attempt: isTLS
                    ? "add boot-ca.pem of the state directory to its firmware's certificates, or set `firmware_https: false`"
                    : "look whether UDP 69 and TCP 8080 of this host can be reached from its network")
        case .program:
            guard evidence.isSilent(for: 60) else { return nil }
            return evidence.programSilence
        case .ipxe:
            guard evidence.isSilent(for: 60) else { return nil }
            return .init(
                .noScript, seen: "iPXE was told its script and did not fetch it",
                means: "it cannot reach the boot HTTP server",
                attempt: "look whether TCP 8080 of this host can be reached from its network")
        case .script:
            guard evidence.isSilent(for: 90),
                ["agent", "grub-agent", LocalDiskMethod.agentKexec.script].contains(evidence.trace.lastScript)
            else {
                return nil
            }
            return .init(
                .noKernel, seen: "it has its script", means: "it did not fetch the kernel",
                attempt: "look at its console: iPXE says why")
        case .kernel, .initrd:
            guard evidence.isSilent(for: 180) else { return nil }
            return .init(
                .noAgent,
                seen:
                    "it has the agent's kernel\(evidence.stage == .initrd ? " and initrd" : ", and not its initrd")",
                means: evidence.stage == .initrd ? "the agent opened no session" : "it stopped loading",
                attempt:
                    "look at its console: a NIC without driver or firmware, a VLAN, or too little memory is named there"
            )
        }
    }
}
