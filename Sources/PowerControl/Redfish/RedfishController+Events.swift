import FoundationEssentials
import Machines
import Redfish

extension RedfishController {
    /// What happens to a machine from now on: by server-sent events where the BMC has them (EventService, ServerSentEventUri), else, and from
    /// when that stream ends, by a look at its log at each interval. Ends with an error when the BMC does not answer any more.
    public func events(of bmc: BMCAccess, interval: Duration = .seconds(60)) -> AsyncThrowingStream<
        BMCLogEntry, any Error
    > {
        let feed = EventFeed(controller: self, bmc: bmc, interval: interval)
        let (stream, inbox) = AsyncThrowingStream.makeStream(
            of: BMCLogEntry.self, throwing: (any Error).self, bufferingPolicy: .bufferingOldest(Self.mostWaiting))
        // It ends with the stream, also with one that is dropped and not read to its end: the session at the BMC has to be deleted then.
        let reader = Task {
            do {
                while let entry = try await feed.next() {
                    guard case .dropped = inbox.yield(entry) else { continue }
                    throw BMCError(
                        address: bmc.address, doing: "follow events", reason: .nonsense, "it says more than can be read"
                    )
                }
                inbox.finish()
            } catch {
                await feed.close()
                inbox.finish(throwing: error)
            }
        }
        inbox.onTermination = { _ in reader.cancel() }
        return stream
    }

    /// Events that wait for whoever reads.
    private static let mostWaiting = 4096
}

/// The state between two events.
private actor EventFeed {
    private let controller: RedfishController
    private let bmc: BMCAccess
    private let interval: Duration
    private var waiting: [BMCLogEntry] = []
    private var source = Source.none

    private enum Source {
        case none
        case stream(Pump)
        case polling(EventLogFeed)
    }

    init(controller: RedfishController, bmc: BMCAccess, interval: Duration) {
        (self.controller, self.bmc, self.interval) = (controller, bmc, interval)
    }

    func next() async throws -> BMCLogEntry? {
        while waiting.isEmpty {
            switch source {
            case .none:
                source = try await Pump.open(controller, bmc).map(Source.stream) ?? log()
            case .stream(let pump):
                if let events = try await pump.next() {
                    waiting += events
                } else {
                    await pump.close()
                    try Task.checkCancellation()
                    source = log()
                }
            case .polling(let feed): return try await feed.next()
            }
        }
        return waiting.removeFirst()
    }

    /// Ends what is open at the BMC.
    func close() async {
        if case .stream(let pump) = source { await pump.close() }
    }

    /// What is in the log already is known.
    private func log() -> Source {
        let (controller, bmc) = (controller, bmc)
        return .polling(EventLogFeed(interval: interval) { try await controller.eventLog(of: bmc) })
    }
}

/// An open stream of server-sent events.
private actor Pump {
    private let session: RedfishSession
    private let bytes: AsyncThrowingStream<[UInt8], any Error>.Iterator
    private var parser = ServerSentEvents()

    private init(_ session: RedfishSession, _ bytes: AsyncThrowingStream<[UInt8], any Error>) {
        (self.session, self.bytes) = (session, bytes.makeAsyncIterator())
    }

    /// Nil when the BMC has no such stream, or does not give it.
    static func open(_ controller: RedfishController, _ bmc: BMCAccess) async throws -> Pump? {
        let session = RedfishSession(bmc, doing: "follow events", limits: controller.limits, judge: controller.judge)
        do {
            if let service = try await session.serviceRoot().eventService {
                let json = try await session.get(service).json
                if json["ServiceEnabled"]?.bool ?? true,
                    let path = json["ServerSentEventUri"]?.string.flatMap({ ResourcePath($0) })
                {
                    let (answer, stream) = try await session.stream(path)
                    if answer.status == 200 { return Pump(session, stream) }
                }
            }
        } catch let error as BMCError where error.reason == .refused || error.reason == .unsupported {
            // The log is looked at in its place.
        } catch {
            await session.close()
            throw error
        }
        await session.close()
        return nil
    }

    /// The next events; nil when the stream is over.
    func next() async throws -> [BMCLogEntry]? {
        do {
            var bytes = bytes
            while let part = try await bytes.next(isolation: self) {
                let events = try parser.receive(part).compactMap { try? JSON(parsing: $0) }
                    .flatMap { LogRecord.events(in: $0) }.map(BMCLogEntry.init)
                if !events.isEmpty { return events }
            }
        } catch is HTTPSError {
            // Cut: as good as ended.
        } catch is ServerSentEvents.TooLong {
            return nil
        }
        return nil
    }

    func close() async { await session.close() }
}
