"""Firmware in QEMU that boots from slipwayd: what the virtual rack does not show."""
