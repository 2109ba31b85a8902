#define _GNU_SOURCE
#include "CAgent.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/fs.h>
#include <linux/if_packet.h>
#include <linux/if_vlan.h>
#include <linux/ipmi.h>
#include <linux/nvme_ioctl.h>
#include <linux/rtc.h>
#include <linux/sockios.h>
#include <malloc.h>
#include <net/if.h>
#include <net/route.h>
#include <poll.h>
#include <scsi/sg.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// The Swift runtime reads /proc/self/exe before main, so /proc must be there before any of it runs. Only as PID 1: the same
// program started by hand must change nothing on its host.
__attribute__((constructor(101))) static void mount_proc(void) {
    if (getpid() != 1) return;
    mkdir("/proc", 0555);
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

int agent_load_module(const void *image, size_t bytes, const char *parameters) {
    return (int)syscall(SYS_init_module, image, bytes, parameters);
}

int agent_kexec_load(int kernel, int initrd, const char *command_line) {
    return (int)syscall(SYS_kexec_file_load, kernel, initrd, strlen(command_line) + 1, command_line, 0UL);
}

int64_t agent_device_size(int file) {
    uint64_t size = 0;
    return ioctl(file, BLKGETSIZE64, &size) == 0 ? (int64_t)size : -1;
}

int agent_block_size(int file) {
    int size = 0;
    return ioctl(file, BLKSSZGET, &size) == 0 ? size : -1;
}

int agent_device_read_only(int file) {
    int flag = 0;
    return ioctl(file, BLKROGET, &flag) == 0 ? flag != 0 : -1;
}

int agent_zero_range(int file, uint64_t start, uint64_t length) {
    uint64_t range[2] = {start, length};
    return ioctl(file, BLKZEROOUT, range);
}

void agent_keep_freed_memory(void) {
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
}

int agent_discard(int file, uint64_t start, uint64_t length) {
    uint64_t range[2] = {start, length};
    return ioctl(file, BLKDISCARD, range);
}

int agent_flush_buffers(int file) { return ioctl(file, BLKFLSBUF, 0); }
int agent_reread_partitions(int file) { return ioctl(file, BLKRRPART, 0); }

int agent_clear_immutable(int file) {
    int flags = 0;
    if (ioctl(file, FS_IOC_GETFLAGS, &flags) != 0) return -1;
    flags &= ~FS_IMMUTABLE_FL;
    return ioctl(file, FS_IOC_SETFLAGS, &flags);
}

// Runs one interface ioctl on a socket of its own.
static int interface_ioctl(unsigned long request, const char *name, struct ifreq *argument) {
    int file = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (file < 0) return -1;
    strncpy(argument->ifr_name, name, IFNAMSIZ - 1);
    int result = ioctl(file, request, argument);
    int saved = errno;
    close(file);
    errno = saved;
    return result;
}

int agent_link_set_up(const char *name, int up) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    if (interface_ioctl(SIOCGIFFLAGS, name, &request) != 0) return -1;
    if (up) request.ifr_flags |= IFF_UP; else request.ifr_flags &= ~IFF_UP;
    return interface_ioctl(SIOCSIFFLAGS, name, &request);
}

static int is_virtio(const char *name) {
    char path[64 + IFNAMSIZ], driver[256];
    snprintf(path, sizeof path, "/sys/class/net/%s/device/driver", name);
    ssize_t length = readlink(path, driver, sizeof driver - 1);
    if (length < 0) return 0;
    driver[length] = 0;
    const char *last = strrchr(driver, '/');
    return last != NULL && strcmp(last, "/virtio_net") == 0;
}

// The kernel stops devices while their drivers still run: a virtio NIC whose interrupt comes then spins on its broken queue for ever, about once in
// a hundred restarts (Linux commit 0d0eff39ceb3 mends it; Debian 12's kernel has the fault). A link that is down has no interrupts. Other NICs stay up:
// some that are taken down ahead of power-off do not wake their machine any more.
static void virtio_links_down(void) {
    struct if_nameindex *links = if_nameindex();
    if (links == NULL) return;
    for (struct if_nameindex *link = links; link->if_index != 0; link++) {
        if (is_virtio(link->if_name)) agent_link_set_up(link->if_name, 0);
    }
    if_freenameindex(links);
}

