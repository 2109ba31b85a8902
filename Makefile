# Everything a fresh Debian 12 machine with root and a Swift toolchain needs is installed by these steps.
#   make demo [ARGS='--servers 4 --firmware uefi']   a virtual rack from power-on to registered nodes
#   make test                                        the tests; make test-full adds the long ones
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

CACHE := .cache
BUILD := swift build
FIRMWARE_DIR ?=
ARGS ?=

.PHONY: build release programs agent boot-files reference-os test test-full test-images test-agent-image test-boot-files test-reference-os installers test-installers bench bench-inventory simulate fuzz check format demo demo-down deps clean

deps: $(CACHE)/deps-installed $(CACHE)/python/installed
$(CACHE)/deps-installed: deploy/packages.txt
	mkdir -p $(CACHE)
	deploy/install-packages deploy/packages.txt
	touch $@
$(CACHE)/python/installed: deploy/python-packages.txt | $(CACHE)/deps-installed
	/usr/bin/python3 -m venv $(CACHE)/python
	$(CACHE)/python/bin/pip install --quiet --disable-pip-version-check -r deploy/python-packages.txt
	touch $@

build: deps
	$(BUILD)

release: deps
	$(BUILD) -c release --static-swift-stdlib --product slipwayd
	$(BUILD) -c release --static-swift-stdlib --product slipway

agent: deps
	deploy/agent-image/build $(CACHE)/agent-image $(if $(FIRMWARE_DIR),FIRMWARE_DIR=$(FIRMWARE_DIR))

# What firmware boots, with GRUB for arm64; the daemon's `boot_files`. SERVER=10.20.0.2: see docs/network-boot.md, arm64.
boot-files: deps
	deploy/boot-files/build $(CACHE)/boot-files $(if $(SERVER),SERVER=$(SERVER))

reference-os: deps
	deploy/reference-os/build $(CACHE)/reference-os

# Systems that Debian's archive has, for `test-installers`.
installers: deps
	deploy/installers/build $(CACHE)/installers

check: deps
	deploy/check-layers
	swift format lint --strict --parallel --recursive Package.swift Sources Tests deploy/fuzz/Package.swift deploy/fuzz/Sources/Fuzz deploy/bench/inventory/Package.swift deploy/bench/inventory/Sources/InventoryBench deploy/simulate/Package.swift deploy/simulate/Sources/Fleet

test: check
	$(BUILD) --build-tests
	deploy/run-tests
	cd deploy/virtual-rack && python3 -m unittest discover -t . -s tests

# Virtual machines with real firmware: from power-on to nodes and back from their disks after a power cycle, in both modes
# of DHCP, erased and installed anew while power and daemon fail, and with a daemon that is killed at every step; then each image by itself: the agent on odd networks, arm64's GRUB and kernel,
# the reference OS with Secure Boot and damaged slots; other systems by their own installers and images.
test-full: test programs agent boot-files reference-os installers
	SLIPWAY_FLEET=1000 swift test --skip-build --filter BMCFleet
	$(MAKE) simulate MACHINES=100
	deploy/virtual-rack/demo --name test-full --servers 4 --power-cycle --reprovision --faults --down
	deploy/virtual-rack/demo --name test-full --dhcp proxy --power-cycle --down
	deploy/virtual-rack/demo --name test-full --servers 1 --firmware uefi-http --power-cycle --down
	deploy/virtual-rack/demo --name test-full --local-disk agent-kexec --power-cycle --down
	deploy/virtual-rack/demo --name test-full --local-disk bmc --power-cycle --down
	deploy/virtual-rack/demo --name test-full --bmc redfish --local-disk bmc --power-cycle --down
	deploy/virtual-rack/demo --name test-full --servers 1 --firmware secureboot --local-disk agent-kexec --power-cycle --down
	deploy/virtual-rack/demo --name test-full --servers 1 --firmware uefi --kill --down
	deploy/virtual-rack/demo --name test-full --servers 1 --firmware bios --kill --down
	$(MAKE) --jobs 2 --output-sync=line test-images

# Each has one machine at a time, most of the time: two at once, the longest first.
test-images: test-reference-os test-boot-files test-agent-image test-installers

test-agent-image:
	deploy/agent-image/test $(CACHE)/agent-image
test-boot-files:
	deploy/boot-files/test $(CACHE)/boot-files
test-reference-os:
	deploy/reference-os/test $(CACHE)/reference-os
test-installers:
	deploy/installers/test $(CACHE)/installers

# The debug build does for two servers, and shares its work with `make test`.
programs: deps
	$(BUILD) --product slipwayd
	$(BUILD) --product slipway

demo: programs agent boot-files reference-os
	deploy/virtual-rack/demo $(ARGS)

demo-down:
	deploy/virtual-rack/rack down --name demo

# libFuzzer comes with the toolchain: make fuzz [SECONDS=60] [TARGETS='dhcp tftp']
fuzz: deps
	deploy/fuzz/run --seconds $(or $(SECONDS),60) $(TARGETS)

# Slipway's boot services beside dnsmasq, Kea, atftpd and nginx: make bench [ROWS=dhcp]; ROWS=cli is the command line's start
bench: release $(CACHE)/bench/tftpd-hpa
	deploy/install-packages deploy/bench/packages.txt
	$(if $(filter cli,$(ROWS)),,deploy/bench/run $(if $(ROWS),--rows $(ROWS)))
	$(if $(filter-out cli,$(ROWS)),,deploy/bench/cli)
	$(if $(ROWS),,deploy/bench/inventory/run)

# The matcher of hardware profiles and the identity resolver, by themselves.
bench-inventory: deps
	deploy/bench/inventory/run

# It cannot be installed beside atftpd: unpacked, and run from there.
$(CACHE)/bench/tftpd-hpa:
	rm -rf $@.new && mkdir -p $@.new
	cd $@.new && apt-get -qq -o APT::Sandbox::User=root download tftpd-hpa && dpkg-deb -x tftpd-hpa_*.deb .
	mv $@.new $@

# A fleet of simulated machines against a real slipwayd, from the loading dock to release: make simulate [MACHINES=1000] [SEED=7]
simulate: deps
	$(BUILD) -c release --product slipwayd
	deploy/simulate/run --machines $(or $(MACHINES),100) $(if $(SEED),--seed $(SEED))

format:
	swift format format --in-place --parallel --recursive Package.swift Sources Tests deploy/fuzz/Package.swift deploy/fuzz/Sources/Fuzz deploy/bench/inventory/Package.swift deploy/bench/inventory/Sources/InventoryBench deploy/simulate/Package.swift deploy/simulate/Sources/Fleet

clean:
	rm -rf .build .cache
