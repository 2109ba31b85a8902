import Glibc
import NetworkAddresses

/// `slipway-agent` from its first instruction to its last.
public enum AgentMain {
    /// - Parameter arguments: none for PID 1; see ``usage`` for a program started by hand.
    public static func main(_ arguments: [String]) async {
        guard Startup.isPID1 else { return await byHand(arguments) }
        Startup.mountFileSystems()
        Console.say("version \(AgentRunner.version)")
        let files = SystemFiles()
        let commandLine = KernelCommandLine(files.text("/proc/cmdline") ?? "")
        guard let mac = commandLine.mac else { Startup.giveUp(incomplete) }
        let drivers = Drivers()
        if commandLine.vlan != nil { drivers.load(["8021q"]) }
        drivers.loadForDevices(where: ModuleLoader.isNetwork)
        let (leases, first) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        AgentThread.start("network") {
            AgentNetwork(commandLine: commandLine).run { _ in first.yield() }
            Startup.giveUp(
                "no network interface with the address \(mac) appears; is its driver or firmware in the agent image?")
        }
        // Disks spin up while the network does.
        AgentThread.start("drivers") {
            drivers.loadForDevices()
            for line in MissingFirmware.read(files) { Console.say(line) }
        }
        for await _ in leases { break }
        let machine = RealMachine(drivers: drivers)
        await work(commandLine, machine)
    }

    private static let usage = """
        this is the agent of a provisioning boot: it runs as PID 1 of its own initramfs; on another host
          slipway-agent --simulate DIR KERNEL-ARGUMENT...   does its work on a machine made of files
          slipway-agent --network slipway.mac=MAC ...       only brings up one interface of this network namespace
        """

    private static func byHand(_ arguments: [String]) async {
        let commandLine = KernelCommandLine(arguments.dropFirst().joined(separator: " "))
        switch (arguments.first, arguments.count) {
        case ("--simulate", 3...):
            do {
                await work(commandLine, try SimulatedMachine(directory: arguments[1]))
            } catch {
                Startup.giveUp("\(error)")
            }
        case ("--network", 2...) where commandLine.mac != nil:
            AgentNetwork(commandLine: commandLine).run { _ in }
            Startup.giveUp("no network interface has the address \(commandLine.mac.map { "\($0)" } ?? "")")
        default:
            Console.say(usage)
            exit(64)
        }
    }

    private static let incomplete =
        "the kernel command line lacks slipway.server, slipway.ca, slipway.ticket or slipway.mac"

    /// Returns only on a simulated machine, which was left then.
    private static func work(_ commandLine: KernelCommandLine, _ machine: any MachineControl) async {
        guard let server = commandLine.server, let pin = commandLine.pin, let ticket = commandLine.ticket,
            let mac = commandLine.mac
        else { Startup.giveUp(incomplete) }
        let runner = AgentRunner(
            client: DaemonClient(host: server.host, port: server.port, pin: pin), ticket: ticket, mac: mac,
            machine: machine)
        do {
            try await runner.run()
        } catch {
            Startup.giveUp("\(error)")
        }
        if Startup.isPID1 { Startup.giveUp("the machine was not left") }
    }
}

/// Lines of the kernel's log that name firmware files it did not find.
enum MissingFirmware {
    static func read(_ files: SystemFiles) -> [String] {
        let descriptor = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var found: [String] = []
        var buffer = [UInt8](repeating: 0, count: 8192)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            // EPIPE: the ring overran this reader, which goes on with the next record.
            guard count > 0 || (count < 0 && errno == EPIPE) else { return found }
            guard count > 0 else { continue }
            if let words = words(of: String(decoding: buffer.prefix(count), as: UTF8.self)), !found.contains(words) {
                found.append(words)
            }
        }
    }

    /// Pure: the warning for one record of the kernel's log, nil when it is about something else.
    static func words(of record: String) -> String? {
        guard let text = record.split(separator: ";", maxSplits: 1).last?.split(separator: "\n").first else {
            return nil
        }
        guard text.contains("irect firmware load for") || text.contains("ailed to load firmware") else { return nil }
        return "missing firmware, build the agent image with FIRMWARE_DIR: \(text)"
    }
}
