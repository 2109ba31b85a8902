"""A rack of QEMU machines with real firmware, each with a simulated BMC, on a bridge in a network namespace of its own."""
