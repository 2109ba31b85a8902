import DHCP
import FoundationEssentials

/// What a trace holds, as questions that a diagnosis asks.
struct BootEvidence {
    let trace: BootTrace
    let now: Date

    /// The furthest stage. That iPXE asks is far for one that was fetched, and the beginning for one in a NIC's ROM: what counts is how far
    /// its own question came.
    var stage: BootTrace.Stage {
        guard trace.stage == .ipxe,
            let asked = trace.entries.lastIndex(where: {
                if case .discover(.ipxe, _) = $0.step { true } else { false }
            })
        else { return trace.stage }
        return trace.entries[asked...].map { entry in
            switch entry.step {
            case .acknowledge, .request(.ipxe): .ipxe
            case .offer: .offered
            default: .asked
            }
        }.max() ?? .asked
    }

    var troubles: [BootTrouble] {
        trace.entries.compactMap { if case .trouble(let trouble) = $0.step { trouble } else { nil } }
    }

    /// Nothing has been heard for so many seconds.
    func isSilent(for seconds: Double) -> Bool { now.timeIntervalSince(trace.lastAt) >= seconds }

    var offers: Int {
        trace.entries.reduce(0) { sum, entry in if case .offer = entry.step { sum + entry.count } else { sum } }
    }

    /// The boot file that was named last.
    var bootFile: String? {
        trace.entries.reversed().lazy.compactMap { entry -> String? in
            switch entry.step {
            case .acknowledge(_, let file), .offer(_, let file, _): file
            default: nil
            }
        }.first
    }

    var isUEFI: Bool {
        trace.entries.contains { entry in
            if case .discover(_, let architecture?) = entry.step { architecture.isUEFI } else { false }
        }
    }

    /// Another server gives the address.
    private var isProxied: Bool {
        trace.entries.contains { if case .offer(address: nil, file: _?, form: _) = $0.step { true } else { false } }
    }

    /// Boot programs that were fetched whole, in order.
    private var programs: [String] {
        trace.entries.compactMap { entry in
            guard case .transferFinished(_, let file, _, _, _, _) = entry.step, entry.step.stage == .program else {
                return nil
            }
            return file.split(separator: "/").last.map(String.init)
        }
    }

    /// The authorities behind a program's signatures, as they are in the file that was sent.
    private func signers(of program: String) -> [String] {
        trace.entries.reversed().lazy.compactMap { entry in
            guard case .transferStarted(_, let file, let signers) = entry.step,
                file.split(separator: "/").last.map(String.init) == program
            else { return nil }
            return signers
        }.first ?? []
    }

    private func signature(of program: String?) -> String {
        let names = program.map { signers(of: $0) } ?? []
        return names.isEmpty ? "" : ", which \(names.joined(separator: " and ")) signed"
    }

    /// Names that signed shim and GRUB ask for and can do without.
    func isOptional(_ file: String) -> Bool {
        let name = file.split(separator: "/").last.map(String.init) ?? file
        return name.hasPrefix("revocations") || name.hasPrefix("shim_certificate") || name.hasSuffix(".lst")
            || name.hasPrefix("grub.cfg")
    }

    /// The boot came further after this trouble: newer iPXE, for one, looks for an autoexec.ipxe that need not be there.
    func wentOn(after trouble: BootTrouble) -> Bool {
        guard let index = trace.entries.lastIndex(where: { $0.step == .trouble(trouble) }) else { return false }
        return trace.entries[index...].contains { $0.step.stage >= .program }
    }

    /// A transfer that ended before its file did, when nothing came after it.
    var brokenTransfer: BootDiagnosis? {
        guard let entry = trace.entries.last,
            case .transferFinished(let transport, let file, _, _, let repeated, let outcome) = entry.step
        else { return nil }
        let seen = "\(file) by \(transport.rawValue.uppercased()) \(outcome)"
        if outcome == "timed out at block 0" {
            return .init(
                .tftpNegotiation, seen: seen, means: "the client did not answer the options we acknowledged",
                attempt: "look for a firewall or NAT that drops answers from ports other than 69")
        }
        if outcome.hasPrefix("timed out") {
            return .init(
                .tftpStalled, seen: "\(seen), \(repeated) blocks sent again",
                means: "packets are lost on the way, or the client crashed",
                attempt:
                    "look at its console, and at the link, its duplex and MTU: blocks of 1468 bytes need an MTU of 1500"
            )
        }
        guard outcome.hasPrefix("broken off") else { return nil }
        return .init(
            .transferBroken, seen: seen, means: "the client closed the connection or vanished",
            attempt: "look at its console: too little memory for the file, a restart, or a lost link")
    }

    /// A program was fetched, and nothing came of it.
    var programSilence: BootDiagnosis {
        let names = programs
        if names.contains(where: { $0.hasPrefix("shim") }), names.count == names.filter({ $0.hasPrefix("shim") }).count
        {
            return .init(
                .secureBoot, seen: "it fetched shim and nothing after it",
                means:
                    "Secure Boot refused shim\(signature(of: names.last)): the firmware's db does not hold that CA, or dbx or SBAT revokes this shim",
                attempt: "allow the third-party CA in the firmware's setup, or use a newer shim")
        }
        if let name = names.last, name.hasPrefix("grub") {
            return isProxied
                ? .init(
                    .grubElsewhere, seen: "it fetched \(name) beside another server's address, and no configuration",
                    means: "GRUB asks the server that gave the address, not this one, and will ask for ever",
                    attempt:
                        "point that server's next-server (siaddr) at this host, or give the address from here (mode pool or reservation)"
                        + (name == "grubaa64.efi" ? "; `make boot-files SERVER=…` makes one that asks here" : "")
                )
                : .init(
                    .programSilent, seen: "it fetched \(name), and no configuration",
                    means: "GRUB does not reach this server: it may have no driver for this NIC, or no HTTP"
                        + (signers(of: name).isEmpty ? "; or Secure Boot refuses it, since nobody signed it" : ""),
                    attempt: "look at its console; GRUB by TFTP needs PXE, not UEFI HTTP boot")
        }
        guard isUEFI, let name = names.last, name.hasSuffix(".efi") else {
            return .init(
                .programSilent, seen: "it fetched \(names.last ?? "its boot program")",
                means: "the program said nothing since",
                attempt: "look at its console: a driver that hangs, or a program for another architecture")
        }
        return .init(
            .secureBoot,
            seen:
                "it fetched \(name)\(names.count > 1 ? " \(names.count) times" : ""), and iPXE never asked for its script",
            means: signers(of: name).isEmpty
                ? "Secure Boot is on and refuses a program that nobody signed, or the program hangs in its NIC driver"
                : "Secure Boot is on and refuses it\(signature(of: name)): the firmware's db does not hold that CA, or dbx revokes the program; or it hangs in its NIC driver",
            attempt:
                "restart it: by PXE it is now given shim and GRUB, if boot_files has shimx64.efi; its console says `Access Denied` or `Security Violation`"
        )
    }
}
