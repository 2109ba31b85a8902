/// The port of a switch that a NIC is connected to, as the switch announces it (IEEE 802.1AB).
public struct LLDPNeighbour: Codable, Equatable, Sendable {
    /// Name of the switch; its chassis' id where it has none.
    public var system: String
    /// Id of the port, such as `Ethernet1/7`.
    public var port: String
    public var portDescription: String?
    /// Of untagged frames; nil: not told.
    public var vlan: Int?

    public init(system: String, port: String, portDescription: String? = nil, vlan: Int? = nil) {
        (self.system, self.port, self.portDescription, self.vlan) = (system, port, portDescription, vlan)
    }
}
