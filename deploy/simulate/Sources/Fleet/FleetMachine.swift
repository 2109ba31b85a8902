import AgentCore
import FoundationEssentials
import Inventory
import NIOCore
import NetworkAddresses
import Synchronization

/// One machine of the fleet: chassis, BMC, firmware, disk, and whatever runs on it.
final class FleetMachine: Sendable {
    /// What is on its one disk.
    struct Content: Sendable {
        var signatures: [String] = []
        var system: InstalledNode.Settings?
    }

    /// What becomes of one order.
    enum Fate: Sendable { case well, restarts, breaks }

    let number: Int
    let luck: Luck
    let odds: Odds
    let pace: Pace
    let chassis = Chassis()
    let bmc: FleetBMC
    let disk = Mutex(Content())
    /// Its last lease.
    private let address = Mutex<NetworkAddresses.IPv4Address?>(nil)
    private let bmcAddress: String
    private let mac: MACAddress
    private let isSlow: Bool
    private let surroundings: Surroundings

    init(number: Int, seed: UInt64, odds: Odds, pace: Pace, _ surroundings: Surroundings) {
        (self.number, self.odds, self.pace, self.surroundings) = (number, odds, pace, surroundings)
        luck = Luck(seed: seed, machine: number)
        mac = MACAddress(rawValue: 0x5254_0000_0000 + UInt64(number))
        bmcAddress = "\(NetworkAddresses.IPv4Address(rawValue: surroundings.firstBMC.rawValue + UInt32(number)))"
        bmc = FleetBMC(machine: number, chassis: chassis, luck, odds)
        isSlow = luck.falls(odds.slowDisk)
        if isSlow { Report.say(.dice, number, "slow-disk") }
    }

    /// The system on its disk was admitted, and is told how often to call.
    func note(period: Int) { disk.withLock { $0.system?.period = period } }

    func fate() -> Fate { luck.falls(odds.restart) ? .restarts : luck.falls(odds.brokenDisk) ? .breaks : .well }

    /// Of work on its disk.
    func seconds(_ range: ClosedRange<Double>) -> Double { luck.seconds(range) * (isSlow ? 4 : 1) }

    /// Plays it until the process ends.
    func run() async throws {
        try await bmc.open(at: bmcAddress)
        var start = 0
        while true {
            start = await chassis.next(after: start)
            let began = start
            bmc.note(isOn: true)
            await withTaskGroup { group in
                group.addTask {
                    do {
                        try await self.live(began)
                    } catch is CancellationError {
                    } catch {
                        Report.say(.left, self.number, "\(error)")
                    }
                    self.chassis.restart(from: began)
                }
                group.addTask { await self.chassis.end(of: began) }
                await group.next()
                group.cancelAll()
            }
        }
    }

    /// From power-on to the end of whatever was booted.
    private func live(_ start: Int) async throws {
        try await Task.sleep(for: .seconds(luck.seconds(pace.firmware)))
        Report.say(.boot, number)
        let firmware = Firmware(number: number, mac: mac, relay: surroundings.relay, luck: luck, odds: odds)
        guard let boot = await firmware.boot() else { return try await startDisk(start) }
        try Task.checkCancellation()
        Report.say(.script, number)
        address.withLock { $0 = boot.address }
        plug(boot.address, start)
        let line = boot.script.split(separator: "\n").first { $0.hasPrefix("kernel ") }
        guard let line else { return try await startDisk(start) }
        let words = KernelCommandLine(line.prefix { $0 != "|" }.description)
        guard let ticket = words.ticket, let pin = words.pin else {
            return Report.say(.trouble, number, "a script without a ticket")
        }
        surroundings.pin.note(pin)
        // Kernel and drivers.
        try await Task.sleep(for: .seconds(luck.seconds(pace.kernel)))
        let control = FleetControl(machine: self, start: start, bootID: UUID().uuidString.lowercased())
        Report.say(.agent, number)
        let client = DaemonClient(host: "\(boot.address)", port: surroundings.wirePort, pin: pin)
        try await AgentRunner(client: client, ticket: ticket, mac: mac, machine: control).run()
        switch control.exit {
        case .system: try await startDisk(start)
        case .off:
            bmc.note(isOn: false)
            chassis.off()
        case .reboot, nil: break
        }
    }

    /// From here on the address is this start's, for as long as it runs.
    private func plug(_ address: IPv4Address, _ start: Int) {
        surroundings.wire.plug(address) { [luck, odds, chassis] in
            !chassis.isRunning(start) ? .dead : luck.falls(odds.lostAnswer) ? .losesAnswer : .whole
        }
    }

    /// The firmware's next boot device, or kexec. A disk with no system lets the firmware begin again.
    private func startDisk(_ start: Int) async throws {
        try await Task.sleep(for: .seconds(luck.seconds(pace.kernel)))
        guard let system = disk.withLock({ $0.system }), let address = address.withLock({ $0 }),
            let pin = surroundings.pin.text
        else {
            return
        }
        // Also where nobody asked for an address in this start: the system has that of its former one.
        plug(address, start)
        let client = DaemonClient(host: "\(address)", port: surroundings.wirePort, pin: pin, idleTime: .zero)
        try await InstalledNode(
            machine: self, settings: system, client: client, address: "\(address)",
            bootID: UUID().uuidString.lowercased()
        ).run()
    }

    func hardware(bootID: String) -> HardwareReport {
        let signatures = disk.withLock { $0.signatures }
        return HardwareReport(
            system: .init(
                manufacturer: "Slipway", product: "Simulated", serial: Self.serial(number), uuid: Self.uuid(number)),
            firmware: .init(kind: .uefi, vendor: "EDK II", version: "1.0"),
            processor: .init(architecture: "amd64", sockets: 2, cores: 32, threads: 64),
            memory: .init(installedBytes: 256 << 30),
            disks: [
                Disk(
                    path: "/dev/nvme0n1", serial: "DISK-\(number)", model: "Simulated NVMe", sizeBytes: 960 << 30,
                    transport: .nvme, eraseMethods: [.overwrite], signatures: signatures)
            ],
            nics: [
                NIC(
                    name: "eth0", mac: mac, permanentMAC: mac, driver: "ice", pciAddress: "0000:03:00.0", linkUp: true,
                    speedMbps: 25_000)
            ], hasBMC: false, bootID: bootID)
    }

    private static func serial(_ number: Int) -> String { "SIM\(100_000 + number)" }

    private static func uuid(_ number: Int) -> SystemUUID? {
        let digits = String(number, radix: 16)
        return SystemUUID("4c4c4544-0051-4a10-8000-" + String(repeating: "0", count: 12 - digits.count) + digits)
    }
}

/// What the machines of a process share.
struct Surroundings: Sendable {
    let relay: Relay
    let wire: LossyWire
    let wirePort: Int
    let firstBMC: NetworkAddresses.IPv4Address
    let pin = SharedPin()
}

/// The installation's CA, as the first script named it: an installed system knows it by its files.
final class SharedPin: Sendable {
    private let value = Mutex<String?>(nil)

    var text: String? { value.withLock { $0 } }

    func note(_ pin: String) { value.withLock { $0 = pin } }
}

/// How long things take, in seconds: a server's minutes are a second here.
struct Pace: Sendable {
    var firmware = 0.5...2.0
    var kernel = 0.2...0.6
    var install = 1.5...4.0
    var wipe = 1.0...3.0
    var hook = 0.2...1.0
}
