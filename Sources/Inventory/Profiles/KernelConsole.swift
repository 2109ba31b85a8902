/// One console of a Linux kernel, as its `console=` argument names it: `ttyS1,115200n8` (the kernel's admin-guide/serial-console).
public struct KernelConsole: Hashable, Sendable, CustomStringConvertible {
    public enum Parity: String, Sendable { case none = "n", odd = "o", even = "e" }

    /// `ttyS1`, `ttyAMA0`, `hvc0`, `tty0`.
    public let device: String
    /// In bits per second; nil: the kernel's default, which is 9600.
    public let baud: Int?
    /// Nil: none.
    public let parity: Parity?
    /// 7 or 8; nil: 8.
    public let bits: Int?
    /// By RTS and CTS.
    public let flowControl: Bool

    /// UARTs of PCs, of Arm's PL011, and hypervisors' consoles; the screen is `tty0`. USB adapters are not: their driver is not there when the
    /// kernel looks for its console.
    public static let devices =
        ["tty0"] + (0...9).map { "ttyS\($0)" } + (0...3).map { "ttyAMA\($0)" } + (0...7).map { "hvc\($0)" }
    /// Rates that 16550s and PL011s have.
    public static let rates = [9600, 19200, 38400, 57600, 115_200, 230_400, 460_800, 921_600, 1_500_000]

    /// Reads `device`, or `device,baud` with parity (`n`, `o`, `e`), bits and `r` for flow control behind it.
    /// - Throws: ``KernelConsoleError``.
    public init(parsing text: String) throws(KernelConsoleError) {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard let name = parts.first.map(String.init), Self.devices.contains(name) else {
            throw .unknownDevice(String(parts.first ?? ""))
        }
        device = name
        guard parts.count > 1 else {
            (baud, parity, bits, flowControl) = (nil, nil, nil, false)
            return
        }
        guard parts.count == 2 else { throw .badOptions(text) }
        guard name.hasPrefix("ttyS") || name.hasPrefix("ttyAMA") else { throw .noOptions(name) }
        var rest = parts[1]
        let digits = rest.prefix { ("0"..."9").contains($0) }
        guard let rate = Int(digits), Self.rates.contains(rate) else { throw .badRate(String(digits)) }
        rest = rest.dropFirst(digits.count)
        let parity = rest.first.flatMap { Parity(rawValue: String($0)) }
        if parity != nil { rest = rest.dropFirst() }
        let bits = rest.first.flatMap { $0 == "7" ? 7 : $0 == "8" ? 8 : nil }
        if bits != nil { rest = rest.dropFirst() }
        // In the kernel's order each needs the one before it.
        guard bits == nil || parity != nil, rest.isEmpty || (rest == "r" && bits != nil) else {
            throw .badOptions(text)
        }
        (baud, self.parity, self.bits, flowControl) = (rate, parity, bits, rest == "r")
    }

    public var description: String {
        guard let baud else { return device }
        return "\(device),\(baud)" + (parity?.rawValue ?? "") + (bits.map(String.init) ?? "") + (flowControl ? "r" : "")
    }

    /// `console=ttyS1,115200n8`.
    public var argument: KernelArgument { KernelArgument(made: Self.key, description) }

    static let key = "console"
}

public enum KernelConsoleError: Error, Equatable, CustomStringConvertible {
    case unknownDevice(String)
    case noOptions(String)
    case badRate(String)
    case badOptions(String)

    public var description: String {
        switch self {
        case .unknownDevice(let name):
            "\(name.debugDescription) is no console of Linux: there are tty0, ttyS0 to ttyS9, ttyAMA0 to ttyAMA3, and hvc0 to hvc7"
        case .noOptions(let name): "\(name) has no speed: write it alone"
        case .badRate(let rate):
            "\(rate.isEmpty ? "nothing" : rate) is no speed of a serial port: there are "
                + KernelConsole.rates.map(String.init).joined(separator: ", ")
        case .badOptions(let text):
            "\(text) is not a console such as ttyS1,115200 or ttyS1,115200n8: behind the speed stand parity (n, o, e), bits (7, 8) "
                + "and r for flow control"
        }
    }
}
