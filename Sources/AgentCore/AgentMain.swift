import APIModel
import Glibc
import Inventory
import NetworkAddresses

/// `slipway-agent` from its first instruction to its last.
public enum AgentMain {
    /// - Parameter arguments: none for PID 1; see ``usage`` for a program started by hand.
    public static func main(_ arguments: [String]) async {
        guard Startup.isPID1 else { return await byHand(arguments) }
        Startup.mountFileSystems()
        Console.say("version \(Version.current)")
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
        }
        let endorsementKey = EndorsementKeyQuestion.ofKernel(files: files)
        endorsementKey.begin()
        let neighbours = NeighbourTable()
        AgentThread.start("neighbours") { NeighbourListener(files: files, table: neighbours).run() }
        AgentThread.start("missing firmware") { MissingFirmware.follow() }
        for await _ in leases { break }
        if let syslog = commandLine.syslog {
            Console.forward(to: syslog.address, port: syslog.port)
            AgentThread.start("kernel log") { KernelLog.follow() }
        }
        let machine = RealMachine(drivers: drivers, neighbours: neighbours, endorsementKey: endorsementKey)
        await work(commandLine, machine)
    }

    private static let usage = """
        this is the agent of a provisioning boot: it runs as PID 1 of its own initramfs; on another host
          slipway-agent --simulate DIR KERNEL-ARGUMENT...   does its work on a machine made of files
          slipway-agent --network slipway.mac=MAC ...       only brings up one interface of this network namespace
          slipway-agent --neighbours                        only says what switches say of themselves
          slipway-agent --endorsement-key                   only says the hash of the TPM's endorsement key
          slipway-agent --write-image \(WriteByHand.usage)
                                                            only writes an image to a plain file or a loop device
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
        case ("--neighbours", 1):
            NeighbourListener(files: SystemFiles(), table: NeighbourTable()).run { name, unit in
                let neighbour = LLDPNeighbour(unit)
                let vlan = neighbour.vlan.map { ", VLAN \($0)" } ?? ""
                Console.say("\(name) is at \(neighbour.system), port \(neighbour.port)\(vlan)")
            }
            Startup.giveUp("this needs root")
        case ("--endorsement-key", 1):
            let hash = EndorsementKeyQuestion.ofKernel(files: SystemFiles()).hash(within: .seconds(300))
            Console.say(hash.map { "endorsement key \($0)" } ?? "/dev/tpmrm0 does not tell an endorsement key")
            exit(hash == nil ? 1 : 0)
        case ("--write-image", 2...):
            do {
                try WriteByHand.run(Array(arguments.dropFirst()))
            } catch {
                Startup.giveUp("\(error)")
            }
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
