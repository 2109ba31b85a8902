// swift-tools-version:6.2
import PackageDescription

// Figures of the matcher and the identity resolver: `make bench-inventory`. The machines and profiles are those of InventoryTests.
let settings: [SwiftSetting] = [.swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny")]

let package = Package(
    name: "inventory-bench",
    targets: [
        .target(name: "NetworkAddresses", swiftSettings: settings),
        .target(name: "Inventory", dependencies: ["NetworkAddresses"], swiftSettings: settings),
        .executableTarget(
            name: "InventoryBench", dependencies: ["Inventory", "NetworkAddresses"], swiftSettings: settings),
    ]
)