int agent_reboot(char how) {
    if (getpid() != 1) { errno = EPERM; return -1; }
    sync();
    virtio_links_down();
    switch (how) {
    case 'k': return reboot(0x45584543);
    case 'p': return reboot(RB_POWER_OFF);
    default: return reboot(RB_AUTOBOOT);
    }
}

static int set_inet(unsigned long what, const char *name, uint32_t address) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    struct sockaddr_in *inet = (struct sockaddr_in *)&request.ifr_addr;
    inet->sin_family = AF_INET;
    inet->sin_addr.s_addr = address;
    return interface_ioctl(what, name, &request);
}

int agent_set_address(const char *name, uint32_t address, uint32_t mask) {
    if (set_inet(SIOCSIFADDR, name, address) != 0) return -1;
    return address ? set_inet(SIOCSIFNETMASK, name, mask) : 0;
}

int agent_set_mtu(const char *name, int mtu) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    request.ifr_mtu = mtu;
    return interface_ioctl(SIOCSIFMTU, name, &request);
}

int agent_add_route(const char *name, uint32_t destination, uint32_t mask, uint32_t gateway) {
    struct rtentry route;
    memset(&route, 0, sizeof route);
    struct sockaddr_in *field = (struct sockaddr_in *)&route.rt_dst;
    field->sin_family = AF_INET;
    field->sin_addr.s_addr = destination;
    field = (struct sockaddr_in *)&route.rt_genmask;
    field->sin_family = AF_INET;
    field->sin_addr.s_addr = mask;
    field = (struct sockaddr_in *)&route.rt_gateway;
    field->sin_family = AF_INET;
    field->sin_addr.s_addr = gateway;
    route.rt_flags = RTF_UP | (gateway ? RTF_GATEWAY : 0) | (mask == 0xffffffff ? RTF_HOST : 0);
    route.rt_dev = (char *)name;
    int file = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (file < 0) return -1;
    int result = ioctl(file, SIOCADDRT, &route);
    int saved = errno;
    close(file);
    errno = saved;
    return result != 0 && saved == EEXIST ? 0 : result;
}

int agent_add_vlan(const char *name, int tag) {
    struct vlan_ioctl_args request;
    memset(&request, 0, sizeof request);
    int file = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (file < 0) return -1;
    request.cmd = SET_VLAN_NAME_TYPE_CMD;
    request.u.name_type = VLAN_NAME_TYPE_RAW_PLUS_VID_NO_PAD;
    ioctl(file, SIOCSIFVLAN, &request);
    memset(&request, 0, sizeof request);
    request.cmd = ADD_VLAN_CMD;
    strncpy(request.device1, name, sizeof request.device1 - 1);
    request.u.VID = tag;
    int result = ioctl(file, SIOCSIFVLAN, &request);
    int saved = errno;
    close(file);
    errno = saved;
    return result != 0 && saved == EEXIST ? 0 : result;
}

int agent_dhcp_socket(const char *name) {
    int file = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (file < 0) return -1;
    int on = 1;
    struct sockaddr_in own;
    memset(&own, 0, sizeof own);
    own.sin_family = AF_INET;
    own.sin_port = htons(68);
    if (setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        setsockopt(file, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) != 0 ||
        setsockopt(file, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name) + 1) != 0 ||
        bind(file, (struct sockaddr *)&own, sizeof own) != 0) {
        int saved = errno;
        close(file);
        errno = saved;
        return -1;
    }
    return file;
}

