// swift-tools-version:6.2
import PackageDescription

// The modules that read strangers' bytes, built once more with coverage for libFuzzer. See `run`.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny"),
    .unsafeFlags(["-sanitize=fuzzer", "-enable-testing", "-parse-as-library"]),
]

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func product(_ name: String, _ package: String) -> Target.Dependency { .product(name: name, package: package) }

let package = Package(
    name: "fuzz",
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        library("WireBytes"),
        library("NetworkAddresses"),
        library("DHCP", ["WireBytes", "NetworkAddresses"]),
        library("TFTP", ["WireBytes"]),
        library("IPMI", ["WireBytes", product("Crypto", "swift-crypto"), product("CryptoExtras", "swift-crypto")]),
        library("SMBIOS"),
        library("LLDP", ["WireBytes", "NetworkAddresses"]),
        library("Redfish"),
        library("Inventory", ["NetworkAddresses"]),
        library("Machines", ["NetworkAddresses", "DHCP", "Inventory", product("Crypto", "swift-crypto")]),
        .systemLibrary(name: "CPcap", pkgConfig: "libpcap", providers: [.apt(["libpcap-dev"])]),
        .target(name: "CDatagrams"),
        library(
            "NetworkBoot",
            [
                "CDatagrams", "CPcap",
                "WireBytes", "NetworkAddresses", "DHCP", "TFTP", "Inventory", "Machines",
                product("NIOCore", "swift-nio"), product("NIOPosix", "swift-nio"), product("NIOHTTP1", "swift-nio"),
                product("NIOSSL", "swift-nio-ssl"), product("NIOTLS", "swift-nio"), product("SwiftASN1", "swift-asn1"),
                product("Logging", "swift-log"), product("CoreMetrics", "swift-metrics"),
                product("ServiceLifecycle", "swift-service-lifecycle"),
            ]),
        .executableTarget(
            name: "Fuzz", dependencies: ["DHCP", "TFTP", "IPMI", "SMBIOS", "LLDP", "Redfish", "NetworkBoot"],
            swiftSettings: settings,
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])]),
    ]
)
