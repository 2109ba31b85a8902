/// Makers of BMCs by IANA's private enterprise number, which is what Get Device ID tells. Open.
public struct Manufacturer: RawRepresentable, Hashable, Sendable {
    public var rawValue: Int

    public init(rawValue: Int) { self.rawValue = rawValue }

    public static let huawei = Self(rawValue: 2011)
    public static let nvidia = Self(rawValue: 5703)
    public static let lenovo = Self(rawValue: 19046)
    public static let xFusion = Self(rawValue: 58132)

    /// Nil where this table has none. From IANA's registry of private enterprise numbers, by the makers' usual names.
    public var name: String? { Self.names[rawValue] }

    private static let names: [Int: String] = [
        2: "IBM", 11: "HP", 42: "Sun", 107: "Bull", 116: "Hitachi", 119: "NEC", 343: "Intel", 674: "Dell",
        2011: "Huawei", 2623: "ASUS", 4337: "RadiSys", 5703: "NVIDIA", 5771: "Cisco", 6653: "Tyan", 7244: "Quanta",
        10368: "Fujitsu", 10876: "Supermicro", 11183: "MiTAC", 15370: "GIGABYTE", 19046: "Lenovo",
        20974: "American Megatrends", 22238: "Foxconn", 25506: "H3C", 37945: "Inspur", 40092: "Wiwynn",
        // Not registered to it: boards of its X9 generation and later say so (ipmitool has it as Supermicro's, too).
        47488: "Supermicro",
        47196: "HPE", 48512: "Inspur", 49622: "ASRock Rack", 49871: "OpenBMC", 52538: "Ampere", 58132: "xFusion",
        61878: "H3C",
    ]
}