int agent_dhcp_send(int file, uint32_t address, const uint8_t *bytes, int count) {
    struct sockaddr_in server;
    memset(&server, 0, sizeof server);
    server.sin_family = AF_INET;
    server.sin_port = htons(67);
    server.sin_addr.s_addr = address ? address : INADDR_BROADCAST;
    return (int)sendto(file, bytes, (size_t)count, 0, (struct sockaddr *)&server, sizeof server);
}

int agent_permanent_mac(const char *name, uint8_t *out) {
    union {
        struct ethtool_perm_addr head;
        uint8_t room[sizeof(struct ethtool_perm_addr) + 32];
    } answer;
    memset(&answer, 0, sizeof answer);
    answer.head.cmd = ETHTOOL_GPERMADDR;
    answer.head.size = 32;
    struct ifreq request;
    memset(&request, 0, sizeof request);
    request.ifr_data = (void *)&answer;
    if (interface_ioctl(SIOCETHTOOL, name, &request) != 0) return -1;
    if (answer.head.size != 6) { errno = ENODATA; return -1; }
    memcpy(out, answer.head.data, 6);
    return 0;
}

int agent_nic_firmware(const char *name, char *out) {
    struct ethtool_drvinfo answer;
    memset(&answer, 0, sizeof answer);
    answer.cmd = ETHTOOL_GDRVINFO;
    struct ifreq request;
    memset(&request, 0, sizeof request);
    request.ifr_data = (void *)&answer;
    if (interface_ioctl(SIOCETHTOOL, name, &request) != 0) return -1;
    memcpy(out, answer.fw_version, 31);
    out[31] = 0;
    return 0;
}

int agent_lldp_socket(void) { return socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(0x88cc)); }

int agent_lldp_join(int file, int index) {
    struct packet_mreq membership;
    memset(&membership, 0, sizeof membership);
    membership.mr_ifindex = index;
    membership.mr_type = PACKET_MR_MULTICAST;
    membership.mr_alen = 6;
    memcpy(membership.mr_address, "\x01\x80\xc2\x00\x00\x0e", 6);
    return setsockopt(file, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership, sizeof membership);
}

int agent_lldp_receive(int file, uint8_t *out, int count, int *index) {
    struct sockaddr_ll sender;
    socklen_t length = sizeof sender;
    memset(&sender, 0, sizeof sender);
    ssize_t received = recvfrom(file, out, (size_t)count, MSG_DONTWAIT, (struct sockaddr *)&sender, &length);
    *index = sender.sll_ifindex;
    return (int)received;
}

int agent_nvme_read(const char *path, uint8_t opcode, uint32_t namespace_id, uint32_t dword10, uint8_t *out, uint32_t bytes) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    struct nvme_admin_cmd command;
    memset(&command, 0, sizeof command);
    command.opcode = opcode;
    command.nsid = namespace_id;
    command.addr = (uint64_t)(uintptr_t)out;
    command.data_len = bytes;
    command.cdw10 = dword10;
    command.timeout_ms = 10000;
    int result = ioctl(file, NVME_IOCTL_ADMIN_CMD, &command);
    int saved = result > 0 ? EIO : errno;
    close(file);
    errno = saved;
    return result == 0 ? 0 : -1;
}

int agent_scsi_read(const char *path, const uint8_t *command, uint8_t length, uint8_t *out, uint32_t bytes, uint8_t *sense, uint8_t sense_bytes) {
    int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) return -1;
    sg_io_hdr_t header;
    memset(&header, 0, sizeof header);
    header.interface_id = 'S';
    header.dxfer_direction = bytes ? SG_DXFER_FROM_DEV : SG_DXFER_NONE;
    header.cmd_len = length;
    header.cmdp = (unsigned char *)command;
    header.dxfer_len = bytes;
    header.dxferp = out;
    header.mx_sb_len = sense_bytes;
    header.sbp = sense;
    header.timeout = 10000;
    int result = ioctl(file, SG_IO, &header);
    int saved = errno;
    close(file);
    errno = saved;
    if (result != 0) return -1;
    // The host or its driver, not the device, has failed it.
    if (header.host_status != 0) { errno = EIO; return -1; }
    return header.status == 0 ? (int)(bytes - (uint32_t)header.resid) : 0;
}

