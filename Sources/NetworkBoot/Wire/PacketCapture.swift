import CPcap
import Glibc
import NetworkAddresses
import Synchronization

/// Reads UDP datagrams off an interface, and puts others on it, beside a socket of another program that has the port: libpcap with a
/// filter in the kernel.
final class PacketCapture: Sendable {
    let interface: String
    /// Of the interface.
    let mac: MACAddress
    private let filter: String
    /// Sends only, and by one thread at a time; what captures has a handle of its own, which its thread alone knows.
    private let injector: Mutex<Handle>
    private let isOver = Atomic(false)

    /// - Parameters:
    ///   - port: the datagrams that go there.
    ///   - addresses: those of ours; broadcasts are read besides. The other program's unicasts are its own.
    /// - Throws: ``BootServiceError``, with what to look at.
    init(interface: String, port: Int, addresses: Set<IPv4Address>) throws {
        self.interface = interface
        let hosts = (["255.255.255.255"] + addresses.map(\.description).sorted()).map { "dst host \($0)" }
        filter = "ip and udp dst port \(port) and (\(hosts.joined(separator: " or ")))"
        guard let mac = Self.mac(of: interface) else {
            throw BootServiceError("\(interface) has no Ethernet address; see `ip link`")
        }
        self.mac = mac
        // Nothing passes this filter: the handle sends.
        injector = Mutex(try Handle(interface, filter: "less 1"))
    }

    private static func mac(of interface: String) -> MACAddress? {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return nil }
        defer { freeifaddrs(list) }
        for entry in sequence(first: list, next: { $0?.pointee.ifa_next }) {
            guard let entry, let address = entry.pointee.ifa_addr,
                String(cString: entry.pointee.ifa_name) == interface
            else { continue }
            // struct sockaddr_ll: family (2), protocol (2), index (4), hardware type (2), packet type (1), length (1), address (8).
            let bytes = UnsafeRawBufferPointer(start: UnsafeRawPointer(address), count: 20)
            guard bytes.loadUnaligned(as: UInt16.self) == UInt16(AF_PACKET) else { continue }
            return bytes[11] == 6 ? MACAddress(bytes: bytes[12..<18]) : nil
        }
        return nil
    }

    /// Reads until ``end()``, on the thread that calls; gives each datagram to `take`.
    /// - Throws: ``BootServiceError`` when the interface cannot be captured from, or went away.
    func run(_ take: (DatagramFrame) -> Void) throws {
        let handle = try Handle(interface, filter: filter)
        while !isOver.load(ordering: .acquiring) {
            // Twice a second it looks whether it is to end.
            var wanted = pollfd(fd: handle.descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&wanted, 1, 500) > 0 else { continue }
            while let frame = try handle.next() {
                if let datagram = DatagramFrame(parsing: frame) { take(datagram) }
            }
        }
    }

    func end() { isOver.store(true, ordering: .releasing) }

    /// Puts a frame on the wire. What cannot be sent is lost, as on the wire.
    func send(_ frame: DatagramFrame) {
        let bytes = frame.encoded
        injector.withLock { _ = pcap_inject($0.pointer, bytes, bytes.count) }
    }

    /// One open capture.
    private struct Handle: ~Copyable {
        let pointer: OpaquePointer
        let descriptor: Int32

        init(_ interface: String, filter: String) throws {
            var words = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
            guard let pointer = pcap_create(interface, &words) else {
                throw BootServiceError("cannot capture on \(interface): \(Self.text(words))")
            }
            func failed(_ what: String) -> BootServiceError {
                let why = String(cString: pcap_geterr(pointer))
                pcap_close(pointer)
                return BootServiceError("cannot \(what) on \(interface): \(why); slipwayd needs root or CAP_NET_RAW")
            }
            // Each packet at once, not when a buffer is full; only what is for this host.
            pcap_set_immediate_mode(pointer, 1)
            pcap_set_promisc(pointer, 0)
            pcap_set_snaplen(pointer, 2048)
            pcap_set_timeout(pointer, 100)
            guard pcap_activate(pointer) >= 0 else { throw failed("capture") }
            guard pcap_datalink(pointer) == DLT_EN10MB else { throw failed("read anything but Ethernet") }
            // Not what we sent ourselves.
            _ = pcap_setdirection(pointer, PCAP_D_IN)
            var program = bpf_program()
            guard pcap_compile(pointer, &program, filter, 1, PCAP_NETMASK_UNKNOWN) == 0 else { throw failed("filter") }
            let isSet = pcap_setfilter(pointer, &program) == 0
            pcap_freecode(&program)
            guard isSet, pcap_setnonblock(pointer, 1, &words) == 0 else { throw failed("filter") }
            (self.pointer, descriptor) = (pointer, pcap_get_selectable_fd(pointer))
        }

        deinit { pcap_close(pointer) }

        /// The next frame; nil when there is none now.
        func next() throws -> [UInt8]? {
            var header: UnsafeMutablePointer<pcap_pkthdr>?
            var bytes: UnsafePointer<UInt8>?
            switch pcap_next_ex(pointer, &header, &bytes) {
            case 1:
                guard let header, let bytes else { return nil }
                return Array(UnsafeBufferPointer(start: bytes, count: Int(header.pointee.caplen)))
            case 0: return nil
            default: throw BootServiceError("the capture ended: \(String(cString: pcap_geterr(pointer)))")
            }
        }

        private static func text(_ words: [CChar]) -> String {
            String(decoding: words.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }
}
