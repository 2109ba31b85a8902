import FoundationEssentials
import Logging
import Machines
import NetworkAddresses
import ServiceLifecycle
import Store

/// Writes the milestones of boots into the trail. Bounded: a flood of made-up MACs costs a fixed amount of memory and writes.
public struct BootRecorder: Service {
    let store: any RecordStore
    let director: BootDirector
    let logger: Logger

    /// MACs whose boots are followed at once; the one unheard for longest makes room.
    static let capacity = 4096
    /// Milestones of unknown MACs written in a minute.
    static let unknownPerMinute = 240

    public init(store: any RecordStore, director: BootDirector, logger: Logger) {
        (self.store, self.director, self.logger) = (store, director, logger)
    }

    public func run() async throws {
        await cancelWhenGracefulShutdown {
            var trackers: [MACAddress: (tracker: BootTracker, heard: Date)] = [:]
            var macs: [IPv4Address: MACAddress] = [:]
            var minute = Date.distantPast
            var unknown = 0
            for await event in director.steps {
                // TFTP and HTTP know the address only; DHCP said whose it is.
                if let mac = event.mac, let address = event.stepAddress {
                    if macs.count >= Self.capacity { macs = [:] }
                    macs[address] = mac
                }
                guard let mac = event.mac ?? event.address.flatMap({ macs[$0] }) else { continue }
                if trackers[mac] == nil, trackers.count >= Self.capacity,
                    let oldest = trackers.min(by: { $0.value.heard < $1.value.heard })
                {
                    trackers[oldest.key] = nil
                }
                let reports = trackers[mac, default: (BootTracker(), event.time)].tracker.note(event)
                trackers[mac]?.heard = event.time
                guard !reports.isEmpty else { continue }
                let machine = director.machine(with: mac)
                if event.time.timeIntervalSince(minute) > 60 { (minute, unknown) = (event.time, 0) }
                if machine == nil {
                    unknown += reports.count
                    guard unknown <= Self.unknownPerMinute else { continue }
                }
                await write(reports, mac: mac, machine: machine, at: event.time)
            }
        }
    }

    private func write(_ reports: [BootTracker.Report], mac: MACAddress, machine: String?, at time: Date) async {
        do {
            try await store.transaction { transaction in
                for report in reports {
                    try transaction.put(
                        Event.now(
                            report.eventType, machine: machine, mac: mac, actor: "network-boot",
                            report.message,
                            details: report.details, at: time))
                }
            }
        } catch {
            logger.warning("a boot milestone was not recorded", metadata: ["mac": "\(mac)", "error": "\(error)"])
        }
    }
}

extension BootTraceEvent {
    /// The address that this step ties to its MAC.
    fileprivate var stepAddress: IPv4Address? {
        switch step {
        case .acknowledge(let address, _), .offer(let address, _): address ?? self.address
        case .discover, .request, .transferStarted, .transferFinished, .script: address
        }
    }
}