int agent_ipmi_exchange(uint8_t function, uint8_t command, const uint8_t *data, uint16_t length, uint8_t *out, uint16_t room) {
    int file = open("/dev/ipmi0", O_RDWR | O_CLOEXEC);
    if (file < 0) return -1;
    struct ipmi_system_interface_addr address = {IPMI_SYSTEM_INTERFACE_ADDR_TYPE, IPMI_BMC_CHANNEL, 0};
    struct ipmi_req request;
    memset(&request, 0, sizeof request);
    request.addr = (unsigned char *)&address;
    request.addr_len = sizeof address;
    request.msgid = 1;
    request.msg.netfn = function;
    request.msg.cmd = command;
    request.msg.data = (unsigned char *)data;
    request.msg.data_len = length;
    int result = ioctl(file, IPMICTL_SEND_COMMAND, &request);
    struct pollfd wanted = {file, POLLIN, 0};
    if (result == 0 && poll(&wanted, 1, 5000) <= 0) { result = -1; errno = ETIMEDOUT; }
    if (result == 0) {
        struct ipmi_addr sender;
        struct ipmi_recv answer;
        memset(&answer, 0, sizeof answer);
        answer.addr = (unsigned char *)&sender;
        answer.addr_len = sizeof sender;
        answer.msg.data = out;
        answer.msg.data_len = room;
        result = ioctl(file, IPMICTL_RECEIVE_MSG_TRUNC, &answer) == 0 ? answer.msg.data_len : -1;
    }
    int saved = errno;
    close(file);
    errno = saved;
    return result;
}

int agent_set_clock(double seconds) {
    if (getpid() != 1) { errno = EPERM; return -1; }
    struct timespec now = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    if (clock_settime(CLOCK_REALTIME, &now) != 0) return -1;
    int file = open("/dev/rtc0", O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    struct tm utc;
    gmtime_r(&now.tv_sec, &utc);
    struct rtc_time time = {utc.tm_sec, utc.tm_min, utc.tm_hour, utc.tm_mday, utc.tm_mon, utc.tm_year, 0, 0, 0};
    int result = ioctl(file, RTC_SET_TIME, &time);
    close(file);
    return result;
}

int agent_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int agent_open_direct(const char *path, int writing, int exclusive) {
    return open(path, (writing ? O_RDWR : O_RDONLY) | O_DIRECT | O_CLOEXEC | (exclusive ? O_EXCL : 0));
}

int agent_shell_start(const char *program, char *const arguments[], char *const environment[], const char *directory, pid_t *child) {
    int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal < 0) return -1;
    int person = -1;
    if (grantpt(terminal) == 0 && unlockpt(terminal) == 0) person = ioctl(terminal, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    pid_t made = person < 0 ? -1 : fork();
    if (made == 0) {
        // Other threads of the parent may hold any lock: from here on system calls only.
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        for (int number = 1; number < 32; number++) signal(number, SIG_DFL);
        setsid();
        ioctl(person, TIOCSCTTY, 0);
        for (int standard = 0; standard < 3; standard++) dup2(person, standard);
        // Not every socket of the parent is closed by itself.
        syscall(SYS_close_range, 3U, ~0U, 0U);
        if (chdir(directory) != 0) (void)!chdir("/");
        execve(program, arguments, environment);
        _exit(127);
    }
    int saved = errno;
    if (person >= 0) close(person);
    if (made < 0) {
        close(terminal);
        errno = saved;
        return -1;
    }
    fcntl(terminal, F_SETFL, O_NONBLOCK);
    *child = made;
    return terminal;
}

int agent_terminal_resize(int terminal, uint16_t rows, uint16_t columns) {
    struct winsize size = {rows, columns, 0, 0};
    return ioctl(terminal, TIOCSWINSZ, &size);
}

int agent_adopt_orphans(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }
