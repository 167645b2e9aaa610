/* Fuzzes the TPM's registers, as its guest, and its answers, as swtpm gone wild. */
#include "vmm/tpm_crb.c"

#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int ours, theirs;

int swtpm_fd(const struct swtpm *swtpm)
{
	return theirs;
}

static void tpm_open(void)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd))
		abort();
	ours = fd[0];
	theirs = fd[1];
}

struct swtpm *swtpm_new(const char *folder, GMainContext *context,
	void (*ended)(void *data, const char *why), void *data, GError **error)
{
	tpm_open();
	return (struct swtpm *)&ours;
}

void swtpm_free(struct swtpm *swtpm)
{
	close(ours);
	close(theirs);
}

bool swtpm_power_on(struct swtpm *swtpm, bool busy, GError **error)
{
	swtpm_free(swtpm);
	tpm_open();
	return true;
}

void swtpm_state(struct swtpm *swtpm, struct state *state)
{
}

static void quiet(const char *domain, GLogLevelFlags level, const char *text, gpointer data)
{
}

/* An access is four bytes and its value; an answer is its length and its bytes. */
static size_t step(struct machine *machine, struct device *device, const uint8_t *data, size_t left)
{
	uint64_t at = CRB_BASE + (data[1] | (uint64_t)data[2] << 8) % CRB_LEN, value = 0;
	unsigned len = 1u << data[3] % 4;
	char bytes[8192];

	switch (data[0] % 4) {
	case 0:
		memcpy(&value, data + 4, MIN(left - 4, 8));
		bus_write(machine->mmio, at, len, value);
		return MIN(left, 12);
	case 1:
		bus_read(machine->mmio, at, len, &value);
		return 4;
	case 2:
		len = MIN((unsigned)(left - 4), data[3]);
		if (write(ours, data + 4, len) < 0 && errno != EAGAIN)
			abort();
		break;
	default:
		device->reset(device);
		return 4;
	}
	while (g_main_context_iteration(machine->io_context, FALSE))
		;
	while (read(ours, bytes, sizeof(bytes)) > 0)
		;
	return 4 + len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct guest_config guest = { .name = (char *)"fuzz" };
	static const struct crb_config config = { .state = (char *)"/nowhere" };
	static struct machine machine;
	struct device *device;

	if (!machine.mmio) {
		g_log_set_default_handler(quiet, NULL);
		machine = (struct machine){ .config = &guest, .mmio = bus_new("memory"),
			.io_context = g_main_context_new() };
	}
	device = crb_create(&machine, "", &config, NULL);
	if (!device)
		abort();
	while (size >= 4) {
		size_t used = step(&machine, device, data, size);

		data += used;
		size -= used;
	}
	device->destroy(device);
	return 0;
}
