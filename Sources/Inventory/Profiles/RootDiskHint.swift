/// Which disk a system is to be installed on. Facts narrow the candidates; there is no "first" disk.
public struct RootDiskHint: Codable, Equatable, Sendable {
    public var serial: String?
    public var wwn: String?
    /// `/dev/…`: only a person writes this, for a disk that has neither serial nor WWN.
    public var path: String?
    public var model: String?
    public var transports: [DiskTransport]?
    public var minimumBytes: Int64?
    public var maximumBytes: Int64?
    public var rotational: Bool?
    /// What decides when more than one disk fits.
    public var choose: Choice?

    public enum Choice: String, Codable, Sendable, CaseIterable { case smallest, largest }

    public init(
        serial: String? = nil, wwn: String? = nil, path: String? = nil, model: String? = nil,
        transports: [DiskTransport]? = nil, minimumBytes: Int64? = nil, maximumBytes: Int64? = nil,
        rotational: Bool? = nil, choose: Choice? = nil
    ) {
        (self.serial, self.wwn, self.path, self.model) = (serial, wwn, path, model)
        (self.transports, self.minimumBytes, self.maximumBytes) = (transports, minimumBytes, maximumBytes)
        (self.rotational, self.choose) = (rotational, choose)
    }
}
