import NetworkAddresses

enum MACSample {
    /// `52:54:00:00:00:NN`.
    static func address(_ number: Int) -> MACAddress { MACAddress(rawValue: 0x5254_0000_0000 | UInt64(number)) }
}
