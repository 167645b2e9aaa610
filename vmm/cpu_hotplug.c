/*
 * Hot plug of processors by ACPI: twelve ports with a selector and what there is to know about the
 * selected processor, an SSDT whose methods use them, and general-purpose event 2.
 *
 *	+0  write 4: selects a processor              read 4: upper half of the answer to command 3
 *	+4  write 1: 2 insertion seen, 4 removal seen, 8 eject
 *	    read 1:  1 there, 2 inserted, 4 is to be removed
 *	+5  write 1: command
 *	+8  write 4: argument                         read 4: answer
 *
 * Commands: 0 select the next processor about which there is news (answer: its number); 1, 2 the
 * arguments are the guest's report of how it went; 3 the answer is its APIC id. This is the "modern"
 * interface of QEMU on a Q35, which OVMF counts processors by.
 *
 * Source: QEMU, docs/specs/acpi_cpu_hotplug.rst; ACPI 6.4, sections 6.3 and 8.4.
 *
 * Thread: ports on vCPU threads; the rest see cpu_hotplug.h. `lock` is held around the registers, not
 * while a processor is made.
 */
#define G_LOG_DOMAIN "irori-cpus"

#include "vmm/cpu_hotplug.h"

#include <errno.h>
#include <string.h>

#include "vmm/acpi.h"
#include "vmm/aml.h"
#include "vmm/error.h"
#include "vmm/kvm.h"
#include "vmm/machine.h"
#include "vmm/pm.h"
#include "vmm/state.h"
#include "vmm/vcpu.h"

enum cpu_hotplug_layout {
	PORT_BASE = 0xcd8,
	PORT_LEN = 12,
	PORT_SELECTOR = 0,
	PORT_FLAGS = 4,
	PORT_COMMAND = 5,
	PORT_DATA = 8,

	FLAG_THERE = 1,
	FLAG_INSERTED = 2,
	FLAG_REMOVE = 4,
	FLAG_EJECT = 8,

	COMMAND_NEXT = 0,
	COMMAND_OST_EVENT = 1,
	COMMAND_OST_STATUS = 2,
	COMMAND_ID = 3,

	GPE = 2,
	NOTIFY_CHECK = 1,
	NOTIFY_EJECT = 3,
};

struct cpu_hotplug {
	struct device device;
	struct machine *machine;
	struct region region;
	GMutex lock; /* of what follows */
	uint32_t selector, ost_event;
	uint8_t command;
	uint8_t inserted[KVM_MAX_VCPUS], remove[KVM_MAX_VCPUS];
};

static unsigned hotplug_max(const struct cpu_hotplug *hotplug)
{
	return hotplug->machine->vcpus ? vcpus_max(hotplug->machine->vcpus) : 0;
}

static uint8_t flags_read(const struct cpu_hotplug *hotplug)
{
	unsigned i = hotplug->selector;

	return (vcpus_present(hotplug->machine->vcpus, i) ? FLAG_THERE : 0) |
		(hotplug->inserted[i] ? FLAG_INSERTED : 0) |
		(hotplug->remove[i] ? FLAG_REMOVE : 0);
}

static uint64_t ports_read(void *owner, uint64_t offset, unsigned size)
{
	struct cpu_hotplug *hotplug = owner;
	uint64_t value = 0;

	g_mutex_lock(&hotplug->lock);
	if (hotplug->selector < hotplug_max(hotplug)) {
		if (offset == PORT_FLAGS)
			value = flags_read(hotplug);
		else if (offset == PORT_DATA &&
			(hotplug->command == COMMAND_NEXT || hotplug->command == COMMAND_ID))
			value = hotplug->selector; /* which is the APIC id, too */
	}
	g_mutex_unlock(&hotplug->lock);
	return value;
}

/* From the selected one on, and around: so that a guest that clears what it has seen sees all. */
static void select_next(struct cpu_hotplug *hotplug)
{
	unsigned max = hotplug_max(hotplug);

	for (unsigned k = 0; k < max; k++) {
		unsigned i = (hotplug->selector + k) % max;

		if (hotplug->inserted[i] || hotplug->remove[i]) {
			hotplug->selector = i;
			return;
		}
	}
}

static void flags_write(struct cpu_hotplug *hotplug, uint8_t value)
{
	unsigned i = hotplug->selector;

	if (value & FLAG_INSERTED)
		hotplug->inserted[i] = 0;
	else if (value & FLAG_REMOVE)
		hotplug->remove[i] = 0;
	else if (value & FLAG_EJECT && i > 0) /* asked or not: it is the guest's to give back */
		vcpus_unplug(hotplug->machine->vcpus, i);
}

