import DHCP
import FoundationEssentials
import Inventory
import Logging
import Machines
import NetworkAddresses
import Synchronization

/// Answers the boot services from memory: which machine has this MAC, and what its phase means for a boot.
public final class BootDirector: NetworkBootDirector {
    /// What the packet path knows of a machine.
    public struct Entry: Equatable, Sendable {
        public var machine: String
        public var uuid: SystemUUID?
        /// Nobody has said yet whether it is a machine of its own.
        public var isQuestioned: Bool
        /// Without what its profile says: that may change by itself.
        public var facts: BootFacts
        /// Name of its hardware profile.
        public var profile: String?

        public init(
            machine: String, uuid: SystemUUID? = nil, isQuestioned: Bool = false, facts: BootFacts, profile: String?
        ) {
            (self.machine, self.uuid, self.isQuestioned) = (machine, uuid, isQuestioned)
            (self.facts, self.profile) = (facts, profile)
        }
    }

    /// Steps of unknown MACs taken in a hundredth of a second: a thousand machines powering on at once, and little for a flood.
    /// Counted so finely that a burst never holds up the packets behind it.
    static let unknownPerTick = 10
    /// Steps told by one address alone, in as long: what TFTP, HTTP and syslog say of it.
    static let perAddressAndTick = 10

    private struct Budget {
        var tick = 0
        var steps = 0
        var byAddress: [IPv4Address: Int] = [:]
    }

    private struct State {
        /// One for each MAC, as a rule; more where machines were seen with the same NIC or adapter.
        var byMAC: [MACAddress: [Entry]] = [:]
        var macs: [String: [MACAddress]] = [:]
        var budget = Budget()

        mutating func forget(_ machine: String) {
            for mac in macs.removeValue(forKey: machine) ?? [] {
                byMAC[mac]?.removeAll { $0.machine == machine }
                if byMAC[mac]?.isEmpty ?? false { byMAC[mac] = nil }
            }
        }
    }

    private let state = Mutex(State())
    let installation: Installation
    /// Kernel arguments of every agent.
    private let common: Result<[KernelArgument], KernelArgumentError>
    private let tickets: TicketOffice
    private let book: BootBook
    private let profiles: ProfileBook
    private let starts: NetworkStarts?
    private let now: @Sendable () -> Date
    private let logger: Logger
    private let trace: AsyncStream<Step>.Continuation
    /// Steps of boots for the recorder. Under a flood the oldest are dropped.
    let steps: AsyncStream<Step>

    struct Step: Sendable {
        var event: BootTraceEvent
        /// The machine whose step it is, where who told it knows.
        var machine: String?
    }

    public init(
        installation: Installation, tickets: TicketOffice, book: BootBook, profiles: ProfileBook,
        starts: NetworkStarts? = nil, logger: Logger, now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.starts = starts
        (self.installation, self.tickets, self.book) = (installation, tickets, book)
        (self.profiles, self.logger, self.now) = (profiles, logger, now)
        common = Result { () throws(KernelArgumentError) in try Self.common(to: installation) }
        (steps, trace) = AsyncStream.makeStream(of: Step.self, bufferingPolicy: .bufferingNewest(4096))
    }

    /// What there is to boot beside iPXE.
    public var offerings: BootOfferings { installation.offerings }

    public func instruction(for client: BootClient) -> BootInstruction {
        BootPolicy.instruct(
            client, facts: facts(of: entry(client)), habits: book.habits(of: client.mac),
            admission: installation.admission, offerings: installation.offerings, now: now())
    }

    public func script(for client: BootClient) -> BootScript {
        let entry = entry(client)
        switch instruction(for: client).action {
        case .localDisk:
            // GRUB can do little else, and iPXE has no way to give GRUB what it needs of the firmware.
            var offerings = installation.offerings
            if client.stage == .ipxe { offerings.grub = false }
            var method = BootPolicy.diskMethod(
                isUEFI: client.architecture?.isUEFI ?? false, facts: facts(of: entry),
                habits: book.habits(of: client.mac), offerings: offerings)
            if client.stage == .grub, method != .agentKexec { method = .grub }
            guard method != .agentKexec else { return agent(for: client, entry, toDisk: true) }
            return .localDisk(method, volume: entry?.facts.bootVolume)
        case .ignore:
            return .refuse(
                "Slipway does not serve \(client.mac): it is rejected, retired, denied, or unknown")
        case .agent:
            if let entry, entry.facts.phase == .installing,
                let start = starts?.script(of: entry.machine, for: client)
            {
                return .installer(start)
            }
            return agent(for: client, entry, toDisk: false)
        }
    }

