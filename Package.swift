// swift-tools-version:6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// A library target. Its layer is written down in `.layers`, and `make check` holds the imports to it.
func library(_ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], fixtures: Bool = false) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: dependencies, resources: fixtures ? [.copy("Fixtures")] : [],
        swiftSettings: settings)
}

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioFoundation = Target.Dependency.product(name: "NIOFoundationCompat", package: "swift-nio")
let nioLocks = Target.Dependency.product(name: "NIOConcurrencyHelpers", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let coreMetrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTLS = Target.Dependency.product(name: "HummingbirdTLS", package: "hummingbird")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let x509 = Target.Dependency.product(name: "X509", package: "swift-certificates")
let asn1 = Target.Dependency.product(name: "SwiftASN1", package: "swift-asn1")
let grpc = Target.Dependency.product(name: "GRPCCore", package: "grpc-swift-2")
let grpcNIO = Target.Dependency.product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "slipway",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "slipwayd", targets: ["slipwayd"]),
        .executable(name: "slipway", targets: ["slipway"]),
        .executable(name: "slipway-agent", targets: ["slipway-agent"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.3"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.2"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    ],
    targets: [
        // 0: bytes
        library("WireBytes"),
        library("NetworkAddresses"),

        // 1: protocols, without I/O
        library("DHCP", ["WireBytes", "NetworkAddresses"]),
        library("TFTP", ["WireBytes"]),
        library("IPMI", ["WireBytes", crypto, cryptoExtras]),
        library("SMBIOS"),
        library("LLDP", ["WireBytes", "NetworkAddresses"]),
        library("TPM", ["WireBytes", crypto]),
        library("Redfish"),
        library("ConfigDocuments", [yams]),

        // 2: domain, without I/O
        library("Inventory", ["NetworkAddresses"]),
        library("Machines", ["NetworkAddresses", "DHCP", "Inventory", crypto]),
        library("OperatingSystems", ["ConfigDocuments", "Machines", "Inventory", "NetworkAddresses"]),

        // 3: state and wires
        library("Store", ["Machines"]),
        library("SQLiteStore", ["Store", grdb]),
        library("ProfileFiles", ["Inventory", "Machines", "NetworkAddresses", yams]),
        library("PrometheusMetrics", [coreMetrics]),
        library("APIModel", ["NetworkAddresses", "Inventory", "Machines"]),
        library("APIClient", ["APIModel", httpClient, nioCore, nioFoundation, nioHTTP1, nioSSL]),

        // 4: services
        library(
            "NetworkBoot",
            [
                "CDatagrams", "CPcap", "WireBytes", "NetworkAddresses", "DHCP", "TFTP", "Inventory", "Machines",
                nioCore, nioPosix,
                nioHTTP1,
                nioSSL, nioTLS, asn1,
                logging,
                coreMetrics, lifecycle,
            ]),
        library(
            "PowerControl",
            [
                "IPMI", "Redfish", "Inventory", "Machines", "NetworkAddresses", nioCore, nioPosix, nioHTTP1, nioSSL,
                nioTLS, x509, asn1, crypto, logging,
            ]),
        library(
            "ImageLibrary", ["Machines", "NetworkAddresses", httpClient, crypto, nioCore, nioPosix, nioHTTP1, logging]),
        library(
            "TalosEvents",
            ["OperatingSystems", "NetworkAddresses", grpc, grpcNIO, protobuf, nioCore, logging, lifecycle],
            exclude: ["Protocol/events.proto", "Protocol/machine.proto", "Protocol/generate"]),
        library("ClusterMembership", ["Machines", "Store", logging, lifecycle]),
        library(
            "Controllers",
            [
                "APIModel", "Machines", "OperatingSystems", "Inventory", "IPMI", "NetworkAddresses", "DHCP", "Store",
                "ProfileFiles", x509, asn1, crypto, logging, metrics, lifecycle,
            ]),

        // 5: interfaces
        library(
            "APIServer",
            [
                "APIModel", "Machines", "Inventory", "NetworkAddresses", "ProfileFiles", "Store", "Controllers",
                "ClusterMembership", "ImageLibrary", hummingbird, hummingbirdCore, hummingbirdTLS, nioCore,
                nioHTTPTypes, nioSSL, nioTLS, logging,
                lifecycle, httpTypes,
            ]),

        // 6: programs
        library(
            "DaemonCore",
            [
                "APIServer", "APIModel", "Controllers", "NetworkBoot", "PowerControl", "ImageLibrary",
                "ClusterMembership", "TalosEvents",
                "SQLiteStore", "Store", "ProfileFiles", "PrometheusMetrics", "Inventory", "Machines", "DHCP",
                "NetworkAddresses", "CMalloc", x509,
                crypto, cryptoExtras,
                nioCore, nioPosix, nioSSL,
                asn1, lifecycle, signals, logging, coreMetrics,
            ]),
        program("slipwayd", ["DaemonCore", argumentParser]),
        library(
            "Commands",
            [
                "APIClient", "APIModel", "ProfileFiles", "Machines", "Inventory", "NetworkAddresses", nioCore, crypto,
                argumentParser,
            ]),
        program("slipway", ["Commands"]),
        .target(name: "CAgent"),
        .target(name: "CDatagrams"),
        .systemLibrary(name: "CPcap", pkgConfig: "libpcap", providers: [.apt(["libpcap-dev"])]),
        .systemLibrary(name: "CMalloc"),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        library(
            "AgentCore",
            [
                "CAgent", "CZstd", "DHCP", "IPMI", "LLDP", "SMBIOS", "TPM", "NetworkAddresses", "Inventory", "Machines",
                "APIModel",
                "WireBytes",
                nioCore, nioPosix, nioHTTP1, nioSSL, nioLocks, crypto,
            ]),
        program("slipway-agent", ["AgentCore"]),

        // tests
        library("TestSupport"),
        library("BMCSimulator", ["WireBytes", nioCore, nioPosix, crypto, cryptoExtras]),
        library("RedfishSimulator", [nioCore, nioPosix, nioHTTP1, nioSSL, x509, asn1, crypto]),
        tests("TestSupport", ["TestSupport"]),
        tests("WireBytes", ["WireBytes", "TestSupport"]),
        tests("NetworkAddresses", ["NetworkAddresses"]),
        tests("DHCP", ["DHCP", "NetworkAddresses", "TestSupport"], fixtures: true),
        tests("LLDP", ["LLDP", "TestSupport"]),
        tests("TFTP", ["TFTP", "TestSupport"]),
        tests("IPMI", ["IPMI", "TestSupport"]),
        tests("TPM", ["TPM", "TestSupport", crypto]),
        tests("Redfish", ["Redfish", "TestSupport"]),
        tests("ConfigDocuments", ["ConfigDocuments", "TestSupport"]),
        tests(
            "OperatingSystems", ["OperatingSystems", "ConfigDocuments", "Machines", "NetworkAddresses", "TestSupport"],
            fixtures: true),
        tests(
            "ImageLibrary", ["ImageLibrary", "Machines", "NetworkAddresses", "TestSupport", crypto, logging, nioCore]),
        tests(
            "TalosEvents",
            [
                "TalosEvents", "OperatingSystems", "Machines", "NetworkAddresses", "TestSupport", grpc, grpcNIO,
                protobuf,
                nioCore, nioPosix, lifecycle, logging,
            ]),
        tests(
            "RedfishControl", ["PowerControl", "Redfish", "RedfishSimulator", "Machines", "TestSupport", logging, x509]),
        tests("SMBIOS", ["SMBIOS", "TestSupport"], fixtures: true),
        tests(
            "PowerControl",
            [
                "PowerControl", "IPMI", "BMCSimulator", "Inventory", "Machines", "NetworkAddresses", "TestSupport",
                nioCore,
                nioPosix, logging,
            ]),
        tests("Inventory", ["Inventory", "NetworkAddresses"]),
        tests("ProfileFiles", ["ProfileFiles", "Inventory", "Machines", "NetworkAddresses"]),
        tests(
            "Controllers",
            [
                "Controllers", "ClusterMembership", "ImageLibrary", "APIModel", "DHCP", "IPMI", "Machines", "Inventory",
                "NetworkAddresses",
                "Store", "TestSupport",
                crypto, logging,
            ]),
        tests("Machines", ["Machines", "Inventory", "NetworkAddresses", "DHCP", "TestSupport", crypto]),
        tests("PrometheusMetrics", ["PrometheusMetrics", coreMetrics]),
        tests("Store", ["Store", "SQLiteStore", "Machines", "TestSupport"]),
        tests(
            "NetworkBoot",
            ["NetworkBoot", "DHCP", "Inventory", "Machines", "NetworkAddresses", "TestSupport", logging, nioSSL]),
        tests(
            "AgentCore",
            [
                "AgentCore", "BMCSimulator", "IPMI", "Inventory", "Machines", "NetworkAddresses", "RedfishSimulator",
                "SMBIOS", "TPM",
                "TestSupport", crypto,
            ],
            fixtures: true
        ),
        tests(
            "Commands",
            [
                "Commands", "APIClient", "Inventory", "APIModel", "Machines", "ProfileFiles", "TestSupport",
                argumentParser, crypto,
            ]),
        tests(
            "BMCFleet",
            [
                "Controllers", "PowerControl", "BMCSimulator", "Inventory", "Machines", "Store", "TestSupport", crypto,
                logging,
            ]),
        // Programs against each other.
        tests(
            "Provisioning",
            [
                "slipwayd", "slipway", "slipway-agent", "BMCSimulator", "RedfishSimulator", "Inventory",
                "NetworkAddresses", "Machines", "SQLiteStore", "Store", "TestSupport", crypto,
            ]),
    ]
)
