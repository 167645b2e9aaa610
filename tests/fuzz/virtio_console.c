/* Fuzzes virtio-console as its guest; what it prints goes to a pipe that is often full. */
#include "vmm/virtio_console.c"

#include "tests/fuzz/virtio_harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int out[2] = {-1, -1}, in[2] = {-1, -1};

static void console_prepare(struct guest *guest)
{
	if (out[0] >= 0)
		return;
	if (pipe2(out, O_CLOEXEC | O_NONBLOCK) < 0 || pipe2(in, O_CLOEXEC | O_NONBLOCK) < 0)
		abort();
	if (dup2(in[0], STDIN_FILENO) < 0)
		abort();
}

/* As Output=stdout would, but standard output is the fuzzer's. */
static void console_settle(struct guest *guest)
{
	char bytes[4096];

	((struct console *)guest->device)->fd = out[1];
	if (read(out[0], bytes, sizeof(bytes)) < 0)
		return;
}

static void console_event(struct guest *guest, const uint8_t *data, size_t len)
{
	if (write(in[1], data, len) < 0)
		return;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct console_config config = {.input = CONSOLE_STDIN};
	static const struct virtio_fuzz fuzz = {
		.type = &virtio_console,
		.config = &config,
		.prepare = console_prepare,
		.event = console_event,
		.settle = console_settle,
	};

	return virtio_fuzz_run(&fuzz, data, size);
}
