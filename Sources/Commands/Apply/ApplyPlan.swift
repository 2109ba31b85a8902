import APIModel
import Inventory
import Machines
import ProfileFiles

/// What would be done so that all is as files declare. Pure: from what they say and what the daemon has.
struct ApplyPlan {
    /// What the daemon has.
    struct Known {
        var clusters: [ClusterView] = []
        var releases: [OSReleaseView] = []
        var machines: [MachineView] = []
        var profiles: [ProfileView] = []
    }

    enum Action {
        case createCluster(ClusterRequest)
        case createRelease(OSReleaseRequest)
        case changeMachine(id: String, generation: Int64, MachineChangeRequest)
        case removeCluster
        case removeRelease
        case putProfile(ProfileRequest, isNew: Bool)
        case removeProfile
        case none
        /// It cannot be done from here, and why.
        case differs(String)
    }

    struct Step {
        var kind: DeclaredResource.Kind
        var name: String
        var action: Action
        var changes: [FieldChange] = []
        /// `file:line`; nil: no file has it any more.
        var place: String?
    }

    /// One line of a diff. Nil: it is not there.
    struct FieldChange: Equatable {
        var field: String
        var from: String?
        var to: String?
    }

    var steps: [Step] = []
    /// What makes the whole of it impossible; then nothing is done.
    var faults: [ProfileFileError] = []

    /// - Parameters:
    ///   - owner: the name of this set of files: what it made carries it as a label.
    ///   - prunes: what the set made and does not declare any more goes.
    init(_ declared: [DeclaredResource], known: Known, owner: String, prunes: Bool) {
        faults = ResourceFiles.clashes(declared)
        let labels = [Labels.appliedBy: owner]
        // Machines last: what they are to be is there then.
        let order: [DeclaredResource.Kind] = [.profile, .cluster, .release, .machine]
        for kind in order {
            for resource in declared where resource.kind == kind {
                do {
                    steps.append(try Self.step(resource, known, labels))
                } catch {
                    faults.append(error)
                }
            }
        }
        guard prunes else { return }
        for profile in known.profiles
        where profile.appliedBy == owner
            && !declared.contains(where: { $0.kind == .profile && $0.name == profile.name })
        {
            steps.append(
                Step(
                    kind: .profile, name: profile.name, action: .removeProfile,
                    changes: [.init(field: "match", from: profile.match)]))
        }
        func isLeft(_ kind: DeclaredResource.Kind, _ name: String, _ labels: [String: String]?) -> Bool {
            labels?[Labels.appliedBy] == owner && !declared.contains { $0.kind == kind && $0.name == name }
        }
        for release in known.releases where isLeft(.release, release.name, release.labels) {
            steps.append(
                Step(
                    kind: .release, name: release.name, action: .removeRelease,
                    changes: Self.fields(release).map { .init(field: $0, from: $1) }))
        }
        for cluster in known.clusters where isLeft(.cluster, cluster.name, cluster.labels) {
            steps.append(
                Step(
                    kind: .cluster, name: cluster.name, action: .removeCluster,
                    changes: [.init(field: "type", from: cluster.kind.rawValue)]))
        }
    }

    private static func step(
        _ resource: DeclaredResource, _ known: Known, _ labels: [String: String]
    ) throws(ProfileFileError) -> Step {
        let name = resource.name
        var step = Step(kind: resource.kind, name: name, action: .none)
        step.place = [resource.file, resource.line.map(String.init)].compactMap { $0 }.joined(separator: ":")
        switch resource.content {
        case .cluster(let flavor):
            guard let cluster = known.clusters.first(where: { $0.name == name }) else {
                step.action = .createCluster(.init(name: name, kind: flavor, labels: labels))
                step.changes = [.init(field: "type", to: flavor.rawValue)]
                return step
            }
            guard cluster.kind == flavor else {
                throw resource.fault(
                    "the cluster \(name) is \(cluster.kind.rawValue), and a cluster's type does not change")
            }
        case .release(let declared):
            let wanted = OSReleaseRequest(
                name: name, os: declared.os, version: declared.version, architecture: declared.architecture,
                route: declared.route, artifacts: declared.artifacts, parameters: declared.parameters,
                minimumDiskBytes: declared.minimumDiskBytes, labels: labels)
            guard let release = known.releases.first(where: { $0.name == name }) else {
                step.action = .createRelease(wanted)
                step.changes = fields(wanted).map { .init(field: $0, to: $1) }
                return step
            }
            let (before, after) = (Dictionary(fields(release)) { $1 }, Dictionary(fields(wanted)) { $1 })
            // A route that the file does not name is the driver's.
            let names = Set(before.keys).union(after.keys).subtracting(declared.route == nil ? ["route"] : [])
            if let field = names.sorted().first(where: { before[$0] != after[$0] }) {
                throw resource.fault(
                    "the release \(name) has \(field) \(before[field] ?? "-"), not \(after[field] ?? "-"): releases do not change; give it another name"
                )
            }
        case .machine(let declared):
            guard let machine = known.machines.first(where: { $0.name == name }) else {
                throw resource.fault(
                    "no machine is called \(name); apply makes none: `slipway machine expect` announces machines, `slipway machine accept --name` names one"
                )
            }
            step.changes = changes(declared, machine)
            guard !step.changes.isEmpty else { return step }
            step.action = .changeMachine(
                id: machine.id, generation: machine.generation,
                .init(location: declared.location, labels: declared.labels.isEmpty ? nil : declared.labels))
        case .profile(let profile, let text):
            let known = known.profiles.first { $0.name == name }
            step.changes = changes(profile, known)
            let request = ProfileRequest(text: text, appliedBy: labels[Labels.appliedBy])
            if let known, known.text == nil {
                guard !step.changes.isEmpty || known.gives != ProfileGifts(profile) else { return step }
                step.action = .differs(
                    "it is a file of the daemon's own: change \(name).yaml in its hardware_profiles and restart slipwayd"
                )
            } else if let known, known.text == text {
                return step
            } else {
                // What has no words of its own, such as a deadline, is in the text.
                if step.changes.isEmpty { step.changes = [.init(field: "text", from: known?.text, to: text)] }
                step.action = .putProfile(request, isNew: known == nil)
            }
        }
        return step
    }

