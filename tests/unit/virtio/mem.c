/* virtio-mem, from its guest's side: blocks come and go, wrong requests do no harm, and the gate
 * knows at any time what is plugged in. */
#include "vmm/virtio_mem.c"

#include "tests/unit/test.h"
#include "tests/unit/virtio/guest.h"

enum {
	ROOM = 128 << 20,
	LIMIT = 96 << 20,
	BLOCK = 2 << 20,
	ANSWER_LEN = 10,
};

static struct guest guest;

static struct virtio_mem *mem(void)
{
	return (struct virtio_mem *)guest.device;
}

static uint64_t base(void)
{
	return memory_room(guest.machine.memory)->gpa;
}

static void plug(void)
{
	guest_open(&guest, GUEST_MEMORY);
	memory_free(guest.machine.memory);
	guest.machine.memory = memory_new_with_room(GUEST_MEMORY, ROOM, NULL);
	guest.config.max_memory = GUEST_MEMORY + LIMIT;
	test_equal(virtio_mem_room(&guest.config), ROOM);
	test_assert(guest_plug(&guest, &virtio_mem, NULL, NULL));
	guest_start(&guest, MEM_F_UNPLUGGED_INACCESSIBLE);
}

/* The answer's type; its state in *state. */
static unsigned ask_len(uint16_t type, uint64_t addr, uint16_t n, unsigned len, uint16_t *state)
{
	struct mem_wire_request request = {.type = type, .addr = addr, .n_blocks = n};
	uint64_t from = guest_put(&guest, &request, sizeof(request));
	uint64_t to = guest_alloc(&guest, ANSWER_LEN);
	struct mem_wire_answer answer = {.type = 0xffff};
	uint32_t id, written;

	guest_add(&guest, 0, (struct guest_buffer[]){{from, len, false}, {to, ANSWER_LEN, true}}, 2);
	guest_kick(&guest, 0);
	test_assert(guest_used(&guest, 0, &id, &written));
	test_equal(written, ANSWER_LEN);
	memory_read(guest.machine.memory, to, &answer, ANSWER_LEN);
	*state = answer.state;
	return answer.type;
}

static unsigned ask(uint16_t type, uint64_t addr, uint16_t n)
{
	uint16_t state;

	return ask_len(type, addr, n, sizeof(struct mem_wire_request), &state);
}

static uint16_t state_of(uint64_t addr, uint16_t n)
{
	uint16_t state;

	test_equal(ask_len(MEM_STATE, addr, n, sizeof(struct mem_wire_request), &state), MEM_ACK);
	return state;
}

static uint64_t config(unsigned offset)
{
	return guest_config_read(&guest, offset, 8);
}

static bool open_at(uint64_t gpa, uint64_t len)
{
	return memory_at(guest.machine.memory, gpa, len) != NULL;
}

static void size_is_told(void)
{
	struct virtio_mem_figures figures;

	plug();
	test_equal(config(0), BLOCK);
	test_equal(config(16), base());
	test_equal(config(24), ROOM);
	test_equal(config(32), ROOM);
	test_equal(config(48), 0);
	virtio_mem_request(mem(), 3 * BLOCK - 1);
	test_equal(guest.raised[1], 1);
	virtio_mem_request(mem(), 3 * BLOCK);
	test_equal(guest.raised[1], 1); /* nothing new */
	test_equal(config(48), 3 * BLOCK);
	virtio_mem_request(mem(), UINT64_MAX);
	test_equal(config(48), LIMIT);
	guest_write(&guest, VIRTIO_PCI_DEVICE + 48, 4, 0); /* the host's, not the driver's */
	virtio_mem_figures(mem(), &figures);
	test_equal(figures.requested, LIMIT);
	test_equal(figures.plugged, 0);
	test_assert(figures.driver);
	guest_close(&guest);
}

