import DHCP
import FoundationEssentials
import Inventory

/// What the boots of one NIC have shown of its firmware: which answers it follows, which programs it runs, which ways lead to its
/// disk. Pure: fed with every step, asked before every answer.
public struct BootHabits: Codable, Equatable, Sendable {
    /// The form of offer that was followed.
    public private(set) var proxyForm: ProxyForm?
    /// The kind of program that spoke, or the one to try since the other did not.
    public private(set) var program: BootProgram?
    /// Ways to the disk that led back to the network, and none since that led there.
    public private(set) var failedDiskMethods: [LocalDiskMethod] = []
    private var attempt = Attempt()

    /// What is under way, and not yet judged.
    private struct Attempt: Codable, Equatable, Sendable {
        var lastAt = Date.distantPast
        /// What the firmware asked as, first.
        var architecture: ClientArchitecture?
        var isIPv6: Bool?
        var form: ProxyForm?
        var formAt = Date.distantPast
        /// Fetched whole, and silent so far.
        var fetched: BootProgram?
        /// iPXE has spoken, and may repeat itself.
        var isIPXE = false
        /// It got its script: what it fetches now is no boot program. GRUB's script is a file, which is fetched behind its own step.
        var isScripted: Bool?
        var handed: LocalDiskMethod?
    }

    /// Seconds after which a machine that asks anew did not come from what it was told before.
    static let attemptSeconds: Double = 120
    /// Seconds within which firmware repeats itself whatever it is told.
    static let repeatSeconds: Double = 3

    public init() {}

    /// The same where the BMC was told: a server looks at its own memory for minutes before it asks anybody.
    static let powerOnSeconds: Double = 900

    public mutating func note(_ event: BootTraceEvent) {
        let patience = attempt.handed == .bmc ? Self.powerOnSeconds : Self.attemptSeconds
        if event.time.timeIntervalSince(attempt.lastAt) > patience { attempt = Attempt() }
        attempt.lastAt = event.time
        switch event.step {
        case .discover(.firmware, let architecture): firmware(architecture, isIPv6: event.isIPv6)
        case .discover(.ipxe, let architecture): ipxe(architecture)
        case .discover(.system, _), .request(.system): reachedDisk()
        case .offer(_, _, let form?):
            if attempt.form == nil || event.time.timeIntervalSince(attempt.formAt) >= Self.repeatSeconds {
                attempt.formAt = event.time
            }
            attempt.form = form
        case .transferStarted: followed()
        case .transferFinished(_, let file, _, _, _, let outcome):
            followed()
            guard outcome == "completed", event.step.stage == .program, attempt.isScripted != true else { return }
            let kind = Self.kind(ofFile: file)
            // GRUB that shim fetches is the second half of the chain.
            if kind != .grub || attempt.fetched != .signed { attempt.fetched = kind }
        case .script(let name): script(name)
        case .bootDevice(.disk):
            attempt = Attempt(lastAt: event.time)
            attempt.handed = .bmc
        // An agent that is to start the system has not done so yet.
        case .session where attempt.handed == .agentKexec: break
        case .bootDevice(.network), .session: attempt = Attempt()
        case .discover, .request, .offer, .acknowledge, .trouble, .console: break
        }
    }

    /// The form of the next offer: what worked, else one and then the other while nothing comes of them.
    func form(now: Date) -> ProxyForm {
        let known = proxyForm ?? .oneExchange
        guard let last = attempt.form else { return known }
        let silence = now.timeIntervalSince(attempt.formAt)
        if silence > Self.attemptSeconds { return known }
        return silence < Self.repeatSeconds ? last : last.other
    }

    /// The first way that has not failed; the first of all when every one has.
    func diskMethod(of ways: [LocalDiskMethod]) -> LocalDiskMethod? {
        ways.first { !failedDiskMethods.contains($0) } ?? ways.first
    }

    // MARK: Judging

    private mutating func firmware(_ architecture: ClientArchitecture?, isIPv6: Bool) {
        // UEFI goes through its boot options, PXE and HTTP by IPv4 and IPv6 among them: only the one it began with closes the circle.
        // Where the BMC was told, the network should not have been asked at all.
        let isSame = architecture == attempt.architecture && isIPv6 == attempt.isIPv6 ?? false
        if let method = attempt.handed, isSame || method == .bmc { failed(method) }
        if let fetched = attempt.fetched, attempt.handed == nil {
            // It was fetched, and the firmware is back: refused, or hung until somebody restarted the machine.
            program = fetched == .signed ? .standard : .signed
        }
        (attempt.fetched, attempt.isIPXE, attempt.isScripted) = (nil, false, nil)
        if attempt.architecture == nil { (attempt.architecture, attempt.isIPv6) = (architecture, isIPv6) }
    }

    private mutating func ipxe(_ architecture: ClientArchitecture?) {
        followed()
        if attempt.fetched != nil {
            program = .standard
            attempt.isIPXE = true
        } else if !attempt.isIPXE || attempt.handed == .bmc, let method = attempt.handed {
            // iPXE that nobody sent is the firmware (an option ROM), and it is back.
            failed(method)
        }
        attempt.fetched = nil
        if attempt.architecture == nil { attempt.architecture = architecture }
    }

    private mutating func followed() {
        guard let form = attempt.form else { return }
        proxyForm = form
        attempt.form = nil
    }

    private mutating func script(_ name: String) {
        // GRUB alone says nothing of shim, nor of iPXE.
        let isGRUBs = name.hasPrefix("grub-") || name == LocalDiskMethod.agentKexec.script
        if attempt.fetched == .signed, isGRUBs { program = .signed }
        (attempt.fetched, attempt.isIPXE, attempt.isScripted) = (nil, false, true)
        attempt.handed = LocalDiskMethod(script: name)
    }

    private mutating func failed(_ method: LocalDiskMethod) {
        attempt = Attempt(lastAt: attempt.lastAt)
        if !failedDiskMethods.contains(method) { failedDiskMethods.append(method) }
    }

    private mutating func reachedDisk() {
        guard let method = attempt.handed else { return }
        failedDiskMethods.removeAll { $0 == method }
        attempt.handed = nil
    }

    private static func kind(ofFile file: String) -> BootProgram {
        let name = file.split(separator: "/").last ?? ""
        return name.hasPrefix("shim") ? .signed : name.hasPrefix("grub") ? .grub : .standard
    }
}

extension LocalDiskMethod {
    /// `local-disk-exit-1`, or `grub-local-disk`: what the script is called in a trace.
    public var script: String { self == .grub ? "grub-local-disk" : "local-disk-" + rawValue }

    init?(script name: String) {
        guard let method = Self.allCases.first(where: { $0.script == name }) else { return nil }
        self = method
    }
}
