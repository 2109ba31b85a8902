import APIModel
import FoundationEssentials
import Hummingbird

/// `/api/v1/doctor`: the daemon looks at its own network, which takes some seconds.
struct DoctorRoute {
    let examine: @Sendable () async -> [DoctorView.Finding]
    let now: @Sendable () -> Date

    func register(on group: RouterGroup<APIContext>) {
        group.get("doctor") { _, _ in
            try Response.json(DoctorView(findings: await examine(), time: now()))
        }
    }
}
