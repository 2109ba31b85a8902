import FoundationEssentials
import Logging
import Machines
import NetworkAddresses
import ServiceLifecycle
import Store

/// Keeps the traces of boots, and writes their milestones into the trail. Bounded: a flood of made-up MACs costs a fixed amount of
/// memory and writes.
public struct BootRecorder: Service {
    let store: any RecordStore
    let director: BootDirector
    let book: BootBook
    let consoles: ConsoleHub
    let logger: Logger
    private let moves = Allowance(burst: 10, oneEach: 300)

    /// Addresses whose MAC is remembered.
    static let capacity = 4096
    /// Milestones of unknown MACs written in a minute.
    static let unknownPerMinute = 240

    init(
        store: any RecordStore, director: BootDirector, book: BootBook, consoles: ConsoleHub, logger: Logger
    ) {
        (self.store, self.director, self.book, self.logger) = (store, director, book, logger)
        self.consoles = consoles
    }

    /// What an earlier start learnt; before anybody is answered, since answers follow from it.
    public func load() async throws { book.load(try await kept()) }

    public func run() async throws {
        await cancelWhenGracefulShutdown {
            var macs = RecentTable<IPv4Address, MACAddress>(generation: Self.capacity)
            var minute = Date.distantPast
            var unknown = 0
            var plugs = RecentTable<Plug, String>(generation: Self.capacity)
            for await step in director.steps {
                let event = step.event
                // TFTP and HTTP know the address only; DHCP said whose it is.
                if let mac = event.mac, let address = event.stepAddress { macs.put(mac, for: address) }
                guard let mac = event.mac ?? event.address.flatMap({ macs[$0] }) else { continue }
                let (reports, isNews, isFirst) = book.note(event, of: mac)
                let machine = step.machine ?? director.machine(with: mac)
                if let machine, event.step.isOfBoot { consoles.noteBoot(machine, isFirst: isFirst, at: event.time) }
                if let machine, let location = book.traces(of: mac).last?.location {
                    let plug = Plug(machine: machine, mac: mac)
                    // One that says another thing each time is believed now and then.
                    if plugs[plug] != location, moves.take(machine, at: event.time) == nil,
                        await note(location, of: plug, at: event.time)
                    {
                        plugs.put(location, for: plug)
                    }
                }
                guard !reports.isEmpty || (machine != nil && isNews && event.step.isWorthKeeping) else { continue }
                if event.time.timeIntervalSince(minute) > 60 { (minute, unknown) = (event.time, 0) }
                if machine == nil {
                    unknown += reports.count
                    guard unknown <= Self.unknownPerMinute else { continue }
                }
                await write(reports, mac: mac, machine: machine, at: event.time)
            }
        }
    }

    /// A NIC of a machine, which is plugged in somewhere.
    private struct Plug: Hashable {
        var machine: String
        var mac: MACAddress
    }

    /// Writes down where a relay says that a machine is plugged in.
    /// - Returns: whether that is known now.
    private func note(_ location: String, of plug: Plug, at time: Date) async -> Bool {
        do {
            try await store.transaction { transaction in
                guard var machine = try await transaction.get(Machine.self, plug.machine) else { return }
                let (isNew, former) = machine.note(relay: location, of: plug.mac, at: time)
                guard isNew else { return }
                try transaction.put(machine)
                guard let former else { return }
                try transaction.put(
                    Event.now(
                        .machineChanged, machine: machine.id, mac: plug.mac, actor: "network-boot",
                        "\(machine.name): plugged in at \(location), by a relay's word; formerly at \(former)",
                        details: ["from": former, "to": location], at: time))
            }
            return true
        } catch {
            logger.warning(
                "where a machine is plugged in was not recorded", metadata: ["mac": "\(plug.mac)", "error": "\(error)"])
            return false
        }
    }

    /// What an earlier start left. A trace that cannot be read, such as another version's, is no reason not to start: it goes.
    func kept() async throws -> [BootRecord] {
        var records: [BootRecord] = []
        for record in try await store.list(kind: BootRecord.kind).records {
            do {
                records.append(try JSONDecoder().decode(BootRecord.self, from: Data(record.value)))
            } catch {
                logger.warning("an old boot trace is dropped", metadata: ["record": "\(record.key)"])
                _ = try await store.commit([.delete(record.key, expecting: .any)])
            }
        }
        return records
    }

    private func write(_ reports: [BootTracker.Report], mac: MACAddress, machine: String?, at time: Date) async {
        let record = machine.map { BootRecord(machine: $0, traces: book.traces(of: mac), habits: book.habits(of: mac)) }
        do {
            try await store.transaction { transaction in
                for report in reports {
                    try transaction.put(
                        Event.now(
                            report.eventType, machine: machine, mac: mac, actor: "network-boot",
                            report.message,
                            details: report.details, at: time))
                }
                if let record {
                    // Read, so that the write replaces what an earlier step left.
                    _ = try await transaction.get(BootRecord.self, record.id)
                    try transaction.put(record)
                }
            }
        } catch {
            logger.warning("a boot milestone was not recorded", metadata: ["mac": "\(mac)", "error": "\(error)"])
        }
    }
}

extension BootTraceEvent.Step {
    /// An installed system that asks for its address again and again is not booting.
    fileprivate var isOfBoot: Bool {
        switch self {
        case .discover(let stage, _): stage != .system
        case .transferStarted, .transferFinished, .script, .session: true
        default: false
        }
    }

    /// The end of a boot, or why there is none: kept for a known machine though it is no milestone.
    fileprivate var isWorthKeeping: Bool {
        switch self {
        case .session, .trouble, .bootDevice: true
        default: false
        }
    }
}

extension BootTraceEvent {
    /// The address that this step ties to its MAC.
    fileprivate var stepAddress: IPv4Address? {
        switch step {
        case .acknowledge(let address, _), .offer(let address, _, _): address ?? self.address
        case .discover, .request, .transferStarted, .transferFinished, .script, .console, .bootDevice, .session,
            .trouble:
            address
        }
    }
}
