/* Fuzzes virtio-net as its guest, in front of a back end that takes frames, and sends some. */
#include "vmm/virtio_net.c"

#include "tests/fuzz/virtio_harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct net_backend *fuzz_back;
static bool fuzz_full, fuzz_header;

static bool fuzz_send(struct net_backend *backend, const struct iovec *iov, unsigned n, size_t len)
{
	static uint8_t copy[NET_HEADER + NET_FRAME_MAX];
	size_t at = 0;

	if (fuzz_full)
		return false;
	if (len > sizeof(copy))
		abort();
	for (unsigned i = 0; i < n; at += iov[i++].iov_len) {
		if (iov[i].iov_len > len - at)
			abort();
		memcpy(copy + at, iov[i].iov_base, iov[i].iov_len);
	}
	if (at != len)
		abort();
	return true;
}

static void fuzz_resume(struct net_backend *backend)
{
}

static void fuzz_free(struct net_backend *backend)
{
	g_clear_pointer(&fuzz_back, g_free);
}

bool net_passt_check(const struct net_config *config, const char *what, GError **error)
{
	return true;
}

struct net_backend *net_passt_new(const struct net_config *config, const char *what,
	const struct net_user *user, GError **error)
{
	static const struct net_backend_ops back_ops = {
		.send = fuzz_send,
		.resume = fuzz_resume,
		.free = fuzz_free,
	};

	fuzz_back = g_new0(struct net_backend, 1);
	fuzz_back->ops = &back_ops;
	fuzz_back->user = *user;
	fuzz_back->features = NET_F_CSUM | NET_F_GUEST_CSUM | NET_F_HOST_TSO4 | NET_F_HOST_TSO6;
	fuzz_back->header = fuzz_header;
	fuzz_back->link = true;
	return fuzz_back;
}

struct net_backend *net_tap_new(const struct net_config *config, const char *what,
	const struct net_user *user, GError **error)
{
	return NULL;
}

struct net_backend *net_macvtap_new(const struct net_config *config, const char *what,
	const struct net_user *user, GError **error)
{
	return NULL;
}

/* A frame arrives, up to 64 KiB of it; or there is room, or none; or the link goes and comes. */
static void net_event(struct guest *guest, const uint8_t *data, size_t len)
{
	static uint8_t frame[NET_FRAME_MAX];
	struct net_user *user = &fuzz_back->user;

	g_mutex_lock(user->lock);
	fuzz_full = len > 0 && (data[0] & 1);
	if (!fuzz_full)
		user->writable(user->data);
	if (len > 0 && (data[0] & 2)) {
		fuzz_back->link = data[0] & 4;
		user->link(user->data, fuzz_back->link);
	}
	if (len >= NET_ETHERNET) {
		memcpy(frame, data, len);
		user->receive(user->data, frame, MIN((size_t)data[1] << (data[2] & 15), sizeof(frame)));
		user->received(user->data);
	}
	g_mutex_unlock(user->lock);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct net_config config = {0};
	static const struct virtio_fuzz fuzz = {
		.type = &virtio_net,
		.config = &config,
		.event = net_event,
	};

	fuzz_full = false;
	fuzz_header = size & 1;
	return virtio_fuzz_run(&fuzz, data, size);
}