static void data_write(struct cpu_hotplug *hotplug, uint32_t value)
{
	if (hotplug->command == COMMAND_OST_EVENT)
		hotplug->ost_event = value;
	else if (hotplug->command == COMMAND_OST_STATUS)
		g_debug("processor %u: the guest reports status %#x of event %#x", hotplug->selector,
			value, hotplug->ost_event);
}

static void ports_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	struct cpu_hotplug *hotplug = owner;

	g_mutex_lock(&hotplug->lock);
	if (offset == PORT_SELECTOR) {
		hotplug->selector = (uint32_t)value;
	} else if (hotplug->selector < hotplug_max(hotplug)) {
		if (offset == PORT_FLAGS) {
			flags_write(hotplug, (uint8_t)value);
		} else if (offset == PORT_COMMAND) {
			hotplug->command = (uint8_t)value;
			if (hotplug->command == COMMAND_NEXT)
				select_next(hotplug);
		} else if (offset == PORT_DATA) {
			data_write(hotplug, (uint32_t)value);
		}
	}
	g_mutex_unlock(&hotplug->lock);
}

static const struct region_ops ports_ops = {
	.read = ports_read,
	.write = ports_write,
};

/* The lowest that are missing. */
static int hotplug_add(struct cpu_hotplug *hotplug, unsigned n)
{
	struct vcpus *vcpus = hotplug->machine->vcpus;
	int rc = 0;

	for (unsigned i = 0; !rc && i < vcpus_max(vcpus) && vcpus_count(vcpus) < n; i++) {
		if (vcpus_present(vcpus, i))
			continue;
		rc = vcpus_plug(vcpus, i);
		if (rc)
			break;
		g_mutex_lock(&hotplug->lock);
		hotplug->inserted[i] = 1;
		hotplug->remove[i] = 0;
		g_mutex_unlock(&hotplug->lock);
	}
	return rc;
}

/* The highest go. One that was to go and has not gone yet is asked once more, or not any more. */
static void hotplug_ask(struct cpu_hotplug *hotplug, unsigned n)
{
	struct vcpus *vcpus = hotplug->machine->vcpus;
	unsigned there = vcpus_count(vcpus);

	g_mutex_lock(&hotplug->lock);
	for (unsigned i = vcpus_max(vcpus); i-- > 1;) {
		hotplug->remove[i] = there > n && vcpus_present(vcpus, i);
		there -= hotplug->remove[i];
	}
	g_mutex_unlock(&hotplug->lock);
}

int cpu_hotplug_set(struct cpu_hotplug *hotplug, unsigned n)
{
	int rc;

	if (n == 0)
		return -EINVAL;
	if (n > hotplug_max(hotplug))
		return -ERANGE;
	rc = hotplug_add(hotplug, n);
	hotplug_ask(hotplug, n);
	pm_gpe_raise(hotplug->machine, GPE);
	return rc;
}

static GByteArray *locked(GByteArray *inner)
{
	GByteArray *out = g_byte_array_new();

	aml_op(out, AML_ACQUIRE);
	aml_path(out, "CLCK");
	aml_byte(out, 0xff); /* no timeout, in two bytes */
	aml_byte(out, 0xff);
	g_byte_array_append(out, inner->data, inner->len);
	g_byte_array_unref(inner);
	aml_op(out, AML_RELEASE);
	aml_path(out, "CLCK");
	return out;
}

static void select_argument(GByteArray *out)
{
	aml_op(out, AML_STORE);
	aml_op(out, AML_ARG0);
	aml_path(out, "CSEL");
}

static void equal_one(GByteArray *out, const char *name)
{
	aml_op(out, AML_EQUAL);
	aml_path(out, name);
	aml_number(out, 1);
}

/* CSTA (number): its _STA. */
static void aml_status(GByteArray *out)
{
	GByteArray *body = g_byte_array_new(), *then = g_byte_array_new();

	select_argument(body);
	aml_op(body, AML_STORE);
	aml_number(body, 0);
	aml_op(body, AML_LOCAL0);
	equal_one(then, "CPEN");
	aml_op(then, AML_STORE);
	aml_number(then, 0xf);
	aml_op(then, AML_LOCAL0);
	aml_block(body, AML_IF, then);
	body = locked(body);
	aml_op(body, AML_RETURN);
	aml_op(body, AML_LOCAL0);
	aml_method(out, "CSTA", 1 | AML_SERIALIZED, body);
}