static void blocks_come_and_go(void)
{
	uint8_t *stale;

	plug();
	virtio_mem_request(mem(), 4 * BLOCK);
	test_assert(!open_at(base(), 1));
	test_equal(ask(MEM_PLUG, base() + BLOCK, 2), MEM_ACK);
	test_equal(config(40), 2 * BLOCK);
	test_assert(open_at(base() + BLOCK, 2 * BLOCK) && !open_at(base(), 1));
	test_assert(!open_at(base() + BLOCK - 1, 2) && !open_at(base() + BLOCK, 2 * BLOCK + 1));
	test_equal(state_of(base(), 1), MEM_UNPLUGGED);
	test_equal(state_of(base() + BLOCK, 2), MEM_PLUGGED);
	test_equal(state_of(base(), 2), MEM_MIXED);
	stale = guest_at(&guest, base() + BLOCK, BLOCK);
	memset(stale, 0x5a, BLOCK);
	test_assert(memory_used(guest.machine.memory) >= BLOCK);
	test_equal(ask(MEM_UNPLUG, base() + BLOCK, 1), MEM_ACK);
	test_assert(memory_used(guest.machine.memory) < BLOCK);
	test_assert(!open_at(base() + BLOCK, 1) && open_at(base() + 2 * BLOCK, BLOCK));
	test_equal(memory_discard(guest.machine.memory, base() + BLOCK, BLOCK), -EFAULT);
	/* What was under way still reads and writes, for nothing. */
	test_equal(stale[5], 0);
	stale[5] = 1;
	test_equal(ask(MEM_UNPLUG_ALL, 0, 0), MEM_ACK);
	test_equal(config(40), 0);
	test_equal(stale[5], 0);
	guest_close(&guest);
}

static void wrong_requests(void)
{
	static const struct {
		uint64_t offset;
		uint16_t n;
	} cases[] = {
		{0, 0}, {1, 1}, {4096, 1}, {ROOM, 1}, {ROOM - BLOCK, 2}, {0, ROOM / BLOCK + 1},
		{0, 0xffff}, {-(uint64_t)BLOCK, 1}, {-(uint64_t)BLOCK, 2}, {1ull << 63, 1},
	};
	uint16_t state;

	plug();
	virtio_mem_request(mem(), LIMIT);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
		for (uint16_t type = 0; type < MEM_REQUESTS; type++)
			if (type != MEM_UNPLUG_ALL)
				test_equal(ask(type, base() + cases[i].offset, cases[i].n),
					MEM_ERROR);
	test_equal(ask(MEM_REQUESTS, base(), 1), MEM_ERROR);
	test_equal(ask(0xffff, base(), 1), MEM_ERROR);
	test_equal(ask_len(MEM_PLUG, base(), 1, 8, &state), MEM_ERROR);
	test_equal(ask(MEM_UNPLUG, base(), 1), MEM_ERROR);
	test_equal(ask(MEM_PLUG, base(), 2), MEM_ACK);
	test_equal(ask(MEM_PLUG, base() + BLOCK, 2), MEM_ERROR);
	test_equal(ask(MEM_UNPLUG, base() + BLOCK, 2), MEM_ERROR);
	test_equal(config(40), 2 * BLOCK);
	test_assert(!guest_needs_reset(&guest));
	guest_close(&guest);
}

/* No more than was asked for, whatever the guest would like; less is its to give at any time. */
static void not_more_than_asked_for(void)
{
	plug();
	test_equal(ask(MEM_PLUG, base(), 1), MEM_NACK);
	virtio_mem_request(mem(), 2 * BLOCK);
	test_equal(ask(MEM_PLUG, base(), 3), MEM_NACK);
	test_equal(ask(MEM_PLUG, base() + ROOM - 2 * BLOCK, 2), MEM_ACK);
	test_equal(ask(MEM_PLUG, base(), 1), MEM_NACK);
	virtio_mem_request(mem(), 0);
	test_equal(config(40), 2 * BLOCK);
	test_equal(ask(MEM_UNPLUG, base() + ROOM - BLOCK, 1), MEM_ACK);
	guest_close(&guest);
}

static void no_head_or_no_room(void)
{
	static const uint32_t lens[][2] = {{7, 10}, {24, 7}, {0, 10}, {24, 0}};

	for (unsigned i = 0; i < G_N_ELEMENTS(lens); i++) {
		uint64_t at;

		plug();
		at = guest_alloc(&guest, 64);
		guest_add(&guest, 0, (struct guest_buffer[]){{at, lens[i][0], false},
			{at + 32, lens[i][1], true}}, 2);
		guest_kick(&guest, 0);
		test_assert(guest_needs_reset(&guest));
		guest_close(&guest);
	}
}

