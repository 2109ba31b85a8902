/// Several datagrams by one system call: sendmmsg(2), which Swift's Glibc module does not show.
#ifndef CDATAGRAMS_H
#define CDATAGRAMS_H

#include <stddef.h>
#include <stdint.h>

struct datagram {
    const void *bytes;
    size_t length;
    /// Of the receiver, both in network byte order.
    uint32_t address;
    uint16_t port;
};

/// At most so many at once.
enum { datagrams_at_once = 32 };

/// Sends them without waiting. One that the kernel refuses is passed over, as its receiver asks again; those behind it are sent.
void datagrams_send(int socket, const struct datagram *datagrams, int count);

#endif
