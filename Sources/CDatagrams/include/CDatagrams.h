/// Several datagrams by one system call: sendmmsg(2) and recvmmsg(2), which Swift's Glibc module does not show.
#ifndef CDATAGRAMS_H
#define CDATAGRAMS_H

#include <stddef.h>
#include <stdint.h>

struct datagram {
    const void *bytes;
    size_t length;
    /// A sockaddr.
    const void *receiver;
    uint32_t receiver_length;
};

/// At most so many at once.
enum { datagrams_at_once = 32 };

/// Sends them without waiting. One that the kernel refuses is passed over, as its receiver asks again; those behind it are sent.
void datagrams_send(int socket, const struct datagram *datagrams, int count);

/// Takes what has come, without waiting: into `bytes`, each datagram `room` bytes behind the one before, cut off where it is longer.
/// `senders` are sockaddr_storage. Returns how many; 0 too where the socket has an error.
int datagrams_receive(int socket, void *bytes, size_t room, void *senders, uint32_t *lengths);

#endif
