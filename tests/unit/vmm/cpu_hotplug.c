/* Hot plug of processors, from the guest's side: the ports, as its AML and its firmware use them. */
#include "vmm/cpu_hotplug.c"

#include "tests/unit/test.h"

enum { MAX = 6 };

static struct {
	bool present[MAX];
	unsigned fail_at;
} cpus;

unsigned vcpus_max(const struct vcpus *vcpus)
{
	return MAX;
}

bool vcpus_present(const struct vcpus *vcpus, unsigned index)
{
	return index < MAX && cpus.present[index];
}

unsigned vcpus_count(const struct vcpus *vcpus)
{
	unsigned n = 0;

	for (unsigned i = 0; i < MAX; i++)
		n += cpus.present[i];
	return n;
}

int vcpus_plug(struct vcpus *vcpus, unsigned index)
{
	if (index == cpus.fail_at)
		return -EAGAIN;
	cpus.present[index] = true;
	return 0;
}

void vcpus_unplug(struct vcpus *vcpus, unsigned index)
{
	cpus.present[index] = false;
}

static unsigned events, fragments;

void pm_gpe_raise(struct machine *of, unsigned gpe)
{
	events += gpe == GPE;
}

void acpi_add_fragment(struct machine *of, GBytes *aml)
{
	fragments++;
	g_bytes_unref(aml);
}

static struct machine machine;
static const struct guest_config config = { .vcpus = 1, .max_vcpus = MAX };
static struct device *device;

static void plug(unsigned n)
{
	memset(&cpus, 0, sizeof(cpus));
	for (unsigned i = 0; i < n; i++)
		cpus.present[i] = true;
	machine = (struct machine){ .pio = bus_new("port"), .config = &config, .vcpus = (struct vcpus *)&cpus };
	device = hotplug_create(&machine, "", NULL, NULL);
	test_assert(device);
}

static void unplug(void)
{
	device->destroy(device);
	test_assert(!machine.cpu_hotplug);
	bus_free(machine.pio);
}

static uint32_t in(unsigned offset, unsigned size)
{
	uint64_t value;

	test_assert(bus_read(machine.pio, PORT_BASE + offset, size, &value));
	return (uint32_t)value;
}

static void out(unsigned offset, unsigned size, uint32_t value)
{
	test_assert(bus_write(machine.pio, PORT_BASE + offset, size, value));
}

static uint8_t flags_of(uint32_t i)
{
	out(PORT_SELECTOR, 4, i);
	return (uint8_t)in(PORT_FLAGS, 1);
}

/* As OVMF counts: on and on until the selector is none. */
static void firmware_counts(void)
{
	unsigned there = 0, possible = 0;

	plug(2);
	out(PORT_SELECTOR, 4, 0);
	out(PORT_COMMAND, 1, COMMAND_NEXT);
	test_equal(in(PORT_SELECTOR, 4), 0);
	do {
		there += in(PORT_FLAGS, 1) & FLAG_THERE;
		out(PORT_SELECTOR, 4, ++possible);
		out(PORT_COMMAND, 1, COMMAND_NEXT);
	} while (in(PORT_DATA, 4) > 0);
	test_equal(there, 2);
	test_equal(possible, MAX);
	unplug();
}

static void plugged_in(void)
{
	plug(1);
	test_equal(cpu_hotplug_set(machine.cpu_hotplug, 3), 0);
	test_equal(vcpus_count(NULL), 3);
	test_assert(events > 0 && fragments > 0);
	test_equal(flags_of(0), FLAG_THERE);
	test_equal(flags_of(2), FLAG_THERE | FLAG_INSERTED);
	out(PORT_SELECTOR, 4, 0);
	for (unsigned i = 1; i < 3; i++) {
		out(PORT_COMMAND, 1, COMMAND_NEXT);
		test_equal(in(PORT_DATA, 4), i);
		test_equal(in(PORT_FLAGS, 1), FLAG_THERE | FLAG_INSERTED);
		out(PORT_FLAGS, 1, FLAG_INSERTED);
		test_equal(in(PORT_FLAGS, 1), FLAG_THERE);
	}
	out(PORT_COMMAND, 1, COMMAND_ID);
	test_equal(in(PORT_DATA, 4), 2);
	unplug();
}

static void given_back(void)
{
	plug(4);
	test_equal(cpu_hotplug_set(machine.cpu_hotplug, 2), 0);
	test_equal(vcpus_count(NULL), 4);
	test_equal(flags_of(3), FLAG_THERE | FLAG_REMOVE);
	out(PORT_FLAGS, 1, FLAG_REMOVE);
	out(PORT_FLAGS, 1, FLAG_EJECT);
	test_equal(flags_of(3), 0);
	test_equal(vcpus_count(NULL), 3);
	/* Asked back before the guest let it go. */
	test_equal(cpu_hotplug_set(machine.cpu_hotplug, 3), 0);
	test_equal(flags_of(2), FLAG_THERE);
	/* A guest that does not let go does so at its reset. */
	test_equal(cpu_hotplug_set(machine.cpu_hotplug, 1), 0);
	test_equal(vcpus_count(NULL), 3);
	device->reset(device);
	test_equal(vcpus_count(NULL), 1);
	test_equal(flags_of(2), 0);
	unplug();
}

static void odd_requests(void)
{
	plug(2);
	test_equal(cpu_hotplug_set(machine.cpu_hotplug, 0), -EINVAL);
	test_equal(cpu_hotplug_set(machine.cpu_hotplug, MAX + 1), -ERANGE);
	flags_of(0);
	out(PORT_FLAGS, 1, FLAG_EJECT); /* the last one has to stay */
	test_assert(cpus.present[0]);
	for (unsigned i = 0; i < 3; i++) {
		static const uint32_t none[] = { MAX, 0x7fffffff, 0xffffffff };

		out(PORT_SELECTOR, 4, none[i]);
		out(PORT_COMMAND, 1, COMMAND_ID);
		out(PORT_FLAGS, 1, 0xff);
		out(PORT_DATA, 4, 1);
		test_equal(in(PORT_FLAGS, 1), 0);
		test_equal(in(PORT_DATA, 4), 0);
	}
	cpus.fail_at = 3;
	test_equal(cpu_hotplug_set(machine.cpu_hotplug, 5), -EAGAIN);
	test_equal(vcpus_count(NULL), 3);
	unplug();
}

/* Lengths, whose encoding changes with their size, add up: the blocks fill the whole. */
static void aml_adds_up(void)
{
	static const unsigned counts[] = { 1, 2, 16, 64 };

	for (unsigned i = 0; i < G_N_ELEMENTS(counts); i++) {
		GByteArray *aml = cpu_hotplug_aml(counts[i]);
		unsigned at = 0, blocks = 0;

		while (at < aml->len) {
			unsigned first = aml->data[at + 1], more = first >> 6;
			unsigned len = first & (more ? 0xf : 0x3f);

			test_equal(aml->data[at], AML_SCOPE);
			for (unsigned k = 0; k < more; k++)
				len |= (unsigned)aml->data[at + 2 + k] << (4 + 8 * k);
			at += 1 + len;
			blocks++;
		}
		test_equal(at, aml->len);
		test_equal(blocks, 2);
		g_byte_array_unref(aml);
	}
}

int main(int argc, char **argv)
{
	if (argc == 2) { /* the bytes, for iasl -d */
		GByteArray *aml = cpu_hotplug_aml((unsigned)atoi(argv[1]));

		return fwrite(aml->data, 1, aml->len, stdout) != aml->len;
	}
	test_run(firmware_counts);
	test_run(plugged_in);
	test_run(given_back);
	test_run(odd_requests);
	test_run(aml_adds_up);
	return 0;
}
