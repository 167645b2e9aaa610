/*
 * The machine between its devices and the seats: events go to the device that asked for them, and
 * small requests of devices that work without a machine around them (unit tests).
 */
#define G_LOG_DOMAIN "irori-machine"

#include <errno.h>
#include <string.h>

#include "vmm/control.h"
#include "vmm/kvm.h"
#include "vmm/machine.h"

#define SUBSCRIBE(name)                                                                            \
	do {                                                                                       \
		if (events->name) {                                                                \
			seat->events.name = events->name;                                          \
			seat->name = device;                                                       \
		}                                                                                  \
	} while (0)

void machine_seat_events(struct machine *machine, const struct seat_port_events *events,
	void *device)
{
	struct machine_seat *seat = &machine->seat;

	SUBSCRIBE(presented);
	SUBSCRIBE(resized);
	SUBSCRIBE(audio_consumed);
	SUBSCRIBE(audio_captured);
	if (!events->input)
		return;
	memmove(&seat->input[1], &seat->input[0], sizeof(seat->input) - sizeof(seat->input[0]));
	seat->input[0].told = events->input;
	seat->input[0].device = device;
}

static void seat_presented(void *data, unsigned head, uint64_t seq, int64_t vblank_ns,
	int64_t period_ns)
{
	struct machine_seat *seat = &((struct machine *)data)->seat;

	if (seat->events.presented)
		seat->events.presented(seat->presented, head, seq, vblank_ns, period_ns);
}

static void seat_resized(void *data, const struct port_size *heads, unsigned n)
{
	struct machine_seat *seat = &((struct machine *)data)->seat;

	if (seat->events.resized)
		seat->events.resized(seat->resized, heads, n);
}

static void seat_input(void *data, const struct port_input *events, unsigned n)
{
	struct machine_seat *seat = &((struct machine *)data)->seat;

	for (unsigned i = 0; i < INPUT_LISTENERS; i++)
		if (seat->input[i].told)
			seat->input[i].told(seat->input[i].device, events, n);
}

static void seat_consumed(void *data, unsigned stream, size_t bytes)
{
	struct machine_seat *seat = &((struct machine *)data)->seat;

	if (seat->events.audio_consumed)
		seat->events.audio_consumed(seat->audio_consumed, stream, bytes);
}

static void seat_captured(void *data, const void *pcm, size_t bytes)
{
	struct machine_seat *seat = &((struct machine *)data)->seat;

	if (seat->events.audio_captured)
		seat->events.audio_captured(seat->audio_captured, pcm, bytes);
}

const struct seat_port_events machine_seat_port_events = {
	.presented = seat_presented,
	.resized = seat_resized,
	.input = seat_input,
	.audio_consumed = seat_consumed,
	.audio_captured = seat_captured,
};

void machine_input_taken(struct machine *machine, enum input_device which, bool taken)
{
	struct machine_seat *seat = &machine->seat;
	guint bit = 1u << which;

	if (!taken)
		g_atomic_int_and((guint *)&seat->taken, ~bit);
	else if (!(g_atomic_int_or((guint *)&seat->taken, bit) & bit) && seat->watch)
		seat->watch(seat->watcher, which);
}

bool machine_input_is_taken(struct machine *machine, enum input_device which)
{
	return g_atomic_int_get(&machine->seat.taken) >> which & 1;
}

void machine_input_watch(struct machine *machine, void (*watch)(void *device, enum input_device which),
	void *watcher)
{
	machine->seat.watch = watch;
	machine->seat.watcher = watcher;
}

int machine_ioeventfd(struct machine *machine, uint64_t gpa, unsigned len, int fd, bool add)
{
	return machine->kvm ? kvm_ioeventfd(machine->kvm, gpa, len, fd, add) : -ENOSYS;
}

void machine_irq(struct machine *machine, unsigned gsi, bool level)
{
	int rc = machine->kvm ? kvm_irq_line(machine->kvm, gsi, level) : 0;

	if (rc)
		g_debug("interrupt %u: %s", gsi, g_strerror(-rc));
}

void machine_request(struct machine *machine, enum machine_request what, const char *why)
{
	if (machine->control)
		control_request(machine->control, what, why);
	else
		g_message("request %d: %s", what, why);
}

int machine_save(struct machine *machine, int fd)
{
	return control_save(machine->control, fd);
}

void machine_exit_status(struct machine *machine, int status)
{
	if (machine->control)
		control_exit_status(machine->control, status);
}
