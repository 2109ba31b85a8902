"""Tests of the agent's boot image: QEMU machines on networks, and with NICs, that a development host does not have."""
