/* The TPM's registers and buffer, from the guest's side, with a TPM that the test plays. */
#include "vmm/tpm_crb.c"

#include <unistd.h>

#include "tests/unit/test.h"

static struct {
	int ours, theirs;
	unsigned power_ons;
	bool was_busy;
} tpm;

int swtpm_fd(const struct swtpm *swtpm)
{
	return tpm.theirs;
}

static void tpm_open(void)
{
	int fd[2];

	test_assert(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd));
	tpm.ours = fd[0];
	tpm.theirs = fd[1];
}

struct swtpm *swtpm_new(const char *folder, GMainContext *context,
	void (*ended)(void *data, const char *why), void *data, GError **error)
{
	tpm_open();
	return (struct swtpm *)&tpm;
}

void swtpm_free(struct swtpm *swtpm)
{
	close(tpm.ours);
	close(tpm.theirs);
}

bool swtpm_power_on(struct swtpm *swtpm, bool busy, GError **error)
{
	tpm.power_ons++;
	tpm.was_busy = busy;
	swtpm_free(swtpm);
	tpm_open();
	return true;
}

void swtpm_state(struct swtpm *swtpm, struct state *state)
{
}

static const struct guest_config guest = { .name = (char *)"test" };
static struct machine machine;
static struct device *device;

static void plug(void)
{
	static const struct crb_config config = { .state = (char *)"/nowhere" };

	machine = (struct machine){ .config = &guest, .mmio = bus_new("memory"),
		.io_context = g_main_context_new() };
	device = crb_create(&machine, "", &config, NULL);
	test_assert(device);
}

static void unplug(void)
{
	device->destroy(device);
	bus_free(machine.mmio);
	g_main_context_unref(machine.io_context);
}

static uint64_t get(unsigned at, unsigned size)
{
	uint64_t value;

	test_assert(bus_read(machine.mmio, CRB_BASE + at, size, &value));
	return value;
}

static void put(unsigned at, unsigned size, uint64_t value)
{
	test_assert(bus_write(machine.mmio, CRB_BASE + at, size, value));
}

static void spin(void)
{
	while (g_main_context_iteration(machine.io_context, FALSE))
		;
}

static void claim(void)
{
	put(CRB_LOC_CONTROL, 4, LOC_REQUEST);
	test_equal(get(CRB_LOC_STATE, 4), LOC_VALID | LOC_ASSIGNED);
	put(CRB_REQUEST, 4, REQUEST_READY);
	test_equal(get(CRB_REQUEST, 4), 0);
	test_equal(get(CRB_STATUS, 4), 0);
}

static void command(uint32_t len)
{
	put(CRB_BUFFER, 2, 0x0180);
	put(CRB_BUFFER + 2, 4, GUINT32_SWAP_LE_BE(len));
	put(CRB_BUFFER + 6, 4, GUINT32_SWAP_LE_BE(0x144));
	put(CRB_START, 4, START_GO);
}

static void answer(const uint8_t *bytes, size_t len)
{
	test_equal(write(tpm.ours, bytes, len), (ssize_t)len);
	spin();
}

/* What Linux looks at before it takes it for one. */
static void registers(void)
{
	plug();
	test_equal(get(CRB_INTERFACE, 8), 0x25811);
	test_equal(get(CRB_LOC_STATE, 1), LOC_VALID);
	test_equal(get(CRB_STATUS, 4), STATUS_IDLE);
	test_equal(get(CRB_COMMAND_SIZE, 4), 0xf80);
	test_equal(get(CRB_COMMAND_PLACE, 4), 0xfed40080);
	test_equal(get(CRB_ANSWER_PLACE, 8), 0xfed40080);
	claim();
	put(CRB_REQUEST, 4, REQUEST_IDLE);
	test_equal(get(CRB_STATUS, 4), STATUS_IDLE);
	put(CRB_LOC_CONTROL, 4, LOC_RELINQUISH);
	test_equal(get(CRB_LOC_STATUS, 4), 0);
	for (unsigned at = 0; at < CRB_LEN; at += 4)
		if (at != CRB_START && at != CRB_LOC_CONTROL)
			put(at, 4, 0xffffffff);
	put(CRB_LEN - 8, 8, 0x1122334455667788);
	test_equal(get(CRB_LEN - 8, 8), 0x1122334455667788);
	test_equal(get(CRB_INTERFACE, 8), 0x25811);
	unplug();
}

static void command_and_answer(void)
{
	static const uint8_t reply[] = { 0x80, 0x01, 0, 0, 0, 12, 0, 0, 0, 0, 0xab, 0xcd };
	uint8_t got[64];

	plug();
	claim();
	command(12);
	test_equal(get(CRB_START, 4), START_GO);
	test_equal(read(tpm.ours, got, sizeof(got)), 12);
	test_equal(got[9], 0x44);
	put(CRB_BUFFER, 4, 0); /* it is at work there */
	put(CRB_START, 4, START_GO);
	test_assert(read(tpm.ours, got, sizeof(got)) < 0);
	answer(reply, 3);
	answer(reply + 3, 8);
	test_equal(get(CRB_START, 4), START_GO);
	answer(reply + 11, 1);
	test_equal(get(CRB_START, 4), 0);
	test_equal(get(CRB_BUFFER + 10, 2), 0xcdab);
	unplug();
}

static uint32_t result(void)
{
	return GUINT32_SWAP_LE_BE((uint32_t)get(CRB_BUFFER + 6, 4));
}

static void wrong_commands(void)
{
	static const uint32_t lengths[] = { 0, 9, CRB_BUFFER_LEN + 1, 0xffffffff };
	uint8_t got;

	plug();
	command(12); /* nobody has the locality */
	test_equal(get(CRB_START, 4), 0);
	claim();
	for (unsigned i = 0; i < G_N_ELEMENTS(lengths); i++) {
		command(lengths[i]);
		test_equal(get(CRB_START, 4), 0);
		test_equal(result(), TPM_COMMAND_SIZE);
	}
	test_assert(read(tpm.ours, &got, 1) < 0);
	unplug();
}

static void wrong_answers(void)
{
	static const uint8_t reply[3][TPM_HEADER] = {
		{ 0x80, 1, 0, 0, 0, 9 }, { 0x80, 1, 0, 0, 0x0f, 0x81 }, { 0x80, 1, 0xff, 0, 0, 0 },
	};

	for (unsigned i = 0; i < 4; i++) {
		plug();
		claim();
		command(12);
		if (i < 3)
			answer(reply[i], TPM_HEADER);
		else
			shutdown(tpm.ours, SHUT_RDWR);
		spin();
		test_equal(get(CRB_START, 4), 0);
		test_equal(get(CRB_STATUS, 4), STATUS_FATAL);
		test_equal(result(), TPM_FAILURE);
		command(12);
		test_equal(result(), TPM_FAILURE);
		device->reset(device); /* brings another */
		test_assert(tpm.was_busy);
		test_equal(get(CRB_STATUS, 4), STATUS_IDLE);
		claim();
		command(12);
		test_equal(get(CRB_START, 4), START_GO);
		unplug();
	}
}

/* What nobody asked for puts the two out of step. */
static void unasked_answer(void)
{
	static const uint8_t byte[1];

	plug();
	answer(byte, 1);
	test_equal(get(CRB_STATUS, 4) & STATUS_FATAL, STATUS_FATAL);
	unplug();
}

int main(void)
{
	test_run(registers);
	test_run(command_and_answer);
	test_run(wrong_commands);
	test_run(wrong_answers);
	test_run(unasked_answer);
	return 0;
}