/* CEJT (number) */
static void aml_eject(GByteArray *out)
{
	GByteArray *body = g_byte_array_new();

	select_argument(body);
	aml_set(body, "CEJ0", 1);
	aml_method(out, "CEJT", 1 | AML_SERIALIZED, locked(body));
}

/* COST (number, event, status) */
static void aml_report(GByteArray *out)
{
	GByteArray *body = g_byte_array_new();

	select_argument(body);
	for (unsigned i = 1; i <= 2; i++) {
		aml_set(body, "CCMD", i);
		aml_op(body, AML_STORE);
		aml_op(body, AML_ARG0 + i);
		aml_path(body, "CDAT");
	}
	aml_method(out, "COST", 3 | AML_SERIALIZED, locked(body));
}

static void processor_name(char name[5], unsigned i)
{
	g_snprintf(name, 5, "C%03X", i & 0xfff);
}

/* CTFY (number, what): tells the processor's device. */
static void aml_tell(GByteArray *out, unsigned n)
{
	GByteArray *body = g_byte_array_new();

	for (unsigned i = 0; i < n; i++) {
		GByteArray *then = g_byte_array_new();
		char name[5];

		processor_name(name, i);
		aml_op(then, AML_EQUAL);
		aml_op(then, AML_ARG0);
		aml_number(then, i);
		aml_op(then, AML_NOTIFY);
		aml_path(then, name);
		aml_op(then, AML_ARG0 + 1);
		aml_block(body, AML_IF, then);
	}
	aml_method(out, "CTFY", 2 | AML_SERIALIZED, body);
}

/* If (flag is set) { tell; clear the flag; go on } */
static void aml_scan_case(GByteArray *out, const char *flag, unsigned notify)
{
	GByteArray *then = g_byte_array_new();

	equal_one(then, flag);
	aml_path(then, "CTFY");
	aml_path(then, "CDAT");
	aml_number(then, notify);
	aml_set(then, flag, 1);
	aml_set(then, "CMOR", 1);
	aml_block(out, AML_IF, then);
}

/* CSCN (): what is new, until nothing is. */
static void aml_scan(GByteArray *out)
{
	GByteArray *body = g_byte_array_new(), *loop = g_byte_array_new();

	aml_set(body, "CMOR", 1);
	equal_one(loop, "CMOR");
	aml_set(loop, "CMOR", 0);
	aml_set(loop, "CCMD", COMMAND_NEXT);
	aml_scan_case(loop, "CINS", NOTIFY_CHECK);
	aml_scan_case(loop, "CRMV", NOTIFY_EJECT);
	aml_set(body, "CSEL", 0);
	aml_block(body, AML_WHILE, loop);
	aml_method(out, "CSCN", AML_SERIALIZED, locked(body));
}

static void aml_registers(GByteArray *out)
{
	GByteArray *bytes = g_byte_array_new(), *words = g_byte_array_new();

	aml_port_region(out, "PRST", PORT_BASE, PORT_LEN);
	aml_field_skip(bytes, 8 * PORT_FLAGS);
	aml_field_unit(bytes, "CPEN", 1);
	aml_field_unit(bytes, "CINS", 1);
	aml_field_unit(bytes, "CRMV", 1);
	aml_field_unit(bytes, "CEJ0", 1);
	aml_field_skip(bytes, 4);
	aml_field_unit(bytes, "CCMD", 8);
	aml_field(out, "PRST", AML_FIELD_BYTE | AML_FIELD_ZEROS, bytes);
	aml_field_unit(words, "CSEL", 32);
	aml_field_skip(words, 32);
	aml_field_unit(words, "CDAT", 32);
	aml_field(out, "PRST", AML_FIELD_DWORD, words);
	aml_op(out, AML_MUTEX);
	aml_path(out, "CLCK");
	aml_byte(out, 0);
	aml_name_number(out, "CMOR", 0);
}

/* A method of the processor that calls one of ours with its number. */
static void aml_forward(GByteArray *out, const char *name, unsigned n_args, const char *to,
	unsigned i)
{
	GByteArray *body = g_byte_array_new();

	aml_op(body, AML_RETURN);
	aml_path(body, to);
	aml_number(body, i);
	aml_method(out, name, n_args, body);
}

