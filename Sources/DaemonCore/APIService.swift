import APIServer
import ClusterMembership
import Controllers
import CoreMetrics
import Foundation
import ImageLibrary
import Logging
import NIOCore
import NetworkAddresses
import PrometheusMetrics
import ServiceLifecycle
import Store

/// The HTTPS server with what it needs.
struct APIService {
    let configuration: DaemonConfiguration
    let store: any RecordStore
    let controllers: ControllerSet
    let registry: StandaloneRegistry
    let images: Library
    let authority: CertificateAuthority
    let metrics: MetricsRegistry
    let logger: Logger
    let now: @Sendable () -> Date

    func service() throws -> any Service {
        let (boots, metrics, now) = (controllers.boots, metrics, now)
        let router = APIRouter(
            store: store, controllers: controllers, registry: registry, images: images,
            doctor: { [configuration, offerings = controllers.director.offerings] in
                await Doctor(configuration: configuration, offerings: offerings).examine()
            },
            metrics: {
                for (outcome, count) in boots.outcomes(now: now()) {
                    metrics.makeMeter(label: "boot.traces", dimensions: [("outcome", outcome)]).set(Int64(count))
                }
                return metrics.text
            }, version: Daemon.version, now: now)
        let tls = try authority.serverConfiguration(
            addresses: [configuration.address.description, "127.0.0.1"],
            names: ["localhost", ProcessInfo.processInfo.hostName], now: now())
        let (address, port) = (configuration.address.description, configuration.apiPort)
        return Listener(
            server: try router.server(
                address: address, port: port, connectionsPerAddress: configuration.apiConnectionsPerAddress, tls: tls,
                logger: logger), address: address,
            port: port)
    }

    /// The server, with words for an address that cannot be had. It goes ahead of the daemon's own work, for which nobody waits: behind a
    /// thousand machines' next steps even a new connection would wait for seconds.
    private struct Listener: Service {
        let server: any Service
        let address: String
        let port: Int

        func run() async throws {
            do {
                // Not a child task: those keep their parent's priority, whatever is asked for (Swift 6.3 on Linux).
                let task = Task(priority: .high) { [server] in try await server.run() }
                try await withTaskCancellationHandler {
                    try await task.value
                } onCancel: {
                    task.cancel()
                }
            } catch let error as IOError {
                throw DaemonError(
                    "the API cannot listen on \(address):\(port): \(error); `ss -tlpn sport = :\(port)` shows who does")
            }
        }
    }
}
