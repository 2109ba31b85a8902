import Machines
import NetworkAddresses

/// `POST /api/v1/machines/{id}/accept`: leave to change the machine, and what is known of it from now on.
public struct AcceptRequest: Codable, Sendable {
    /// A new name; nil keeps the one it has.
    public var name: String?
    public var bmc: BMCRequest?
    public var network: MachineNetwork?

    public init(name: String? = nil, bmc: BMCRequest? = nil, network: MachineNetwork? = nil) {
        (self.name, self.bmc, self.network) = (name, bmc, network)
    }
}

/// `POST /api/v1/machines/{id}/set`: what people know of a machine. What is absent stays as it is.
public struct MachineChangeRequest: Codable, Sendable {
    public var location: Location?
    public var clearLocation: Bool?
    /// By name; null takes a label away.
    public var labels: [String: String?]?
    public var network: MachineNetwork?
    /// Back to DHCP.
    public var clearNetwork: Bool?
    /// Changes of its system's own configuration. Sealed, and never answered back. Empty: none any more.
    public var patch: String?

    public init(
        location: Location? = nil, clearLocation: Bool? = nil, labels: [String: String?]? = nil,
        network: MachineNetwork? = nil, clearNetwork: Bool? = nil, patch: String? = nil
    ) {
        (self.location, self.clearLocation, self.labels) = (location, clearLocation, labels)
        (self.network, self.clearNetwork, self.patch) = (network, clearNetwork, patch)
    }
}

/// `POST /api/v1/machines/{id}/merge`: the machine is one that is known.
public struct MergeRequest: Codable, Sendable {
    /// Id, name, MAC address or serial number of the known machine.
    public var into: String

    public init(into: String) { self.into = into }
}

/// Where a machine's BMC is and how to log in. The password goes into the secret store and is never answered back.
public struct BMCRequest: Codable, Sendable {
    /// Absent for a machine without a BMC.
    public var address: String?
    public var port: Int?
    /// Absent: Redfish or IPMI, whichever answers.
    public var kind: BMCKind?
    public var verification: BMCVerification?
    public var username: String?
    public var password: String?
    /// Absent: the serial console is recorded while the machine boots.
    public var recordsConsole: Bool?

    public init(
        address: String?, port: Int? = nil, kind: BMCKind? = nil, verification: BMCVerification? = nil,
        username: String? = nil, password: String? = nil, recordsConsole: Bool? = nil
    ) {
        (self.address, self.port, self.kind, self.verification) = (address, port, kind, verification)
        (self.username, self.password, self.recordsConsole) = (username, password, recordsConsole)
    }

    public var setting: BMCSetting {
        var endpoint = Machine.BMCEndpoint(
            address: address ?? "", port: port, kind: kind, verification: verification, username: username)
        endpoint.recordsConsole = recordsConsole
        return BMCSetting(endpoint, password: password)
    }
}

/// `POST /api/v1/machines/{id}/provision` → 202 ``OperationView``.
public struct ProvisionRequest: Codable, Sendable {
    public var cluster: String
    public var release: String
    /// Serial or WWN of the root disk, or its path where it has neither.
    public var disk: String?
    /// Data on the root disk may be overwritten.
    public var eraseExistingData: Bool?
    public var role: Machine.NodeRole?
    /// Another person has to say yes.
    public var requireApproval: Bool?

    public init(
        cluster: String, release: String, disk: String? = nil, eraseExistingData: Bool? = nil,
        role: Machine.NodeRole? = nil, requireApproval: Bool? = nil
    ) {
        (self.cluster, self.release, self.disk, self.eraseExistingData) = (cluster, release, disk, eraseExistingData)
        (self.role, self.requireApproval) = (role, requireApproval)
    }
}

/// `POST /api/v1/machines/{id}/power` → 200 ``PowerView``. `GET` of the same path reads it.
public struct PowerRequest: Codable, Sendable {
    public var action: PowerAction

    public init(action: PowerAction) { self.action = action }
}

