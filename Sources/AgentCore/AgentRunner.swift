import APIModel
import Crypto
import FoundationEssentials
import Inventory
import Machines
import NetworkAddresses
import Synchronization

/// The agent's life in one boot: a session, the hardware report, orders, and the way out.
public struct AgentRunner: Sendable {
    let client: DaemonClient
    let ticket: String
    let mac: MACAddress
    let machine: any MachineControl

    public init(client: DaemonClient, ticket: String, mac: MACAddress, machine: any MachineControl) {
        (self.client, self.ticket, self.mac, self.machine) = (client, ticket, mac, machine)
    }

    /// Returns only when the session is over or the machine was left; a real machine restarts then.
    public func run() async throws {
        let identity = machine.identity()
        let session = try await AgentSessionClient.open(
            client,
            SessionRequest(
                ticket: ticket, mac: mac, machine: identity.machine, bootID: identity.bootID,
                agentVersion: Version.current,
                uptimeSeconds: Console.uptime))
        Console.say("session \(session.reply.session): this is \(session.reply.name)")
        var news = machine.news
        let hardware = try await readHardware()
        try await session.report(hardware)
        Console.say("hardware reported: \(hardware.summary)")
        var idleSince = Console.uptime
        while true {
            guard let signed = try await session.nextOrder() else {
                if session.reply.idleSeconds > 0, Console.uptime - idleSince > Double(session.reply.idleSeconds) {
                    Console.say("no order for \(session.reply.idleSeconds) seconds: powering off")
                    return machine.powerOff()
                }
                let newest = machine.news
                if newest != news, try await session.report(news: try await readHardware()) { news = newest }
                continue
            }
            if try await carryOut(signed, session) { return }
            idleSince = Console.uptime
        }
    }

    private func readHardware() async throws -> HardwareReport {
        let machine = machine
        return try await AgentThread.perform("hardware") { machine.hardware() }
    }

    /// True when the machine is to be left.
    private func carryOut(_ signed: SignedOrder, _ session: AgentSessionClient) async throws -> Bool {
        // An order that is not readable has no id: its refusal is told on the console only.
        let order: Order
        do {
            order = try signed.verified(by: session.orderKey)
        } catch {
            Console.say("order refused: \(error)")
            let id = (try? JSONDecoder().decode(Order.self, from: signed.payload))?.id
            if let id { try await session.finish(OrderResult(outcome: .refused(error)), order: id) }
            return false
        }
        do {
            // Read again: what counts is this machine now, not what it was when it reported.
            let hardware = try await readHardware()
            try OrderVerifier.check(order, on: hardware, now: session.now)
            switch order.task {
            case .reboot:
                try await session.finish(OrderResult(outcome: .succeeded(entry: "reboot")), order: order.id)
                machine.reboot()
                return true
            case .powerOff:
                try await session.finish(OrderResult(outcome: .succeeded(entry: "powerOff")), order: order.id)
                machine.powerOff()
                return true
            case .shell(let shell):
                try await session.finish(try await hold(shell, order: order, session), order: order.id)
                return false
            case .setUpBMC(let user):
                try await session.finish(await setUpBMC(user, order: order), order: order.id)
                return false
            case .install(let install):
                let disk = try OrderVerifier.disk(install.disk, among: hardware.disks)
                return try await self.install(install, on: disk, order: order, session)
            case .runInstaller(let installer):
                let disk = try OrderVerifier.disk(installer.disk, among: hardware.disks)
                return try await run(installer, for: disk, order: order, session)
            case .startInstaller(let start):
                let disk = try OrderVerifier.disk(start.disk, among: hardware.disks)
                Console.say("order \(order.id): restarting for the installer of \(start.release), for \(disk.summary)")
                let machine = machine
                return try await leave(for: "the installer", order, session) { _ in
                    (.network, try machine.startFromNetwork())
                }
            case .wipe(let wipe):
                let result = try await self.wipe(wipe, hardware, order: order, session)
                // What is on the disks now is known before anything is installed on them.
                try await session.report(try await readHardware())
                try await session.finish(result, order: order.id)
                return false
            case .start(let system):
                let disk = try OrderVerifier.disk(system.disk, among: hardware.disks)
                return try await start(system, on: disk, order: order, session)
            }
        } catch let refusal as OrderRefusal {
            Console.say("order \(order.id) refused: \(refusal)")
            try await session.finish(OrderResult(outcome: .refused(refusal)), order: order.id)
            guard case .start = order.task else { return false }
            machine.reboot()
            return true
        }
    }

    private func wipe(
        _ wipe: WipeOrder, _ hardware: HardwareReport, order: Order, _ session: AgentSessionClient
    ) async throws -> OrderResult {
        // Every disk is found before the first is touched.
        let disks = try wipe.disks.map { ($0, try OrderVerifier.disk($0.disk, among: hardware.disks)) }
        Console.say("order \(order.id): erasing \(disks.map(\.1.summary).joined(separator: ", "))")
        let reporter = ProgressReporter(session: session, order: order.id)
        let machine = machine
        machine.setClock(session.now)
        let outcome = try await reporter.during {
            try await AgentThread.perform("wipe") {
                machine.wipe(wipe, disks.map(\.1)) {
                    reporter.note(OrderProgress(step: .erasing, disks: $0))
                }
            }
        }
        let failures =
            outcome.disks.compactMap { disk -> String? in
                guard case .failed(let reason) = disk.outcome else { return nil }
                return reason
            } + outcome.failures
        for disk in outcome.disks where disk.outcome == .erased {
            Console.say(
                "\(disk.serial ?? disk.wwn ?? disk.path): erased by \(disk.method?.rawValue ?? "nothing"), \(disk.readBack?.finding ?? "")"
            )
        }
        for failure in failures { Console.say("not erased: \(failure)") }
        // The daemon knows what the disks hold before it knows that the order is done. The result is sent in any case.
        _ = try? await session.report(news: try await readHardware())
        return failures.isEmpty
            ? OrderResult(outcome: .succeeded(entry: "none"), facts: outcome.facts, disks: outcome.disks)
            : OrderResult(
                outcome: .failed(failures.joined(separator: "; ")), facts: outcome.facts, disks: outcome.disks)
    }

