/// A user of the BMC (ManagerAccount schema).
public struct ManagerAccount: Equatable, Sendable {
    public var path: ResourcePath
    public var userName: String

    public init?(_ json: JSON) {
        guard let path = json.path, let name = json["UserName"]?.text else { return nil }
        (self.path, userName) = (path, name)
    }
}

/// The state of Secure Boot (SecureBoot schema).
public struct SecureBoot: Equatable, Sendable {
    /// What is set for the next boot.
    public var isEnabled: Bool?
    /// Of the boot that runs: `Enabled`, `Disabled`.
    public var current: String?
    /// `DeployedMode`, `UserMode`, `SetupMode`, `AuditMode`.
    public var mode: String?

    public init(_ json: JSON) {
        isEnabled = json["SecureBootEnable"]?.bool
        current = json["SecureBootCurrentBoot"]?.text
        mode = json["SecureBootMode"]?.text
    }
}

/// The attributes of a BIOS as texts (Bios schema, Attributes).
public func biosAttributes(_ json: JSON) -> [String: String] {
    (json["Attributes"]?.object ?? [:]).compactMapValues { value in
        switch value {
        case .string(let text): text
        case .bool, .number: value.description
        case .null: ""
        case .array, .object: nil
        }
    }
}
