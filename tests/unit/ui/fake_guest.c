/*
 * A guest that is not one; see fake_guest.h.
 */
#include "tests/unit/ui/fake_guest.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "display/barcode.h"

#define STRIDE (FAKE_WIDTH * 4u)
#define BYTES ((size_t)STRIDE * FAKE_HEIGHT)

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void code_draw(uint8_t *pixels, uint32_t y0, uint32_t cell, uint16_t number)
{
	uint32_t row = barcode_row(number);

	for (uint32_t y = y0; y < y0 + cell; y++)
		for (uint32_t x = 0; x < cell * BARCODE_CELLS; x++)
			memset(pixels + y * STRIDE + x * 4,
				row >> (BARCODE_CELLS - 1 - x / cell) & 1 ? 255 : 0, 4);
}

static void picture_draw(struct fake_guest *guest, uint32_t frame)
{
	uint8_t *pixels = guest->pixels[guest->up];

	for (uint32_t y = 0; y < FAKE_HEIGHT; y++)
		memset(pixels + y * STRIDE, (int)(64 + (y + frame) % 128), STRIDE);
	if (!guest->bars)
		return;
	code_draw(pixels, 0, BARCODE_PLAYER_CELL, (uint16_t)frame);
	code_draw(pixels, FAKE_HEIGHT - BARCODE_CLIP_CELL, BARCODE_CLIP_CELL,
		(uint16_t)(frame % FAKE_CLIP_FRAMES));
}

static void present(struct fake_guest *guest, bool on, bool changed)
{
	struct seat_port *port = link_server_port(guest->server);
	struct port_frame frame = {
		.seq = ++guest->seq,
		.buffer = on ? guest->up + 1 : 0,
		.source = { 0, 0, FAKE_WIDTH, FAKE_HEIGHT },
		.damage = { 0, 0, changed ? FAKE_WIDTH : 0, changed ? FAKE_HEIGHT : 0 },
		.flush_ns = now(),
	};

	if (!on)
		frame.source = frame.damage = (struct rect){ 0 };
	port->ops->frame(port, &frame);
}

/* One letter of the script. */
static void script_step(struct fake_guest *guest)
{
	char letter = guest->script[guest->at];
	bool changed;

	if (!letter) {
		guest->done = true;
		return;
	}
	if (letter == '.') {
		present(guest, false, false);
	} else {
		changed = !guest->at || guest->script[guest->at - 1] != letter;
		if (changed) {
			guest->up ^= 1;
			picture_draw(guest, (uint32_t)(letter - 'a'));
		}
		present(guest, true, changed);
	}
	guest->at++;
}

static void player_step(struct fake_guest *guest)
{
	/* Every 40th frame is held one vblank too long, every 100th is left out. */
	unsigned promised = guest->faults && guest->frame % 40 == 7 ? 3 : 2;

	if (guest->hold++ < promised && guest->hold > 1) {
		present(guest, true, false);
		return;
	}
	guest->hold = 1;
	guest->frame += guest->faults && guest->frame % 100 == 50 ? 2 : 1;
	guest->up ^= 1;
	picture_draw(guest, guest->frame);
	present(guest, true, true);
}

void fake_guest_play(struct fake_guest *guest)
{
	guest->started = true;
	if (guest->script)
		script_step(guest);
	else if (!guest->stopped)
		player_step(guest);
}

static void presented(void *device, unsigned head, uint64_t seq, int64_t vblank_ns,
	int64_t period_ns)
{
	struct fake_guest *guest = device;

	if (guest->started && seq == guest->seq)
		fake_guest_play(guest);
}

static const struct seat_port_events port_events = {
	.presented = presented,
};

bool fake_guest_start(struct fake_guest *guest, GMainContext *context,
	const struct link_server_config *config, GError **error)
{
	struct seat_port *port;

	guest->context = context;
	guest->server = link_server_new(context, config, error);
	if (!guest->server)
		return false;
	link_server_set_events(guest->server, &port_events, guest);
	port = link_server_port(guest->server);
	for (unsigned i = 0; i < 2; i++) {
		struct port_buffer buffer = { i + 1, -1, FAKE_WIDTH, FAKE_HEIGHT, STRIDE };

		guest->fd[i] = buffer.fd =
			memfd_create("fake scanout", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		if (buffer.fd < 0 || ftruncate(buffer.fd, BYTES) ||
			fcntl(buffer.fd, F_ADD_SEALS, F_SEAL_SHRINK))
			return false;
		guest->pixels[i] = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
			buffer.fd, 0);
		if (guest->pixels[i] == MAP_FAILED || port->ops->buffer(port, &buffer))
			return false;
	}
	return true;
}

void fake_guest_stop(struct fake_guest *guest)
{
	link_server_free(guest->server);
	for (unsigned i = 0; i < 2; i++) {
		munmap(guest->pixels[i], BYTES);
		close(guest->fd[i]);
	}
}
