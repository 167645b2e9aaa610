/*
 * Packets with descriptors over a SOCK_SEQPACKET socket: what the seat link (link_codec.h) and the
 * seat control protocol (seats/wire_codec.h) have in common below what they say.
 *
 * Thread: any. Nothing here blocks, or raises SIGPIPE.
 */
#ifndef IRORI_DISPLAY_PACKET_H
#define IRORI_DISPLAY_PACKET_H

#include <stddef.h>
#include <sys/types.h>

struct iovec;
struct sockaddr_un;

/* The length of a packet that came; 0: nothing there now; -EPIPE: the other side has gone; -EPROTO:
 * it was cut off (more than `size` bytes, or a handful of descriptors). n_fds came with it: the first is
 * in *fd, the caller's (-1: none), the rest are closed. On error all are. */
ssize_t packet_receive(int socket, void *packet, size_t size, int *fd, unsigned *n_fds);

/* 0; -EAGAIN: the other side's queue is full; -EPIPE: it has gone. fd -1: none; stays the caller's. */
int packet_send(int socket, struct iovec *parts, unsigned n, int fd);

/* Fills a sockaddr_un; -ENAMETOOLONG. */
int packet_address(const char *path, struct sockaddr_un *address);

/* A connection to whoever listens at `path`: a descriptor, CLOEXEC and not blocking; -EAGAIN: somebody listens
 * there, and has no room for one more now; -ENOENT, -ECONNREFUSED: nobody does; -ENAMETOOLONG; or -errno. */
int packet_connect(const char *path);

/* Ends the connection and closes the descriptor: whoever has another one of it (display/link.h's links have irorid) keeps
 * nothing alive with that. */
void packet_hang_up(int socket);

#endif
