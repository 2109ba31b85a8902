import Logging
import ServiceLifecycle

/// Looks every second whose heartbeats stopped.
public struct HeartbeatMonitor: Service {
    private let registry: StandaloneRegistry
    private let logger: Logger

    public init(registry: StandaloneRegistry, logger: Logger) { (self.registry, self.logger) = (registry, logger) }

    public func run() async throws {
        try await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try await Task.sleep(for: .seconds(1))
                do {
                    try await registry.checkHeartbeats()
                } catch is CancellationError {
                    return
                } catch {
                    logger.warning("heartbeats could not be checked, will retry", metadata: ["error": "\(error)"])
                }
            }
        }
    }
}
