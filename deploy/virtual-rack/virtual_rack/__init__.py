"""A rack of QEMU machines with real firmware and simulated BMCs, on a bridge in a network namespace of its own."""
