/// System calls that Swift cannot make by itself: variadic ones, and those without a wrapper in the C library.
/// Each returns 0 or a positive value, or -1 with errno set.
#ifndef CAGENT_H
#define CAGENT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// init_module(2).
int agent_load_module(const void *image, size_t bytes, const char *parameters);
/// kexec_file_load(2).
int agent_kexec_load(int kernel, int initrd, const char *command_line);
/// reboot(2): 'k' kexec, 'r' restart, 'p' power off. Virtio NICs are taken down first.
int agent_reboot(char how);

/// Size of a block device in bytes.
int64_t agent_device_size(int file);
/// Bytes of a logical block.
int agent_block_size(int file);
/// Whether the device is read-only: 1 or 0.
int agent_device_read_only(int file);
/// Writes zeros by the device's own means where it has them.
int agent_zero_range(int file, uint64_t start, uint64_t length);
/// Tells the device that blocks are not in use; what is read there afterwards is its own affair.
int agent_discard(int file, uint64_t start, uint64_t length);
/// Keeps memory that is freed for what is allocated next, up to 256 MiB of it.
void agent_keep_freed_memory(void);
/// Drops cached buffers of the device.
int agent_flush_buffers(int file);
/// Reads the partition table again.
int agent_reread_partitions(int file);
/// Clears FS_IMMUTABLE_FL, which efivarfs sets on variables.
int agent_clear_immutable(int file);

/// Brings an interface up (1) or down (0).
int agent_link_set_up(const char *name, int up);
/// Sets address and netmask, both in network byte order.
int agent_set_address(const char *name, uint32_t address, uint32_t mask);
int agent_set_mtu(const char *name, int mtu);
/// Adds a route; `gateway` 0: on the link. All in network byte order.
int agent_add_route(const char *name, uint32_t destination, uint32_t mask, uint32_t gateway);
/// Adds an 802.1Q interface `name.tag`.
int agent_add_vlan(const char *name, int tag);
/// UDP socket on port 68 of one interface, with broadcast.
int agent_dhcp_socket(const char *name);
/// Sends to 255.255.255.255:67 (`address` 0) or to that address, in network byte order.
int agent_dhcp_send(int file, uint32_t address, const uint8_t *bytes, int count);
/// The permanent address of a NIC by ETHTOOL_GPERMADDR; `out` has room for 6 bytes.
int agent_permanent_mac(const char *name, uint8_t *out);

/// The firmware that a NIC runs, by ETHTOOL_GDRVINFO; `out` has room for 32 bytes, the last of which is 0.
int agent_nic_firmware(const char *name, char *out);

/// A packet socket for frames of LLDP, without their Ethernet header.
int agent_lldp_socket(void);
/// Makes a link take in what is sent to the nearest bridge (01:80:c2:00:00:0e).
int agent_lldp_join(int file, int index);
/// The next frame and the index of the link that it came by; its length, or -1.
int agent_lldp_receive(int file, uint8_t *out, int count, int *index);

/// An NVMe admin command that reads `bytes` into `out`; -1 with EIO when the controller refuses it.
int agent_nvme_read(const char *path, uint8_t opcode, uint32_t namespace_id, uint32_t dword10, uint8_t *out, uint32_t bytes);
/// A SCSI command that reads up to `bytes` into `out`, by SG_IO, in at most ten seconds.
/// Returns the number of bytes that came, 0 when the device refused; `sense` says why.
int agent_scsi_read(const char *path, const uint8_t *command, uint8_t length, uint8_t *out, uint32_t bytes, uint8_t *sense, uint8_t sense_bytes);

/// Asks the BMC through /dev/ipmi0, and waits up to five seconds for its answer.
/// Returns the bytes of the answer, of which the first is the completion code.
int agent_ipmi_exchange(uint8_t function, uint8_t command, const uint8_t *data, uint16_t length, uint8_t *out, uint16_t room);

/// Sets the system clock, in seconds since 1970, and the hardware clock from it.
int agent_set_clock(double seconds);
/// A pipe whose ends no program inherits.
int agent_pipe(int ends[2]);
/// open(2) with the flags for direct reading (0) or writing (1) of a block device; `exclusive` fails when it is in use.
int agent_open_direct(const char *path, int writing, int exclusive);

/// Starts a program in a session of its own on a new terminal. Returns the terminal's other end, which does not block.
int agent_shell_start(const char *program, char *const arguments[], char *const environment[], const char *directory, pid_t *child);
/// Tells the programs of a terminal how large it is.
int agent_terminal_resize(int terminal, uint16_t rows, uint16_t columns);
/// Orphans below this process become its children, as they are those of PID 1.
int agent_adopt_orphans(void);

#endif