static void aml_processor(GByteArray *out, unsigned i)
{
	/* As the MADT says it, but there. */
	const uint8_t apic[] = { 0, 8, (uint8_t)i, (uint8_t)i, 1, 0, 0, 0 };
	GByteArray *device = g_byte_array_new(), *report = g_byte_array_new();
	char name[5];

	processor_name(name, i);
	aml_name_string(device, "_HID", "ACPI0007");
	aml_name_number(device, "_UID", i);
	aml_name_buffer(device, "_MAT", apic, sizeof(apic));
	aml_forward(device, "_STA", 0, "CSTA", i);
	if (i)
		aml_forward(device, "_EJ0", 1, "CEJT", i);
	aml_path(report, "COST");
	aml_number(report, i);
	aml_op(report, AML_ARG0);
	aml_op(report, AML_ARG0 + 1);
	aml_method(device, "_OST", 3, report);
	aml_object(out, AML_DEVICE, name, device);
}

GByteArray *cpu_hotplug_aml(unsigned n)
{
	GByteArray *out = g_byte_array_new(), *cpus = g_byte_array_new();
	GByteArray *scope = g_byte_array_new(), *event = g_byte_array_new();

	aml_name_string(cpus, "_HID", "ACPI0010");
	aml_registers(cpus);
	aml_status(cpus);
	aml_eject(cpus);
	aml_report(cpus);
	for (unsigned i = 0; i < n; i++)
		aml_processor(cpus, i);
	aml_tell(cpus, n);
	aml_scan(cpus);
	aml_object(scope, AML_DEVICE, "CPUS", cpus);
	aml_object(out, AML_SCOPE, "\\_SB_", scope);
	scope = g_byte_array_new();
	aml_path(event, "\\_SB_.CPUS.CSCN");
	aml_method(scope, "_E02", 0, event);
	aml_object(out, AML_SCOPE, "\\_GPE", scope);
	return out;
}

/* Those that the old guest would not let go are gone for the next. */
static void hotplug_reset(struct device *device)
{
	struct cpu_hotplug *hotplug = (struct cpu_hotplug *)device;

	/* A seat may be asking for more or fewer at this moment. */
	g_mutex_lock(&hotplug->lock);
	for (unsigned i = 1; i < hotplug_max(hotplug); i++)
		if (hotplug->remove[i])
			vcpus_unplug(hotplug->machine->vcpus, i);
	memset(hotplug->inserted, 0, sizeof(hotplug->inserted));
	memset(hotplug->remove, 0, sizeof(hotplug->remove));
	hotplug->selector = hotplug->ost_event = 0;
	hotplug->command = 0;
	g_mutex_unlock(&hotplug->lock);
}

static void hotplug_state(struct device *device, struct state *state)
{
	struct cpu_hotplug *hotplug = (struct cpu_hotplug *)device;

	STATE(state, hotplug->selector);
	STATE(state, hotplug->ost_event);
	STATE(state, hotplug->command);
	STATE(state, hotplug->inserted);
	STATE(state, hotplug->remove);
}

static void hotplug_destroy(struct device *device)
{
	struct cpu_hotplug *hotplug = (struct cpu_hotplug *)device;

	bus_remove(hotplug->machine->pio, &hotplug->region);
	hotplug->machine->cpu_hotplug = NULL;
	g_mutex_clear(&hotplug->lock);
	g_free(hotplug);
}

static struct device *hotplug_create(struct machine *machine, const char *instance,
	const void *config, GError **error)
{
	struct cpu_hotplug *hotplug = g_new0(struct cpu_hotplug, 1);

	hotplug->device.reset = hotplug_reset;
	hotplug->device.state = hotplug_state;
	hotplug->device.destroy = hotplug_destroy;
	hotplug->machine = machine;
	g_mutex_init(&hotplug->lock);
	hotplug->region = (struct region){ .name = "processors", .base = PORT_BASE,
		.len = PORT_LEN, .ops = &ports_ops, .owner = hotplug };
	machine->cpu_hotplug = hotplug;
	if (bus_add(machine->pio, &hotplug->region) == 0) {
		/* A guest whose processors stay is not burdened with methods. */
		if (machine->config->max_vcpus > machine->config->vcpus)
			acpi_add_fragment(machine, g_byte_array_free_to_bytes(
				cpu_hotplug_aml(machine->config->max_vcpus)));
		return &hotplug->device;
	}
	fail(error, "ports %#x: something is there already", PORT_BASE);
	hotplug_destroy(&hotplug->device);
	return NULL;
}

static const struct property hotplug_properties[] = {
	{ 0 },
};

static const struct device_type hotplug_type = {
	.section = "Processors",
	.help = "hot plug of processors up to MaxVcpus= of [Guest]",
	.always = true,
	.single = true,
	.properties = hotplug_properties,
	.create = hotplug_create,
};
DEVICE_REGISTER(hotplug_type);
