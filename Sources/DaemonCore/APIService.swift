import APIServer
import ClusterMembership
import Controllers
import Foundation
import ImageLibrary
import Logging
import NetworkAddresses
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
    let logger: Logger
    let now: @Sendable () -> Date

    func service() throws -> any Service {
        let router = APIRouter(
            store: store, machines: controllers.machines, agents: controllers.agents, catalog: controllers.catalog,
            registry: registry, images: images, board: controllers.board, version: Daemon.version, now: now)
        let tls = try authority.serverConfiguration(
            addresses: [configuration.address.description, "127.0.0.1"],
            names: ["localhost", ProcessInfo.processInfo.hostName], now: now())
        return try router.server(
            address: configuration.address.description, port: configuration.apiPort, tls: tls, logger: logger)
    }
}
