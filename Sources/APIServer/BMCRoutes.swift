import APIModel
import Controllers
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Machines
import NetworkAddresses

/// What machines' BMCs are asked: `/api/v1/machines/{machine}/bmc` and its neighbours, and `/api/v1/bmc-probe`.
struct BMCRoutes {
    let machines: MachineService
    let bmcs: BMCService

    func register(on group: RouterGroup<APIContext>) {
        group.post("bmc-probe", use: probe)
            .get("machines/{machine}/bmc", use: describe)
            .post("machines/{machine}/bmc", use: set)
            .get("machines/{machine}/bmc/secure-boot", use: secureBoot)
            .get("machines/{machine}/bmc/bios", use: biosAttributes)
            .get("machines/{machine}/bmc/certificates", use: certificates)
            .get("machines/{machine}/bmc/lan", use: network)
            .post("machines/{machine}/bmc/lan", use: setNetwork)
            .post("machines/{machine}/bmc/trust", use: trust)
            .post("machines/{machine}/bmc/password", use: changePassword)
            .post("machines/{machine}/bmc/set-up", use: setUp)
            .post("machines/{machine}/identify", use: identify)
            .get("machines/{machine}/sensors", use: sensors)
            .get("machines/{machine}/event-log", use: eventLog)
            .delete("machines/{machine}/event-log", use: clearEventLog)
            .get("machines/{machine}/firmware", use: firmware)
            .post("machines/{machine}/virtual-media", use: setVirtualMedia)
    }

    @Sendable func probe(_ request: Request, context: APIContext) async throws -> Response {
        try .json(try await bmcs.probe(try await request.json(BMCRequest.self).setting))
    }

    @Sendable func describe(_ request: Request, context: APIContext) async throws -> Response {
        try .json(try await bmcs.describe(try await id(context)))
    }

    @Sendable func secureBoot(_ request: Request, context: APIContext) async throws -> Response {
        try .json(try await bmcs.secureBoot(of: try await id(context)))
    }

    @Sendable func biosAttributes(_ request: Request, context: APIContext) async throws -> Response {
        try .json(try await bmcs.biosAttributes(of: try await id(context)))
    }

    @Sendable func certificates(_ request: Request, context: APIContext) async throws -> Response {
        try .json(ListView(items: try await bmcs.certificates(of: try await id(context)), revision: 0))
    }

    @Sendable func set(_ request: Request, context: APIContext) async throws -> Response {
        let machine = try await bmcs.set(
            try await request.json(BMCRequest.self).setting, of: try await id(context), by: context.actor)
        return try .json(MachineView(machine), etag: "\"\(machine.generation)\"")
    }

    @Sendable func trust(_ request: Request, context: APIContext) async throws -> Response {
        let body = try await request.json(BMCTrustRequest.self)
        return try .json(
            MachineView(try await bmcs.trust(body.sha256, of: try await id(context), by: context.actor)))
    }

    @Sendable func network(_ request: Request, context: APIContext) async throws -> Response {
        try .json(try await bmcs.network(of: try await id(context)))
    }

    @Sendable func setNetwork(_ request: Request, context: APIContext) async throws -> Response {
        let body = try await request.json(BMCNetworkRequest.self)
        let change = try await bmcs.setNetwork(
            try body.setting, moves: body.moves ?? false, of: try await id(context), by: context.actor)
        return try .json(BMCNetworkChange(before: change.before, after: change.after))
    }

    @Sendable func changePassword(_ request: Request, context: APIContext) async throws -> Response {
        let body = try await request.json(BMCPasswordRequest.self)
        try await bmcs.changePassword(body.password, of: try await id(context), by: context.actor)
        return try .json(DoneView())
    }

    @Sendable func setUp(_ request: Request, context: APIContext) async throws -> Response {
        let body = try await request.json(BMCSetUpRequest.self)
        try await machines.setUpBMC(of: try await id(context), username: body.username, by: context.actor)
        return try .json(DoneView(), status: .accepted)
    }

    @Sendable func identify(_ request: Request, context: APIContext) async throws -> Response {
        let body = try await request.json(IdentifyRequest.self)
        try await bmcs.setIdentifyLight(body.light, of: try await id(context), by: context.actor)
        return try .json(body)
    }

    @Sendable func sensors(_ request: Request, context: APIContext) async throws -> Response {
        try .json(ListView(items: try await bmcs.sensors(of: try await id(context)), revision: 0))
    }

    @Sendable func eventLog(_ request: Request, context: APIContext) async throws -> Response {
        let id = try await id(context)
        guard request.flag("watch") else {
            return try .json(ListView(items: try await bmcs.eventLog(of: id), revision: 0))
        }
        guard context.caller?.role == .admin else {
            throw HTTPError(
                .forbidden, message: "following a BMC holds one of its few sessions: not for a token that may read only"
            )
        }
        return EventStream.response(try await bmcs.events(of: id)) { entry in try EventStream.frame("put", entry) }
    }

    @Sendable func clearEventLog(_ request: Request, context: APIContext) async throws -> Response {
        try await bmcs.clearEventLog(of: try await id(context), by: context.actor)
        return try .json(DoneView())
    }

    @Sendable func firmware(_ request: Request, context: APIContext) async throws -> Response {
        try .json(ListView(items: try await bmcs.firmware(of: try await id(context)), revision: 0))
    }

    @Sendable func setVirtualMedia(_ request: Request, context: APIContext) async throws -> Response {
        let body = try await request.json(VirtualMediaRequest.self)
        try await bmcs.setVirtualMedia(body.url, of: try await id(context), by: context.actor)
        return try .json(body)
    }

    private func id(_ context: APIContext) async throws -> String {
        try await machines.machine(try context.parameters.require("machine")).id
    }
}

extension BMCNetworkRequest {
    fileprivate var setting: BMCNetworkSetting {
        get throws {
            func parse(_ field: String, _ text: String?) throws -> IPv4Address? {
                guard let text else { return nil }
                guard let address = IPv4Address(text) else {
                    throw ServiceError(
                        .invalid, "\(text.debugDescription) is not an IPv4 address such as 10.0.0.9", field: field)
                }
                return address
            }
            let (address, mask) = (try parse("address", address), try parse("netmask", netmask))
            let router = try parse("gateway", gateway)
            if dhcp ?? false {
                guard address == nil, mask == nil, router == nil else {
                    throw ServiceError(.invalid, "by DHCP it gets address, netmask and gateway", field: "dhcp")
                }
                return .dhcp
            }
            guard let address else { throw ServiceError(.invalid, "an address, or DHCP", field: "address") }
            guard let mask else { throw ServiceError(.invalid, "a netmask goes with the address", field: "netmask") }
            return .fixed(address, netmask: mask, gateway: router)
        }
    }
}
