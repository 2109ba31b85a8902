// swift-tools-version:6.2
import PackageDescription

// Machines for the fleet simulator, see `run`: the real agent and the simulated BMC, with a firmware, a disk and a node around them.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func product(_ name: String, _ package: String) -> Target.Dependency { .product(name: name, package: package) }

let nioCore = product("NIOCore", "swift-nio")
let nioPosix = product("NIOPosix", "swift-nio")
let nioHTTP1 = product("NIOHTTP1", "swift-nio")
let crypto = product("Crypto", "swift-crypto")
let cryptoExtras = product("CryptoExtras", "swift-crypto")

let package = Package(
    name: "simulate",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    ],
    targets: [
        library("WireBytes"),
        library("NetworkAddresses"),
        library("DHCP", ["WireBytes", "NetworkAddresses"]),
        library("TFTP", ["WireBytes"]),
        library("IPMI", ["WireBytes", crypto, cryptoExtras]),
        library("SMBIOS"),
        library("LLDP", ["WireBytes", "NetworkAddresses"]),
        library("TPM", ["WireBytes", crypto]),
        library("Inventory", ["NetworkAddresses"]),
        library("Machines", ["NetworkAddresses", "DHCP", "Inventory", crypto]),
        library("APIModel", ["NetworkAddresses", "Inventory", "Machines"]),
        .target(name: "CAgent"),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        library(
            "AgentCore",
            [
                "CAgent", "CZstd", "DHCP", "IPMI", "LLDP", "SMBIOS", "TPM", "NetworkAddresses", "Inventory", "Machines",
                "APIModel", "WireBytes", nioCore, nioPosix, nioHTTP1, product("NIOSSL", "swift-nio-ssl"),
                product("NIOConcurrencyHelpers", "swift-nio"), crypto,
            ]),
        library("BMCSimulator", ["WireBytes", nioCore, nioPosix, crypto, cryptoExtras]),
        .executableTarget(
            name: "Fleet",
            dependencies: [
                "AgentCore", "APIModel", "BMCSimulator", "DHCP", "Inventory", "Machines", "NetworkAddresses", "TFTP",
                nioCore, nioPosix, nioHTTP1,
            ], swiftSettings: settings),
    ]
)
