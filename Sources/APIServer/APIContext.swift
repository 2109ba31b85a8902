import Hummingbird
import Logging
import Machines
import NIOCore

/// What a request carries through its handlers.
struct APIContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Where the call came from, without the port.
    let remoteAddress: String
    /// Who calls, once the token was checked.
    var caller: AccessToken?

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        remoteAddress = source.channel.remoteAddress?.ipAddress ?? "unknown"
    }

    /// The name for the audit trail.
    var actor: String { caller?.name ?? "unknown" }
}