    public func initrd(_ token: String, for address: IPv4Address?) async -> [InitrdPart]? {
        await starts?.initrd(token, for: address)
    }

    private func agent(for client: BootClient, _ entry: Entry?, toDisk: Bool) -> BootScript {
        guard let architecture = AgentArchitecture(client.architecture) else {
            return .refuse("there is no agent for the architecture \(client.architecture?.rawValue ?? 0) of option 93")
        }
        guard installation.offerings.agents.contains(architecture) else {
            return .refuse(
                "this Slipway has no agent for \(architecture.rawValue): its agent_image_\(architecture.rawValue) is not set"
            )
        }
        do {
            return .agent(
                try arguments(for: client, ticket: tickets.issue(to: client, at: now())) + installation.agentArguments
                    + (profile(of: entry)?.agentArguments ?? []), toDisk: toDisk)
        } catch {
            logger.error("no kernel arguments", metadata: ["mac": "\(client.mac)", "error": "\(error)"])
            return .refuse("Slipway could not make the kernel arguments; see the log of slipwayd")
        }
    }

    private func profile(of entry: Entry?) -> HardwareProfile? {
        entry?.profile.flatMap { profiles.profile(named: $0) }
    }

    /// What is known of the machine, with what its profile says.
    private func facts(of entry: Entry?) -> BootFacts? {
        guard var facts = entry?.facts, let profile = profile(of: entry) else { return entry?.facts }
        facts.takesKexec = facts.takesKexec && profile.kexec
        facts.preferences = profile.boot
        return facts
    }

    public func record(_ event: BootTraceEvent) {
        guard isWithinBudget(event) else { return }
        trace.yield(Step(event: event))
    }

    /// A step of a machine that may be so new that the index, which follows the store, does not have it yet.
    func record(_ event: BootTraceEvent, of machine: String) { trace.yield(Step(event: event, machine: machine)) }

    private func isWithinBudget(_ event: BootTraceEvent) -> Bool {
        state.withLock { state in
            if let mac = event.mac, state.byMAC[mac] != nil { return true }
            let tick = Int(event.time.timeIntervalSince1970 * 100)
            if state.budget.tick != tick { state.budget = Budget(tick: tick) }
            guard event.mac != nil else {
                guard let address = event.address else { return true }
                state.budget.byAddress[address, default: 0] += 1
                return state.budget.byAddress[address, default: 0] <= Self.perAddressAndTick
            }
            state.budget.steps += 1
            return state.budget.steps <= Self.unknownPerTick
        }
    }

    /// The machine with this MAC.
    func machine(with mac: MACAddress) -> String? { entry(BootClient(mac: mac, stage: .system))?.machine }

    /// Takes over what the store says of a machine.
    func update(_ entry: Entry, macs: [MACAddress]) {
        state.withLock { state in
            state.forget(entry.machine)
            state.macs[entry.machine] = macs
            for mac in macs { state.byMAC[mac, default: []].append(entry) }
        }
    }

    func remove(_ machine: String) {
        state.withLock { $0.forget(machine) }
    }

    /// Of several machines with one MAC the one whose UUID the client tells; else the one that is there by right, and has been for longer.
    func entry(_ client: BootClient) -> Entry? {
        let entries = state.withLock { $0.byMAC[client.mac] } ?? []
        guard entries.count > 1 else { return entries.first }
        let told = client.uuid.flatMap { uuid in entries.first { $0.uuid.map(uuid.isSame) ?? false } }
        func order(_ entry: Entry) -> (Int, Int, String) {
            (entry.isQuestioned ? 1 : 0, entry.facts.phase == .discovered ? 1 : 0, entry.machine)
        }
        return told ?? entries.min { order($0) < order($1) }
    }

    private static func common(to installation: Installation) throws(KernelArgumentError) -> [KernelArgument] {
        var arguments = [
            try KernelArgument("slipway.server", installation.apiURL),
            try KernelArgument("slipway.ca", installation.certificateAuthorityPin),
        ]
        if let syslog = installation.syslog { arguments.append(try KernelArgument("slipway.syslog", syslog)) }
        return arguments
    }

    private func arguments(for client: BootClient, ticket: String) throws(KernelArgumentError) -> [KernelArgument] {
        var arguments = try common.get()
        arguments.append(KernelArgument(made: "slipway.ticket", ticket))
        arguments.append(KernelArgument(made: "slipway.mac", client.mac.description))
        if let address = client.address { arguments.append(KernelArgument(made: "slipway.address", "\(address)")) }
        return arguments
    }
}