public struct PowerView: Codable, Sendable {
    public var power: PowerState

    public init(power: PowerState) { self.power = power }
}

/// `POST /api/v1/os-releases` → 201 ``OSReleaseView``. Its files go up first, by `PUT /api/v1/images/{sha256}`.
public struct OSReleaseRequest: Codable, Sendable {
    public var name: String
    public var os: String
    public var version: String
    public var architecture: String
    /// Nil: the best one that there are files for.
    public var route: InstallRoute?
    public var artifacts: [ArtifactRole: Artifact]
    public var parameters: [String: String]?
    public var minimumDiskBytes: Int64
    public var labels: [String: String]?

    public init(
        name: String, os: String, version: String, architecture: String, route: InstallRoute? = nil,
        artifacts: [ArtifactRole: Artifact], parameters: [String: String]? = nil, minimumDiskBytes: Int64,
        labels: [String: String]? = nil
    ) {
        (self.name, self.os, self.version, self.architecture) = (name, os, version, architecture)
        (self.route, self.artifacts, self.parameters) = (route, artifacts, parameters)
        (self.minimumDiskBytes, self.labels) = (minimumDiskBytes, labels)
    }
}

/// `PATCH /api/v1/os-releases/{name}` → 200 ``OSReleaseView``.
public struct OSReleaseChange: Codable, Sendable {
    /// See ``OSRelease/allowsPlainHTTP``.
    public var allowsPlainHTTP: Bool

    public init(allowsPlainHTTP: Bool) { self.allowsPlainHTTP = allowsPlainHTTP }
}

/// `POST /api/v1/release-fetches` → 202 ``ReleaseFetchView``: a release as its makers publish it, or one whose files are in registries.
public struct ReleaseFetchRequest: Codable, Sendable {
    public var os: String
    public var version: String
    /// `amd64`, `arm64`.
    public var architecture: String
    /// Absent: the system, its version, and what is not amd64.
    public var name: String?
    /// Absent: the best that there are files for.
    public var route: InstallRoute?
    /// Where its files are; absent: where its makers publish them.
    public var files: Files?

    public struct Files: Codable, Sendable {
        /// `oci://REGISTRY/REPOSITORY@sha256:HEX`, and `#TITLE` where there are several.
        public var references: [ArtifactRole: String]
        /// Files that are in the library.
        public var artifacts: [ArtifactRole: Artifact]?
        public var parameters: [String: String]?
        public var minimumDiskBytes: Int64?

        public init(
            references: [ArtifactRole: String], artifacts: [ArtifactRole: Artifact]?, parameters: [String: String]?,
            minimumDiskBytes: Int64?
        ) {
            (self.references, self.artifacts) = (references, artifacts)
            (self.parameters, self.minimumDiskBytes) = (parameters, minimumDiskBytes)
        }
    }

    /// Of Talos: made for a schematic. Absent: as its makers publish it.
    public var factory: ReleaseFetch.Factory?
    /// SHA-256 or SHA-512 of files, in hex, by their names: each stands in for what is published beside the file.
    public var digests: [String: String]?

    public init(
        os: String, version: String, architecture: String, name: String? = nil, route: InstallRoute? = nil,
        files: Files? = nil, factory: ReleaseFetch.Factory? = nil, digests: [String: String]? = nil
    ) {
        (self.os, self.version, self.architecture) = (os, version, architecture)
        (self.name, self.route, self.files) = (name, route, files)
        (self.factory, self.digests) = (factory, digests)
    }
}

/// `POST /api/v1/clusters` → 201 ``ClusterView``.
public struct ClusterRequest: Codable, Sendable {
    public var name: String
    public var kind: Cluster.Flavor
    public var labels: [String: String]?
    /// What its machines are told. Absent: nothing beside what its kind says.
    public var join: ClusterSettings?

    public init(name: String, kind: Cluster.Flavor, labels: [String: String]? = nil, join: ClusterSettings? = nil) {
        (self.name, self.kind, self.labels, self.join) = (name, kind, labels, join)
    }
}
