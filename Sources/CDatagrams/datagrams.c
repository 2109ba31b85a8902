#define _GNU_SOURCE
#include "CDatagrams.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

void datagrams_send(int socket, const struct datagram *datagrams, int count) {
    struct sockaddr_in receivers[datagrams_at_once];
    struct iovec parts[datagrams_at_once];
    struct mmsghdr messages[datagrams_at_once];
    if (count > datagrams_at_once) count = datagrams_at_once;
    for (int i = 0; i < count; i++) {
        receivers[i] = (struct sockaddr_in){
            .sin_family = AF_INET, .sin_port = datagrams[i].port, .sin_addr.s_addr = datagrams[i].address};
        parts[i] = (struct iovec){.iov_base = (void *)datagrams[i].bytes, .iov_len = datagrams[i].length};
        messages[i] = (struct mmsghdr){.msg_hdr = {
            .msg_name = &receivers[i], .msg_namelen = sizeof receivers[i], .msg_iov = &parts[i], .msg_iovlen = 1}};
    }
    for (int sent = 0; sent < count;) {
        int more = sendmmsg(socket, messages + sent, count - sent, MSG_DONTWAIT);
        sent += more > 0 ? more : 1;
    }
}
