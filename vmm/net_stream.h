/*
 * Ethernet frames on a stream socket, each behind its length as 32 bits, most significant byte
 * first: what passt and QEMU's "-netdev stream" speak.
 *
 * Received lengths are the peer's and are bounded before anything is done with them. Sending copies
 * what the socket does not take at once, up to a bound, and then says no: the guest waits, nothing
 * is lost. A guest without room stops the reading, which in turn stops the peer.
 *
 * Thread: as net.h says; the socket's source takes the user's lock.
 */
#ifndef IRORI_VMM_NET_STREAM_H
#define IRORI_VMM_NET_STREAM_H

#include "vmm/net.h"

enum net_stream_limits {
	NET_STREAM_PREFIX = 4,
	NET_STREAM_BUFFER = 256 << 10, /* each way */
};

struct net_stream;

/* Takes over `fd`, a connected stream socket. `lost` is called once, under the lock, when the peer
 * hangs up or does not keep to the protocol; net_stream_free may be called from within. */
struct net_stream *net_stream_new(int fd, const struct net_user *user,
	void (*lost)(void *data, const char *why), void *data);
void net_stream_free(struct net_stream *stream);

bool net_stream_send(struct net_stream *stream, const struct iovec *iov, unsigned n, size_t len);
void net_stream_flush(struct net_stream *stream);
void net_stream_resume(struct net_stream *stream);

#endif
