import ConfigDocuments
import Inventory
import Machines

/// A cluster's Talos configuration made one machine's: patched by people first, and by Slipway last, so that nobody's patch sends it to another
/// disk.
struct TalosConfig {
    private(set) var documents: [ConfigValue]
    private let version: TalosVersion

    /// - Parameters:
    ///   - base: what `talosctl gen config` made for the machine's role.
    ///   - patches: of the cluster, then of the machine.
    /// - Throws: ``ConfigurationError``.
    init(base: String, patches: [String], version: TalosVersion) throws(ConfigurationError) {
        self.version = version
        do {
            documents = try ConfigValue.documents(yaml: base)
        } catch {
            throw ConfigurationError(field: "cluster.config", reason: "\(error)")
        }
        guard documents.contains(where: { $0["version"]?.string == "v1alpha1" && $0["machine"] != nil }) else {
            throw ConfigurationError(
                field: "cluster.config",
                reason: "there is no machine configuration in it: `version: v1alpha1` with `machine:`")
        }
        for patch in patches { documents = try TalosPatch.apply(patch, to: documents) }
    }

    /// Says whose it is.
    mutating func give(to machine: TargetMachine, installer image: String?) throws(ConfigurationError) {
        try check(machine.role)
        giveName(machine.hostname)
        try giveDisk(machine.disk, stablePath: machine.stableDiskPath, image)
        if let network = machine.network { give(network) }
        edit("KubeletConfig", ["extraArgs"], classic: ["machine", "kubelet", "extraArgs"]) {
            $0["provider-id"] = .text(machine.providerID)
        }
        guard !machine.labels.isEmpty else { return }
        edit("KubeNodeConfig", ["labels"], classic: ["machine", "nodeLabels"]) { labels in
            for (key, value) in machine.labels.sorted(by: { $0.key < $1.key }) { labels[key] = .text(value) }
        }
    }

    /// The kernel arguments of the first start are not kept: the installed system is told in its configuration where to send its events, unless people
    /// have a sink of their own.
    mutating func tell(_ sink: String) {
        guard !documents.contains(where: { $0["kind"]?.string == "EventSinkConfig" }) else { return }
        documents.append(["apiVersion": "v1alpha1", "kind": "EventSinkConfig", "endpoint": .text(sink)])
    }

    /// - Throws: ``ConfigurationError`` when it is for machines of another role.
    func check(_ role: Machine.NodeRole) throws(ConfigurationError) {
        let type = classic?["machine"]?["type"]?.string
        let wanted = role == .controlPlane ? "controlplane" : "worker"
        guard type == wanted else {
            throw ConfigurationError(
                field: "cluster.config",
                reason: "it is for a \(type ?? "machine of no type"), and this is to be a \(wanted)")
        }
    }

    var yaml: String { ConfigValue.yaml(documents) }

    private var classic: ConfigValue? { documents.first { $0["version"]?.string == "v1alpha1" } }

    private mutating func giveName(_ name: String) {
        guard version.hasNetworkDocuments else {
            return editClassic(["machine", "network"]) { $0["hostname"] = .text(name) }
        }
        editClassic(["machine", "network"], makes: false) { $0["hostname"] = nil }
        replace("HostnameConfig", ["apiVersion": "v1alpha1", "kind": "HostnameConfig", "hostname": .text(name)])
    }

    private mutating func giveDisk(_ disk: Disk, stablePath: String, _ image: String?) throws(ConfigurationError) {
        guard version.hasInstallDocument else {
            return editClassic(["machine", "install"]) { install in
                install["diskSelector"] = nil
                install["disk"] = .text(stablePath)
                if let image { install["image"] = .text(image) }
            }
        }
        guard let serial = disk.serial,
            serial.utf8.allSatisfy({ (0x20...0x7e).contains($0) && !"\"\\".utf8.contains($0) })
        else {
            throw ConfigurationError(
                field: "disk", reason: "\(disk.summary) has no serial number that Talos could find it by")
        }
        editClassic(["machine", "install"], makes: false) { install in
            for key in ["disk", "diskSelector", "image", "wipe"] { install[key] = nil }
        }
        replace(
            "UnattendedInstallConfig",
            .present([
                ("apiVersion", "v1alpha1"), ("kind", "UnattendedInstallConfig"),
                ("installer", image.map { ["image": .text($0)] }),
                ("provisioning", ["diskSelector": ["match": .text("disk.serial == \"\(serial)\"")]]),
            ]))
    }

    /// The machine's network is all that there is: a base's would contradict it.
    private mutating func give(_ network: SystemNetwork) {
        guard version.hasNetworkDocuments else {
            editClassic(["machine", "network"]) { old in
                for (key, value) in TalosNetwork.classic(network).entries?.pairs ?? [] { old[key] = value }
            }
            guard !network.ntp.isEmpty else { return }
            return editClassic(["machine", "time"]) { $0["servers"] = .texts(network.ntp) }
        }
        editClassic(["machine", "network"], makes: false) { old in
            for key in ["interfaces", "nameservers", "searchDomains"] { old[key] = nil }
        }
        let links = ["LinkAliasConfig", "LinkConfig", "BondConfig", "VLANConfig", "DHCPv4Config", "DHCPv6Config"]
        documents.removeAll { links.contains($0["kind"]?.string ?? "") }
        for document in TalosNetwork.documents(network) {
            // A resolver has other words beside its servers; a link has not.
            documents = TalosPatch.merge(document, into: documents)
        }
    }

    /// Changes a mapping where the configuration has it: in a document of that kind if there is one, else in the classic one.
    private mutating func edit(
        _ kind: String, _ path: [String], classic classicPath: [String], _ body: (inout ConfigValue) -> Void
    ) {
        guard let index = documents.firstIndex(where: { $0["kind"]?.string == kind }) else {
            return editClassic(classicPath, body)
        }
        documents[index].edit(path[...], makes: true, body)
    }

    private mutating func editClassic(_ path: [String], makes: Bool = true, _ body: (inout ConfigValue) -> Void) {
        guard let index = documents.firstIndex(where: { $0["version"]?.string == "v1alpha1" }) else { return }
        documents[index].edit(path[...], makes: makes, body)
    }

    private mutating func replace(_ kind: String, _ document: ConfigValue) {
        if let index = documents.firstIndex(where: { $0["kind"]?.string == kind }) {
            documents[index] = document
        } else {
            documents.append(document)
        }
    }
}

extension ConfigValue {
    /// Changes the value at a path of keys.
    /// - Parameter makes: mappings that are not there are made; else nothing happens.
    fileprivate mutating func edit(_ path: ArraySlice<String>, makes: Bool, _ body: (inout ConfigValue) -> Void) {
        guard let key = path.first else { return body(&self) }
        guard var inner = self[key] ?? (makes ? .mapping(ConfigMapping()) : nil) else { return }
        inner.edit(path.dropFirst(), makes: makes, body)
        self[key] = inner
    }
}
