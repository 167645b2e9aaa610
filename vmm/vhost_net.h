/*
 * vhost-net: the kernel serves a network card's two queues by itself, between the rings and a tap.
 *
 * Kicks come from the card (an eventfd of its own), calls go through the net thread to the card's
 * vector, so that its masks are obeyed. Addresses of rings and memory are ours, checked by the memory
 * gate when the queue was enabled; what the guest puts into the rings is the kernel's to check.
 *
 * Thread: under the card's lock (net.h); new and free on the main thread. Source: linux/vhost.h.
 */
#ifndef IRORI_VMM_VHOST_NET_H
#define IRORI_VMM_VHOST_NET_H

#include <stdbool.h>

#include "vmm/net.h"

struct vhost_net;
struct virtio_device;

/* NULL when the host has none, or no right to it: frames pass through the process then. */
struct vhost_net *vhost_net_new(const struct net_user *user);
void vhost_net_free(struct vhost_net *vhost);

/* Hands over queues 0 and 1. False: it cannot be done with these features or this kernel; nothing is
 * handed over. */
bool vhost_net_start(struct vhost_net *vhost, struct virtio_device *dev, int tap);
/* Takes them back, with where they are; after it the kernel touches no guest memory. */
void vhost_net_stop(struct vhost_net *vhost, struct virtio_device *dev);
void vhost_net_kick(struct vhost_net *vhost, unsigned q);

#endif