/* The ring itself in a block that the guest gives away: the queue is broken, and nothing else. */
static void ring_is_unplugged(void)
{
	struct mem_wire_request request = {.type = MEM_UNPLUG, .n_blocks = 1};
	uint64_t from, to;

	plug();
	virtio_mem_request(mem(), BLOCK);
	request.addr = base();
	test_equal(ask(MEM_PLUG, base(), 1), MEM_ACK);
	guest_negotiate(&guest, VIRTIO_F_VERSION_1);
	guest.heap = base();
	guest_enable_queue(&guest, 0, 0);
	guest_write(&guest, COMMON_DEVICE_STATUS, 1, 15);
	guest.heap = GUEST_HEAP;
	from = guest_put(&guest, &request, sizeof(request));
	to = guest_alloc(&guest, ANSWER_LEN);
	for (unsigned i = 0; i < 2; i++)
		guest_add(&guest, 0, (struct guest_buffer[]){{from, sizeof(request), false},
			{to, ANSWER_LEN, true}}, 2);
	guest_kick(&guest, 0);
	test_assert(guest_needs_reset(&guest));
	test_assert(!open_at(base(), 1));
	guest_close(&guest);
}

/* The driver's reset keeps the blocks; the machine's does not, and the next driver is told anew. */
static void resets(void)
{
	plug();
	virtio_mem_request(mem(), 4 * BLOCK);
	test_equal(ask(MEM_PLUG, base(), 4), MEM_ACK);
	guest_write(&guest, COMMON_DEVICE_STATUS, 1, 0);
	test_assert(open_at(base(), 4 * BLOCK));
	guest_reset(&guest);
	test_assert(!open_at(base(), 1));
	guest_start(&guest, 0);
	test_equal(config(40), 0);
	test_equal(config(48), 4 * BLOCK);
	guest_close(&guest);
}

static struct state *saved(void)
{
	struct state *state = state_new_saving(), *loading;

	memory_state(guest.machine.memory, state);
	state_section(state, "Memory");
	guest.device->state(guest.device, state);
	loading = state_new_loading(state_take(state));
	state_free(state);
	return loading;
}

static void comes_back(void)
{
	struct state *state;

	plug();
	virtio_mem_request(mem(), 4 * BLOCK);
	test_equal(ask(MEM_PLUG, base(), 1), MEM_ACK);
	test_equal(ask(MEM_PLUG, base() + ROOM - BLOCK, 1), MEM_ACK);
	state = saved();
	guest_unplug(&guest);
	memory_unplug(guest.machine.memory, 0, ROOM / BLOCK);
	/* What a file had for other blocks is not kept. */
	*((uint8_t *)memory_room(guest.machine.memory)->host + BLOCK) = 1;
	test_assert(guest_plug(&guest, &virtio_mem, NULL, NULL));
	memory_state(guest.machine.memory, state);
	state_section(state, "Memory");
	guest.device->state(guest.device, state);
	test_assert(!state_failed(state) && state_at_end(state));
	state_free(state);
	test_equal(config(40), 2 * BLOCK);
	test_equal(config(48), 4 * BLOCK);
	test_assert(open_at(base(), BLOCK) && open_at(base() + ROOM - BLOCK, BLOCK));
	test_assert(!open_at(base() + BLOCK, 1));
	memory_plug(guest.machine.memory, 1, 1);
	test_equal(*(uint8_t *)guest_at(&guest, base() + BLOCK, 1), 0);
	guest_close(&guest);
}

static void odd_requested_size_is_refused(void)
{
	static const uint64_t sizes[] = {1, BLOCK + 4096, LIMIT + BLOCK, UINT64_MAX};

	for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
		struct state *state;

		plug();
		mem()->requested = sizes[i];
		state = saved();
		memory_state(guest.machine.memory, state);
		state_section(state, "Memory");
		guest.device->state(guest.device, state);
		test_assert(state_failed(state));
		state_free(state);
		guest_close(&guest);
	}
}

/* Without MaxMemory= the guest sees nothing of it. */
static void no_room_no_device(void)
{
	guest_open(&guest, GUEST_MEMORY);
	test_equal(virtio_mem_room(&guest.config), 0);
	test_assert(guest_plug(&guest, &virtio_mem, NULL, NULL));
	test_assert(!guest.machine.mem && !guest.device->state && !guest.device->reset);
	test_equal(guest_read(&guest, COMMON_N_QUEUES, 2), 0xffff);
	guest_close(&guest);
}

int main(void)
{
	test_run(size_is_told);
	test_run(blocks_come_and_go);
	test_run(wrong_requests);
	test_run(not_more_than_asked_for);
	test_run(no_head_or_no_room);
	test_run(ring_is_unplugged);
	test_run(resets);
	test_run(comes_back);
	test_run(odd_requested_size_is_refused);
	test_run(no_room_no_device);
	return 0;
}
