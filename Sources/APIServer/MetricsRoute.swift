import Controllers
import HTTPTypes
import Hummingbird

/// `/metrics`, as Prometheus asks for it; for holders of a token, like all that people ask for.
struct MetricsRoute {
    let page: @Sendable () -> String

    func register(on group: RouterGroup<APIContext>) {
        group.get("metrics") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: .init(byteBuffer: .init(string: page())))
        }
    }
}