    private static func changes(_ profile: HardwareProfile, _ known: ProfileView?) -> [FieldChange] {
        let wanted = ProfileView(profile, machines: 0)
        let fields = [
            ("priority", known.map { "\($0.priority)" }, "\(wanted.priority)"), ("match", known?.match, wanted.match),
            ("gives", (known?.gives).map(words), words(wanted.gives)),
        ]
        return fields.filter { $0.1 != $0.2 }.map { .init(field: $0.0, from: $0.1, to: $0.2) }
    }

    private static func changes(_ declared: DeclaredMachine, _ machine: MachineView) -> [FieldChange] {
        var changes: [FieldChange] = []
        if let location = declared.location, location != machine.location {
            changes.append(.init(field: "location", from: machine.location?.description, to: location.description))
        }
        // A label of its profile is none of its own yet.
        let own = machine.labels.filter { !machine.labelsOfProfile.contains($0.key) }
        for (name, value) in declared.labels.sorted(by: { $0.key < $1.key }) where own[name] != value {
            changes.append(.init(field: "label \(name)", from: own[name], to: value))
        }
        return changes
    }

    private static func words(_ gives: ProfileGifts) -> String {
        ProfileText.lines(gives, all: true).map { "\($0.0) \($0.1)" }.joined(separator: "; ")
    }

    private static func fields(_ release: OSReleaseView) -> [(String, String)] {
        fields(release.os, release.version, release.architecture, release.minimumDiskBytes)
            + [("route", release.route.rawValue)] + fields(release.artifacts, release.parameters)
    }

    private static func fields(_ release: OSReleaseRequest) -> [(String, String)] {
        fields(release.os, release.version, release.architecture, release.minimumDiskBytes)
            + (release.route.map { [("route", $0.rawValue)] } ?? [])
            + fields(release.artifacts, release.parameters ?? [:])
    }

    private static func fields(
        _ os: String, _ version: String, _ architecture: String, _ minimum: Int64
    ) -> [(String, String)] {
        [("os", os), ("version", version), ("architecture", architecture), ("minimum_disk_bytes", "\(minimum)")]
    }

    private static func fields(
        _ artifacts: [ArtifactRole: Artifact], _ parameters: [String: String]
    ) -> [(String, String)] {
        artifacts.sorted { $0.key.rawValue < $1.key.rawValue }.flatMap { role, file in
            [
                ("\(role.rawValue).sha256", file.sha256), ("\(role.rawValue).compression", file.compression.rawValue),
                ("\(role.rawValue).bytes", "\(file.bytes)"), ("\(role.rawValue).raw_bytes", "\(file.rawBytes)"),
            ]
        } + parameters.sorted { $0.key < $1.key }.map { ("parameter \($0)", $1) }
    }
}

extension ApplyPlan.Step {
    /// For people: `Cluster lab`.
    var title: String { "\(kind.rawValue) \(name)" }

    var isChange: Bool {
        switch action {
        case .none, .differs: false
        default: true
        }
    }

    /// What became of it, or would.
    func outcome(isTrial: Bool) -> String {
        let word: String
        switch action {
        case .createCluster, .createRelease, .putProfile(_, isNew: true): word = "created"
        case .changeMachine, .putProfile(_, isNew: false): word = "changed"
        case .removeCluster, .removeRelease, .removeProfile: word = "removed"
        case .none: return "\(title) unchanged"
        case .differs(let reason): return "\(title) differs: \(reason)"
        }
        return isTrial ? "\(title) would be \(word)" : "\(title) \(word)"
    }

    /// In the manner of a unified diff; empty where nothing changes.
    func diff(_ painter: Painter) -> [String] {
        guard !changes.isEmpty else { return [] }
        let isNew = changes.allSatisfy { $0.from == nil } && kind != .machine
        var lines = [
            painter.paint("--- " + (isNew ? "none" : "daemon: \(title)"), .strong),
            painter.paint("+++ " + (place.map { "\($0): \(title)" } ?? "none"), .strong),
        ]
        for change in changes {
            if let from = change.from {
                lines.append(painter.paint("-" + Output.fitCell("\(change.field): \(from)"), .bad))
            }
            if let to = change.to { lines.append(painter.paint("+" + Output.fitCell("\(change.field): \(to)"), .good)) }
        }
        return lines
    }
}
