import APIModel
import Controllers
import Foundation
import Inventory
import Machines
import Store
import TestSupport
import Testing

/// What hardware profiles give machines: labels that come and go with the profile, and releases that may be installed.
@Suite(.timeLimit(.minutes(2))) struct ProfileGiftTests {
    typealias Flow = LifecycleFlowTests

    static func rack(
        labels: [String: String] = [:], allowed: [String]? = nil, product: String = "Virtual Rack"
    ) -> HardwareProfile {
        HardwareProfile(
            name: "rack", match: .all([.machine("manufacturer", "Slipway"), .machine("product", product)]),
            rootDisk: RootDiskHint(transports: [.nvme]), labels: labels,
            allowedReleases: allowed?.compactMap { NamePattern($0) })
    }

    static func machine(_ store: any RecordStore) async throws -> Machine {
        try #require(try await store.list(Machine.self).items.first)
    }

    @Test("labels come with the profile, a person's counts before them, and they go with it")
    func labels() async throws {
        let (store, keys) = (try await Flow.store(), Flow.Keys())
        var daemon = Flow.Daemon(store, keys: keys, profiles: [Self.rack(labels: ["class": "small", "rack": "any"])])
        _ = try await Flow.boot(daemon)
        try await store.transaction { transaction in
            let listed = try await Self.machine(store)
            var machine = try #require(try await transaction.get(Machine.self, listed.id))
            machine.labels = ["rack": "a1", "owner": "ann"]
            try transaction.put(machine)
        }
        let view = MachineView(try await Self.machine(store))
        #expect(view.labels == ["rack": "a1", "owner": "ann", "class": "small"] && view.labelsOfProfile == ["class"])

        // The next daemon has read another text of it; nobody boots.
        await daemon.kill()
        daemon = Flow.Daemon(store, keys: keys, profiles: [Self.rack(labels: ["class": "large"])])
        #expect(try await daemon.controllers.machines.rematch() == 1)
        #expect(try await daemon.controllers.machines.rematch() == 0)
        var machine = try await Self.machine(store)
        #expect(machine.effectiveLabels == ["rack": "a1", "owner": "ann", "class": "large"])
        #expect(machine.observed.profile == "rack")

        await daemon.kill()
        daemon = Flow.Daemon(store, keys: keys, profiles: [Self.rack(labels: ["class": "large"], product: "Other")])
        #expect(try await daemon.controllers.machines.rematch() == 1)
        machine = try await Self.machine(store)
        #expect(machine.observed.profile == nil && machine.effectiveLabels == ["rack": "a1", "owner": "ann"])
        #expect(machine.labels == ["rack": "a1", "owner": "ann"])
        #expect(machine.condition(.profileMatched)?.status == false)
        let told = try await store.list(Event.self).items.filter { $0.type == .profileMatched }.map(\.message)
        #expect(told == ["hardware profile rack", "no hardware profile matches"])
        await daemon.kill()
    }

    @Test("a profile that was put, but not matched with every machine, is matched when it is put again")
    func cutShort() async throws {
        let store = try await Flow.store()
        let daemon = Flow.Daemon(store, keys: Flow.Keys(), profiles: [])
        _ = try await Flow.boot(daemon)
        let profiles = daemon.controllers.profiles
        let text = "match: {manufacturer: Slipway}\nlabels: {class: small}\n"
        #expect(try await profiles.put("mine", text: text, appliedBy: nil, by: "alice") == 1)
        // What a call leaves that ended early: the profile counts, and the machine has the former one's labels.
        let larger = text.replacing("small", with: "large")
        try await store.transaction { transaction in
            var applied = try #require(try await transaction.get(AppliedProfile.self, "mine"))
            applied.text = larger
            try transaction.put(applied)
        }
        try await profiles.load()
        #expect(try await Self.machine(store).effectiveLabels == ["class": "small"])
        #expect(try await profiles.put("mine", text: larger, appliedBy: nil, by: "alice") == 1)
        #expect(try await Self.machine(store).effectiveLabels == ["class": "large"])
        #expect(try await profiles.put("mine", text: larger, appliedBy: nil, by: "alice") == 0)
        await daemon.kill()
    }

    @Test("another OS release than the profile allows is refused with words, and again when an order is due")
    func allowed() async throws {
        let (store, keys) = (try await Flow.store(), Flow.Keys())
        var daemon = Flow.Daemon(store, keys: keys, profiles: [Self.rack(allowed: ["talos-*", "ref-2"])])
        _ = try await Flow.boot(daemon)
        let id = try await Self.machine(store).id
        _ = try await daemon.controllers.machines.accept(
            id, name: "node-1", bmc: nil, network: nil, generation: nil, by: "alice")
        let before = try await Self.machine(store).generation
        let refusal = await #expect(throws: ServiceError.self) {
            try await daemon.controllers.machines.provision(
                id, assignment: .init(cluster: "demo", release: "ref-1"), generation: nil, by: "alice")
        }
        #expect(
            refusal?.message
                == "node-1: the hardware profile rack does not allow ref-1: it allows talos-*, ref-2")
        #expect(refusal?.field == "release" && refusal?.kind == .conflict)
        #expect(try await Self.machine(store).generation == before)

        // Asked for while it was allowed, and not any more when the order would be issued.
        await daemon.kill()
        daemon = Flow.Daemon(store, keys: keys, profiles: [Self.rack(allowed: ["ref-*"])], runs: false)
        let (_, operation) = try await daemon.controllers.machines.provision(
            id, assignment: .init(cluster: "demo", release: "ref-1"), generation: nil, by: "alice")
        await daemon.kill()
        daemon = Flow.Daemon(store, keys: keys, profiles: [Self.rack(allowed: ["talos-*"])])
        let isTold = try await eventually {
            let machine = try await Self.machine(store)
            return machine.observed.failure?.reason.contains("does not allow ref-1: it allows talos-*") ?? false
        }
        let machine = try await Self.machine(store)
        #expect(isTold, "\(machine.observed)")
        #expect(try await store.get(Operation.self, operation.id)?.attempts == 0)
        await daemon.kill()
    }

    @Test("a profile's consoles are the agent's, behind its other arguments")
    func consoles() async throws {
        let (store, keys) = (try await Flow.store(), Flow.Keys())
        var profile = Self.rack()
        profile.kernelArguments = [try KernelArgument("quiet")]
        profile.consoles = [try KernelConsole(parsing: "tty0"), try KernelConsole(parsing: "ttyS1,115200n8")]
        let daemon = Flow.Daemon(store, keys: keys, profiles: [profile])
        _ = try await Flow.boot(daemon)
        let isThere = await eventually {
            guard
                case .agent(let arguments, _) = daemon.controllers.director.script(
                    for: BootClient(mac: Flow.mac, stage: .ipxe, address: Flow.address))
            else { return false }
            return arguments.map(\.description).suffix(3) == ["quiet", "console=tty0", "console=ttyS1,115200n8"]
        }
        #expect(isThere)
        await daemon.kill()
    }

    @Test("a trial counts machines and changes none")
    func trial() async throws {
        let (store, keys) = (try await Flow.store(), Flow.Keys())
        let daemon = Flow.Daemon(store, keys: keys, profiles: [Self.rack()])
        _ = try await Flow.boot(daemon)
        try await store.transaction { transaction in
            try transaction.put(
                Machine(
                    id: "m-2", name: "silent", observed: .init(phase: .discovered, phaseSince: Date()),
                    createdAt: Date()))
        }
        let before = try await store.list(Machine.self).items
        let view = try await daemon.controllers.machines.tryProfiles(
            adding: [HardwareProfile(name: "first", priority: 1)], removing: [])
        #expect(view.changes.map(\.change.to) == [["first"]] && view.same == 0 && view.unread == 1)
        let none = try await daemon.controllers.machines.tryProfiles(adding: [Self.rack()], removing: [])
        #expect(none.changes.isEmpty && none.replaced == 1 && none.unread == 1)
        let refusal = await #expect(throws: ServiceError.self) {
            try await daemon.controllers.machines.tryProfiles(adding: [], removing: ["nobody"])
        }
        #expect(refusal?.message == "no hardware profile is called nobody; see `slipway profile list`")
        #expect(try await store.list(Machine.self).items == before)
        await daemon.kill()
    }
}
