import Glibc
import NIOCore
import NetworkAddresses

/// Sends datagrams on a socket at once, past the channel that reads it: one system call for a whole window of equal datagrams, and
/// none of the file's bytes copied before the kernel does. Lives on one event loop.
final class DatagramSender {
    /// The kernel's bound for one call (UDP_MAX_SEGMENTS), and what one call's length field holds.
    static let maximumSegments = 64
    static let maximumBytes = 65_000

    /// A destination as the kernel takes it.
    struct Address {
        var storage = sockaddr_storage()
        var length: socklen_t

        /// Without the detours of `SocketAddress`: every answer of DHCP comes this way.
        init(_ address: NetworkAddresses.IPv4Address, port: UInt16) {
            length = socklen_t(MemoryLayout<sockaddr_in>.size)
            withUnsafeMutableBytes(of: &storage) {
                // struct sockaddr_in: family (2), port (2), address (4).
                $0.storeBytes(of: UInt16(AF_INET), as: UInt16.self)
                $0.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
                $0.storeBytes(of: address.rawValue.bigEndian, toByteOffset: 4, as: UInt32.self)
            }
        }

        /// As the kernel gave it.
        init(_ storage: sockaddr_storage) {
            self.storage = storage
            length = socklen_t(
                Self.isIPv4(storage) ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size)
        }

        init(_ address: SocketAddress) {
            length = 0
            address.withSockAddr { pointer, size in
                length = socklen_t(size)
                withUnsafeMutableBytes(of: &storage) {
                    $0.copyMemory(from: UnsafeRawBufferPointer(start: pointer, count: min(size, $0.count)))
                }
            }
        }

        /// Nil for none of IP.
        var socketAddress: SocketAddress? {
            withUnsafeBytes(of: storage) { bytes in
                if Self.isIPv4(storage) { return SocketAddress(bytes.loadUnaligned(as: sockaddr_in.self)) }
                return bytes.loadUnaligned(as: UInt16.self) == UInt16(AF_INET6)
                    ? SocketAddress(bytes.loadUnaligned(as: sockaddr_in6.self)) : nil
            }
        }

        // The family comes first in every sockaddr.
        private static func isIPv4(_ storage: sockaddr_storage) -> Bool {
            withUnsafeBytes(of: storage) { $0.loadUnaligned(as: UInt16.self) == UInt16(AF_INET) }
        }
    }

    private let vectors = UnsafeMutableBufferPointer<iovec>.allocate(capacity: 2 * maximumSegments)
    private let headers = UnsafeMutableRawBufferPointer.allocate(byteCount: 4 * maximumSegments, alignment: 4)
    /// One control message: SOL_UDP, UDP_SEGMENT, sixteen bits (udp(7)).
    private let control = UnsafeMutableRawBufferPointer.allocate(byteCount: 24, alignment: 8)

    init() {
        control.initializeMemory(as: UInt8.self, repeating: 0)
        control.storeBytes(of: MemoryLayout<cmsghdr>.size + 2, as: Int.self)
        control.storeBytes(of: 17, toByteOffset: 8, as: Int32.self)
        control.storeBytes(of: 103, toByteOffset: 12, as: Int32.self)
    }

    deinit {
        vectors.deallocate()
        headers.deallocate()
        control.deallocate()
    }

    /// Sends one datagram.
    /// - Returns: 0, or the kernel's error number.
    func send(_ bytes: UnsafeRawBufferPointer, to address: inout Address, on socket: Int32) -> Int32 {
        vectors[0] = iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
        return send(1, segment: nil, to: &address, on: socket)
    }

    /// Sends parts of a file, each behind a header of four bytes, as one datagram each. All but the last have the same length.
    /// - Returns: 0, or the kernel's error number. `EINVAL`, `EIO` and `EMSGSIZE` may mean that several at once cannot be sent that way.
    func send(
        _ parts: some Sequence<(header: UInt32, part: UnsafeRawBufferPointer)>, to address: inout Address,
        on socket: Int32
    ) -> Int32 {
        var count = 0
        var segment = 0
        for (header, part) in parts.prefix(Self.maximumSegments) {
            headers.storeBytes(of: header.bigEndian, toByteOffset: 4 * count, as: UInt32.self)
            vectors[2 * count] = iovec(iov_base: headers.baseAddress?.advanced(by: 4 * count), iov_len: 4)
            vectors[2 * count + 1] = iovec(
                iov_base: UnsafeMutableRawPointer(mutating: part.baseAddress), iov_len: part.count)
            if count == 0 { segment = 4 + part.count }
            count += 1
        }
        return send(2 * count, segment: count > 1 ? UInt16(segment) : nil, to: &address, on: socket)
    }

    private func send(_ count: Int, segment: UInt16?, to address: inout Address, on socket: Int32) -> Int32 {
        let length = address.length
        return withUnsafeMutableBytes(of: &address.storage) { storage in
            var message = msghdr()
            message.msg_name = storage.baseAddress
            message.msg_namelen = length
            message.msg_iov = vectors.baseAddress
            message.msg_iovlen = count
            if let segment {
                control.storeBytes(of: segment, toByteOffset: 16, as: UInt16.self)
                message.msg_control = control.baseAddress
                message.msg_controllen = control.count
            }
            return sendmsg(socket, &message, Int32(MSG_DONTWAIT)) < 0 ? errno : 0
        }
    }
}