    /// Its time runs from the order's beginning, whenever it came.
    private func hold(
        _ shell: ShellOrder, order: Order, _ session: AgentSessionClient
    ) async throws -> OrderResult {
        let seconds = order.issuedAt.addingTimeInterval(shell.seconds).timeIntervalSince(session.now)
        Console.say("order \(order.id): a rescue shell for \(Int(max(0, seconds))) seconds")
        machine.setClock(session.now)
        do {
            let line = try ShellLine(
                machine.shell, named: session.reply.name, for: .seconds(max(0, seconds)), reach: .everyChild)
            let end = try await ShellCarrier(line: line, session: session, order: order.id).run()
            Console.say("the rescue shell ended: \(end)")
            return OrderResult(outcome: .succeeded(entry: "none"), facts: ["end": end])
        } catch let error as InstallError {
            Console.say("no rescue shell: \(error)")
            return OrderResult(outcome: .failed("\(error)"))
        }
    }

    private func setUpBMC(_ user: BMCUserOrder, order: Order) async -> OrderResult {
        Console.say("order \(order.id): making the BMC user \(user.username)")
        let machine = machine
        do {
            let facts = try await AgentThread.perform("bmc") { try machine.setUpBMC(user) }
            return OrderResult(outcome: .succeeded(entry: "none"), facts: facts)
        } catch {
            Console.say("the BMC has no user of ours: \(error)")
            return OrderResult(outcome: .failed("\(error)"))
        }
    }

    /// Nobody waits for an agent that cannot start the system: the firmware asks again, and is told another way.
    private func start(
        _ system: InstalledSystem, on disk: Disk, order: Order, _ session: AgentSessionClient
    ) async throws -> Bool {
        Console.say("order \(order.id): starting the system on \(disk.summary)")
        let machine = machine
        do {
            try await AgentThread.perform("kexec") { try machine.load(system, on: disk) }
        } catch {
            Console.say("no kexec, restarting through firmware: \(error)")
            try await session.finish(OrderResult(outcome: .failed("\(error)")), order: order.id)
            machine.reboot()
            return true
        }
        try await session.finish(
            OrderResult(outcome: .succeeded(entry: EntryWay.kexec.rawValue)), order: order.id)
        machine.enter(.kexec)
        return true
    }

    /// Leaves for a system's own installer. What becomes of it that says itself, and so does the system.
    private func run(
        _ installer: InstallerOrder, for disk: Disk, order: Order, _ session: AgentSessionClient
    ) async throws -> Bool {
        Console.say("order \(order.id): entering the installer of \(installer.release), for \(disk.summary)")
        let machine = machine
        return try await leave(for: "the installer", order, session) { progress in
            (.kexec, try machine.load(installer, for: disk, progress: progress))
        }
    }

    private func install(
        _ install: InstallOrder, on disk: Disk, order: Order, _ session: AgentSessionClient
    ) async throws -> Bool {
        Console.say("order \(order.id): installing \(install.release) on \(disk.summary)")
        let machine = machine
        return try await leave(for: "the installed system", order, session) { progress in
            let (entry, facts) = try machine.install(install, on: disk, progress: progress)
            Console.say("installed and verified")
            return (entry, facts)
        }
    }

    /// Does the work after which the machine is another system's, tells the daemon, and goes.
    /// - Returns: false when the work failed, and the agent stays.
    private func leave(
        for system: String, _ order: Order, _ session: AgentSessionClient,
        after work: @escaping @Sendable (@escaping InstallProgress) throws -> (EntryWay, [String: String])
    ) async throws -> Bool {
        machine.setClock(session.now)
        let reporter = ProgressReporter(session: session, order: order.id)
        do {
            let (entry, facts) = try await reporter.during {
                try await AgentThread.perform(order.id) {
                    try work { step, bytes, total in
                        reporter.note(OrderProgress(step: step, bytes: bytes, totalBytes: total))
                    }
                }
            }
            let told = facts.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
            Console.say("ready to leave for \(system); \(told)")
            // Only an acknowledged result lets the agent go: nobody else can tell what became of the disk.
            try await session.finish(
                OrderResult(outcome: .succeeded(entry: entry.rawValue), facts: facts), order: order.id)
            Console.say("entering \(system) by \(entry.rawValue)")
            machine.enter(entry)
            return true
        } catch let over as AgentSessionClient.Over {
            throw over
        } catch {
            Console.say("failed on the way to \(system): \(error)")
            try await session.finish(OrderResult(outcome: .failed("\(error)")), order: order.id)
            return false
        }
    }
}
