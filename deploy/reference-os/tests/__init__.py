"""Tests of the reference OS: the image in QEMU machines with real firmware, against a small registry of their own."""
