import Crypto
import FoundationEssentials
import Inventory
import Logging
import Machines
import NetworkAddresses
import Store
import Synchronization
import TestSupport
import Testing

@testable import Controllers

/// What is kept of BMCs: certificates, passwords, kinds.
@Suite struct BMCServiceTests {
    /// A BMC with one user, which shows a certificate.
    final class Controller: BMCController, BMCProber {
        struct State {
            var password = "factory-1"
            var certificate = String(repeating: "a", count: 64)
            var probes = 0
            var commands: [String] = []
            var refused = 0
            var network = BMCNetwork(
                source: .fixed, address: .init(10, 0, 0, 9), netmask: .init(255, 255, 255, 0))
            /// The change of the password is done, and its answer is lost; or it is not done.
            var loses: PasswordFault?
        }
        enum PasswordFault { case answer, request }

        let state = Mutex(State())

        private func check(_ bmc: BMCAccess) throws {
            try state.withLock { state in
                guard bmc.trust != .pinned(state.certificate) else { return }
                guard bmc.trust != .anything else { return }
                throw BMCError(address: bmc.address, doing: "connect", reason: .certificate, "another certificate")
            }
            try state.withLock { state in
                guard bmc.password == state.password else {
                    state.refused += 1
                    throw BMCError(address: bmc.address, doing: "log in", reason: .credentials, "wrong password")
                }
            }
        }

        func power(of bmc: BMCAccess) async throws -> PowerState {
            try check(bmc)
            return .on
        }

        func perform(_ action: PowerAction, on bmc: BMCAccess) async throws -> PowerState {
            try check(bmc)
            state.withLock { $0.commands.append("\(bmc.kind.rawValue) \(action.rawValue)") }
            return .on
        }

        func network(of bmc: BMCAccess) async throws -> BMCNetwork {
            try check(bmc)
            return state.withLock { $0.network }
        }

        func setNetwork(_ setting: BMCNetworkSetting, on bmc: BMCAccess) async throws -> BMCNetwork {
            try check(bmc)
            return state.withLock { state in
                switch setting {
                case .dhcp: state.network.source = .dhcp
                case .fixed(let address, let netmask, let gateway):
                    state.network = .init(source: .fixed, address: address, netmask: netmask, gateway: gateway)
                }
                return state.network
            }
        }

        func changePassword(to password: String, on bmc: BMCAccess) async throws {
            try check(bmc)
            try state.withLock { state in
                if state.loses != .request { state.password = password }
                guard state.loses == nil else {
                    throw BMCError(address: bmc.address, doing: "set password", reason: .silent, "no answer")
                }
            }
        }

        func probe(
            _ address: String, ports: [BMCKind: Int], credentials: BMCCredentials?, verification: BMCVerification
        ) async -> BMCProbe {
            state.withLock { state in
                state.probes += 1
                let certificate = BMCCertificate(
                    sha256: state.certificate, subject: "CN=bmc", issuer: "CN=bmc", notBefore: .distantPast,
                    notAfter: .distantFuture, isAuthorized: false)
                return BMCProbe(
                    address: address,
                    findings: [
                        .init(kind: .redfish, port: 443, outcome: .answers, certificate: certificate),
                        .init(kind: .ipmi, port: 623, outcome: .answers),
                    ])
            }
        }
    }

    private struct Setup {
        let store = MemoryStore()
        let controller = Controller()
        let service: BMCService
        let keys = LifecycleFlowTests.Keys()

        init(_ setting: BMCSetting) async throws {
            let installation = Installation(
                apiURL: "https://10.77.0.1:8443", bootURL: "http://10.77.0.1:8080", certificateAuthority: "PEM\n",
                certificateAuthorityPin: "sha256:" + String(repeating: "a", count: 64), orderKey: keys.order,
                certificateKey: .init(),
                secretKey: keys.secret, admission: .init(unknown: .discover), pollSeconds: 60)
            service = BMCService(
                store: store, installation: installation, profiles: ProfileBook([]), controller: controller,
                prober: controller, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, now: { Date() })
            try await store.transaction { transaction in
                try transaction.put(
                    Machine(
                        id: "m-1", name: "node-1", observed: .init(phase: .available, phaseSince: Date()),
                        createdAt: Date()))
            }
            _ = try await service.set(setting, of: "m-1", by: "alice")
        }

        func machine() async throws -> Machine { try #require(try await store.get(Machine.self, "m-1")) }

        func secrets() async throws -> Int { try await store.list(Secret.self).items.count }
    }

    private static func setting(
        _ kind: BMCKind? = nil, _ verification: BMCVerification? = nil, password: String = "factory-1"
    ) -> BMCSetting {
        BMCSetting(
            .init(address: "10.0.0.9", kind: kind, verification: verification, username: "root"), password: password)
    }

