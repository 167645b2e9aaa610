/*
 * The front end of vhost-user: a virtio device whose queues another process serves. That process
 * gets the guest's memory, the rings' places and an eventfd for each direction of each queue; after
 * that no request passes through us but its kick and its call.
 *
 * The back end may do with its guest what it likes, but nothing with us: replies are of the length
 * that is expected or the connection is over, descriptors that it sends are not taken, and waiting
 * for it is bounded. Addresses are given as the guest's, so that it does not learn ours.
 *
 * Thread: one at a time (the device's lock). new waits for at most VHOST_USER_PATIENCE_MS for each of
 * its answers, stop for VHOST_USER_STOP_MS; start does not wait.
 *
 * Source: vhost-user protocol, QEMU docs/interop/vhost-user.
 */
#ifndef IRORI_VMM_VHOST_USER_H
#define IRORI_VMM_VHOST_USER_H

#include "vmm/virtio.h"

enum vhost_user_limits {
	VHOST_USER_PATIENCE_MS = 10000, /* while it starts: on a busy machine that takes a while */
	VHOST_USER_STOP_MS = 2000,
	VHOST_USER_REGIONS = 8, /* what every back end takes */
};

struct vhost_user;

/* Takes over `fd`, a connected Unix stream socket, also when it fails. On return the back end has the
 * guest's memory. NULL and error set. */
struct vhost_user *vhost_user_new(int fd, const struct guest_memory *memory, GError **error);
void vhost_user_free(struct vhost_user *user);

/* For the source that watches it: readable or hung up outside of these calls means that it is lost. */
int vhost_user_fd(const struct vhost_user *user);
/* What it offers, of virtio's features. */
uint64_t vhost_user_features(const struct vhost_user *user);

/* The driver is ready: hands over every queue that is. kick and call: an eventfd a queue, which stay
 * the caller's. 0 or -errno: it is lost, and has to be ended before guest memory is used again. */
int vhost_user_start(struct vhost_user *user, struct virtio_device *dev, const int *kick,
	const int *call);
/* Takes them back, with what the back end says of how far it is; after it nothing of it touches guest
 * memory. 0 or -errno: the same. */
int vhost_user_stop(struct vhost_user *user, struct virtio_device *dev);

#endif
