#define _GNU_SOURCE
#include "CDatagrams.h"

#include <sys/socket.h>

void datagrams_send(int socket, const struct datagram *datagrams, int count) {
    struct iovec parts[datagrams_at_once];
    struct mmsghdr messages[datagrams_at_once];
    if (count > datagrams_at_once) count = datagrams_at_once;
    for (int i = 0; i < count; i++) {
        parts[i] = (struct iovec){.iov_base = (void *)datagrams[i].bytes, .iov_len = datagrams[i].length};
        messages[i] = (struct mmsghdr){.msg_hdr = {
            .msg_name = (void *)datagrams[i].receiver, .msg_namelen = datagrams[i].receiver_length,
            .msg_iov = &parts[i], .msg_iovlen = 1}};
    }
    for (int sent = 0; sent < count;) {
        int more = sendmmsg(socket, messages + sent, count - sent, MSG_DONTWAIT);
        sent += more > 0 ? more : 1;
    }
}

int datagrams_receive(int socket, void *bytes, size_t room, void *senders, uint32_t *lengths) {
    struct sockaddr_storage *from = senders;
    struct iovec parts[datagrams_at_once];
    struct mmsghdr messages[datagrams_at_once];
    for (int i = 0; i < datagrams_at_once; i++) {
        parts[i] = (struct iovec){.iov_base = (char *)bytes + i * room, .iov_len = room};
        messages[i] = (struct mmsghdr){.msg_hdr = {
            .msg_name = &from[i], .msg_namelen = sizeof from[i], .msg_iov = &parts[i], .msg_iovlen = 1}};
    }
    int count = recvmmsg(socket, messages, datagrams_at_once, MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++) lengths[i] = messages[i].msg_len;
    return count > 0 ? count : 0;
}