    @Test("the kind is found out once, and the first certificate is believed from then on")
    func firstUse() async throws {
        let setup = try await Setup(Self.setting())
        let access = try await setup.service.access(to: "m-1")
        #expect(access.kind == .redfish)
        #expect(access.trust == .pinned(String(repeating: "a", count: 64)))
        #expect(try await setup.service.controller.power(of: access) == .on)
        _ = try await setup.service.access(to: "m-1")
        #expect(setup.controller.state.withLock { $0.probes } == 1)
        let events = try await setup.store.list(Event.self).items.map(\.message)
        #expect(events.contains { $0.contains("aaaa") && $0.contains("is believed") }, "\(events)")
    }

    @Test("another certificate is not believed until a person names it, and then no other")
    func changedCertificate() async throws {
        let setup = try await Setup(Self.setting())
        _ = try await setup.service.access(to: "m-1")
        let other = String(repeating: "b", count: 64)
        setup.controller.state.withLock { $0.certificate = other }
        await #expect(throws: BMCError.self) {
            try await setup.service.controller.power(of: try await setup.service.access(to: "m-1"))
        }
        let refusal = await #expect(throws: ServiceError.self) {
            try await setup.service.trust(String(repeating: "c", count: 64), of: "m-1", by: "alice")
        }
        #expect(refusal?.kind == .conflict)
        let colons = stride(from: 0, to: 64, by: 2).map { _ in "BB" }.joined(separator: ":")
        _ = try await setup.service.trust(colons, of: "m-1", by: "alice")
        #expect(try await setup.service.access(to: "m-1").trust == .pinned(other))
    }

    @Test("authorities only, and any certificate, are a person's choice")
    func verification() async throws {
        let authorities = try await Setup(Self.setting(.redfish, .authorities))
        #expect(try await authorities.service.access(to: "m-1").trust == .authorities)
        let off = try await Setup(Self.setting(.redfish, .off))
        #expect(try await off.service.access(to: "m-1").trust == .anything)
    }

    @Test("the password is sealed, and goes when another BMC is named")
    func sealed() async throws {
        let setup = try await Setup(Self.setting(.ipmi))
        let first = try #require(try await setup.machine().desired.bmc?.passwordSecret)
        #expect(try await setup.service.access(to: "m-1").password == "factory-1")
        _ = try await setup.service.set(Self.setting(.ipmi, password: "other"), of: "m-1", by: "alice")
        #expect(try await setup.store.get(Secret.self, first) == nil)
        #expect(try await setup.secrets() == 1)
        #expect(try await setup.service.access(to: "m-1").password == "other")
        for record in try await setup.store.list(Event.self).items { #expect(!"\(record)".contains("factory-1")) }
    }

    @Test(
        "from the factory's password to the site's: the answer arrives, is lost, or the request is",
        arguments: [
            nil, Controller.PasswordFault.answer, .request,
        ])
    func rotation(loses: Controller.PasswordFault?) async throws {
        let setup = try await Setup(Self.setting(.redfish, .off))
        setup.controller.state.withLock { $0.loses = loses }
        if loses == .request {
            await #expect(throws: ServiceError.self) {
                try await setup.service.changePassword(nil, of: "m-1", by: "alice")
            }
        } else {
            try await setup.service.changePassword(nil, of: "m-1", by: "alice")
        }
        let password = setup.controller.state.withLock { $0.password }
        #expect((password == "factory-1") == (loses == .request))
        #expect(try await setup.service.access(to: "m-1").password == password)
        #expect(try await setup.machine().desired.bmc?.nextPasswordSecret == nil)
        #expect(try await setup.secrets() == 1)
        #expect(try await setup.service.controller.power(of: try await setup.service.access(to: "m-1")) == .on)
        for event in try await setup.store.list(Event.self).items { #expect(!"\(event)".contains(password)) }
    }

    @Test("a daemon that died in the middle of it finds out which password it is", arguments: [true, false])
    func killed(done: Bool) async throws {
        let setup = try await Setup(Self.setting(.redfish, .off))
        let secret = try Secret(id: "bmc-next", text: "site-password", key: setup.keys.secret)
        try await setup.store.transaction { transaction in
            var machine = try #require(try await transaction.get(Machine.self, "m-1"))
            machine.desired.bmc?.nextPasswordSecret = secret.id
            try transaction.put(machine)
            try transaction.put(secret)
        }
        if done { setup.controller.state.withLock { $0.password = "site-password" } }
        #expect(try await setup.service.settlePassword(of: "m-1") == done)
        #expect(try await setup.service.access(to: "m-1").password == (done ? "site-password" : "factory-1"))
        #expect(try await setup.secrets() == 1)
    }

    @Test("neither password: that is a refusal, which is not asked about every few seconds", arguments: [true, false])
    func neither(newFirst: Bool) async throws {
        let setup = try await Setup(Self.setting(.redfish, .off))
        let secret = try Secret(id: "bmc-next", text: "site-password", key: setup.keys.secret)
        try await setup.store.transaction { transaction in
            var machine = try #require(try await transaction.get(Machine.self, "m-1"))
            machine.desired.bmc?.nextPasswordSecret = secret.id
            try transaction.put(machine)
            try transaction.put(secret)
        }
        setup.controller.state.withLock { $0.password = "somebody-elses" }
        let error = await #expect(throws: BMCError.self) {
            try await setup.service.settlePassword(of: "m-1", newFirst: newFirst)
        }
        #expect(error?.reason == .credentials)
        #expect(setup.controller.state.withLock { $0.refused } == 2)
        // Nothing is forgotten.
        #expect(try await setup.secrets() == 2)
        let told = await #expect(throws: ServiceError.self) {
            try await setup.service.changePassword(nil, of: "m-1", by: "alice")
        }
        #expect(told?.kind == .upstream)
        // The one that is likelier right is tried first.
        setup.controller.state.withLock { ($0.password, $0.refused) = (newFirst ? "site-password" : "factory-1", 0) }
        #expect(try await setup.service.settlePassword(of: "m-1", newFirst: newFirst) == newFirst)
        #expect(setup.controller.state.withLock { $0.refused } == 0)
    }

    @Test("a BMC is given another address only if a person says that it may move, and is talked to there from then on")
    func network() async throws {
        let setup = try await Setup(Self.setting(.redfish, .firstUse))
        _ = try await setup.service.access(to: "m-1")
        let (mask, before) = (IPv4Address(255, 255, 255, 0), try await setup.machine())
        let other = BMCNetworkSetting.fixed(.init(10, 0, 0, 10), netmask: mask, gateway: .init(10, 0, 0, 1))
        for (setting, moves, kind) in [
            (other, false, ServiceError.Kind.conflict), (.dhcp, false, .conflict),
            (.fixed(.init(10, 0, 0, 0), netmask: mask, gateway: nil), true, .invalid),
        ] {
            let error = await #expect(throws: ServiceError.self) {
                try await setup.service.setNetwork(setting, moves: moves, of: "m-1", by: "alice")
            }
            #expect(error?.kind == kind)
        }
        #expect(try await setup.machine() == before)
        // Its gateway alone moves nothing.
        let gateway = BMCNetworkSetting.fixed(.init(10, 0, 0, 9), netmask: mask, gateway: .init(10, 0, 0, 1))
        _ = try await setup.service.setNetwork(gateway, moves: false, of: "m-1", by: "alice")
        let change = try await setup.service.setNetwork(other, moves: true, of: "m-1", by: "alice")
        #expect(change.before.address == .init(10, 0, 0, 9) && change.after.address == .init(10, 0, 0, 10))
        let access = try await setup.service.access(to: "m-1")
        #expect(access.address == "10.0.0.10" && access.trust == .pinned(String(repeating: "a", count: 64)))
        // It is the same BMC: it is not asked anew what it is.
        #expect(setup.controller.state.withLock { $0.probes } == 1)
        let events = try await setup.store.list(Event.self).items.map(\.message)
        #expect(events.contains { $0.contains("from 10.0.0.9") && $0.contains("to 10.0.0.10") }, "\(events)")
    }

    @Test(
        "bad settings change nothing",
        arguments: [
            (BMCSetting(.init(address: "bmc.example", username: "u"), password: "p"), "address"),
            (BMCSetting(.init(address: "10.0.0.1", port: 0, username: "u"), password: "p"), "port"),
            (BMCSetting(.init(address: "10.0.0.1", username: "u"), password: nil), "password"),
            (BMCSetting(.init(address: "10.0.0.1"), password: "p"), "username"),
            (BMCSetting(.init(address: "10.0.0.1", username: "u\n"), password: "p"), "username"),
            (BMCSetting(.init(address: "10.0.0.255", kind: .wakeOnLAN, username: "u"), password: "p"), "kind"),
            (BMCSetting(.init(address: "10.0.0.1", kind: BMCKind.none), password: nil), "kind"),
        ])
    func faults(setting: BMCSetting, field: String) async throws {
        let setup = try await Setup(Self.setting(.ipmi))
        let before = try await setup.machine()
        let error = await #expect(throws: ServiceError.self) {
            try await setup.service.set(setting, of: "m-1", by: "alice")
        }
        #expect(error?.field == field)
        #expect(try await setup.machine() == before)
    }
}
