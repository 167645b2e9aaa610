/* The virtqueue against rings as drivers make them, and as enemies do. */
#include <errno.h>
#include <string.h>

#include "tests/unit/test.h"
#include "vmm/virtqueue.h"

enum {
	MEMORY = 1 << 20,
	SIZE = 16,
	DESC = 0x1000,
	AVAIL = 0x2000,
	USED = 0x3000,
	DATA = 0x8000,
	TABLE = 0x4000, /* indirect */

	NEXT = 1,
	WRITE = 2,
	INDIRECT = 4,
};

struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

static struct guest_memory *memory;
static struct virtqueue queue;
static struct vq_chain chain;

static void put16(uint64_t gpa, uint16_t value)
{
	memory_write(memory, gpa, &value, 2);
}

static uint16_t get16(uint64_t gpa)
{
	uint16_t value = 0;

	memory_read(memory, gpa, &value, 2);
	return value;
}

static void put_desc(uint64_t table, unsigned i, struct desc desc)
{
	memory_write(memory, table + 16 * i, &desc, sizeof(desc));
}

static void offer(uint16_t head)
{
	uint16_t idx = get16(AVAIL + 2);

	put16(AVAIL + 4 + 2 * (idx % SIZE), head);
	put16(AVAIL + 2, idx + 1);
}

static void fresh(void)
{
	memset(memory_at(memory, 0, MEMORY), 0, MEMORY);
	virtqueue_init(&queue, memory, SIZE);
	queue.desc = DESC;
	queue.avail = AVAIL;
	queue.used = USED;
	queue.indirect = true;
	test_equal(virtqueue_enable(&queue), 0);
}

/* Offers head 0 and expects it refused, once, and then silence. */
static void expect_refused(void)
{
	offer(0);
	test_equal(virtqueue_pop(&queue, &chain), -EPROTO);
	test_equal(chain.n_out + chain.n_in, 0);
	test_assert(queue.broken);
	test_equal(virtqueue_pop(&queue, &chain), 0);
	virtqueue_push(&queue, 0, 1);
	test_equal(get16(USED + 2), 0);
	test_assert(!virtqueue_wants_interrupt(&queue));
}

static void enable_refuses(void)
{
	static const struct {
		uint16_t size;
		uint64_t desc, avail, used;
	} cases[] = {
		{0, DESC, AVAIL, USED},
		{3, DESC, AVAIL, USED},
		{SIZE * 2, DESC, AVAIL, USED},
		{SIZE, DESC + 8, AVAIL, USED},
		{SIZE, DESC, AVAIL + 1, USED},
		{SIZE, DESC, AVAIL, USED + 2},
		{SIZE, MEMORY, AVAIL, USED},
		{SIZE, DESC, MEMORY - 2, USED},
		{SIZE, DESC, AVAIL, MEMORY - 4},
		{SIZE, UINT64_MAX - 15, AVAIL, USED},
		{SIZE, DESC, UINT64_MAX - 1, USED},
		{SIZE, DESC, AVAIL, UINT64_MAX - 3},
		/* used_event and avail_event belong to the rings as well */
		{SIZE, DESC, MEMORY - 4 - 2 * SIZE, USED},
		{SIZE, DESC, AVAIL, MEMORY - 4 - 8 * SIZE},
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		virtqueue_init(&queue, memory, SIZE);
		queue.size = cases[i].size;
		queue.desc = cases[i].desc;
		queue.avail = cases[i].avail;
		queue.used = cases[i].used;
		test_equal(virtqueue_enable(&queue), -EINVAL);
		test_assert(!queue.ready);
		test_equal(virtqueue_pop(&queue, &chain), 0);
	}
}

static void direct_chain(void)
{
	char text[16] = "";

	fresh();
	memcpy(memory_at(memory, DATA, 10), "helloworld", 10);
	put_desc(DESC, 0, (struct desc){DATA, 5, NEXT, 5});
	put_desc(DESC, 5, (struct desc){DATA + 5, 5, NEXT, 2});
	put_desc(DESC, 2, (struct desc){DATA + 0x100, 8, NEXT | WRITE, 3});
	put_desc(DESC, 3, (struct desc){DATA + 0x200, 8, WRITE, 0});
	offer(0);
	test_equal(virtqueue_pop(&queue, &chain), 1);
	test_equal(chain.head, 0);
	test_equal(chain.n_out, 2);
	test_equal(chain.n_in, 2);
	test_equal(chain.out_len, 10);
	test_equal(chain.in_len, 16);
	test_equal(chain_read(&chain, 3, text, 5), 5);
	test_assert(memcmp(text, "lowor", 5) == 0);
	test_equal(chain_read(&chain, 8, text, 16), 2);
	test_equal(chain_read(&chain, 10, text, 16), 0);
	test_equal(chain_write(&chain, 6, "abcd", 4), 4);
	test_assert(memcmp(memory_at(memory, DATA + 0x106, 2), "ab", 2) == 0);
	test_assert(memcmp(memory_at(memory, DATA + 0x200, 2), "cd", 2) == 0);
	test_equal(chain_write(&chain, 14, "abcd", 4), 2);
	test_equal(chain_write(&chain, SIZE_MAX, "abcd", 4), 0);
	virtqueue_push(&queue, chain.head, 12);
	test_equal(get16(USED + 2), 1);
	test_equal(get16(USED + 4), 0);
	test_equal(get16(USED + 8), 12);
	test_equal(virtqueue_pop(&queue, &chain), 0);
}

static void empty_buffers(void)
{
	fresh();
	put_desc(DESC, 0, (struct desc){UINT64_MAX, 0, NEXT, 1});
	put_desc(DESC, 1, (struct desc){DATA, 4, NEXT, 2});
	put_desc(DESC, 2, (struct desc){0, 0, WRITE, 0});
	offer(0);
	test_equal(virtqueue_pop(&queue, &chain), 1);
	test_equal(chain.n_out, 1);
	test_equal(chain.n_in, 0);
	/* A chain of nothing at all is a chain. */
	put_desc(DESC, 3, (struct desc){0, 0, 0, 0});
	offer(3);
	test_equal(virtqueue_pop(&queue, &chain), 1);
	test_equal(chain.head, 3);
	test_equal(chain.n_out + chain.n_in, 0);
}

static void indices_wrap(void)
{
	fresh();
	put_desc(DESC, 7, (struct desc){DATA, 4, 0, 0});
	for (unsigned i = 0; i < 70000; i++) {
		offer(7);
		test_equal(virtqueue_pop(&queue, &chain), 1);
		virtqueue_push(&queue, 7, 0);
		test_equal(get16(USED + 2), (uint16_t)(i + 1));
	}
	test_equal(virtqueue_pop(&queue, &chain), 0);
}

static void bad_descriptors(void)
{
	static const struct desc cases[] = {
		{MEMORY, 1, 0, 0},              /* outside memory */
		{DATA, MEMORY, 0, 0},           /* runs out of it */
		{UINT64_MAX - 1, 4, 0, 0},      /* wraps */
		{DATA, UINT32_MAX, 0, 0},
		{MEMORY_HIGH_BASE, 8, WRITE, 0},
		{DATA, 4, NEXT, 0},             /* itself */
		{DATA, 4, NEXT, SIZE},          /* no such descriptor */
		{DATA, 4, NEXT, UINT16_MAX},
		{DATA, 0, NEXT, 0},             /* an endless chain of nothing */
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		fresh();
		put_desc(DESC, 0, cases[i]);
		expect_refused();
	}
}

static void long_loop(void)
{
	fresh();
	for (unsigned i = 0; i < SIZE; i++)
		put_desc(DESC, i, (struct desc){DATA, 4, NEXT, (i + 1) % SIZE});
	expect_refused();
	/* As long as the queue, and no loop: fine. */
	fresh();
	for (unsigned i = 0; i < SIZE; i++)
		put_desc(DESC, i, (struct desc){DATA, 4, i + 1 < SIZE ? NEXT : 0, i + 1});
	offer(0);
	test_equal(virtqueue_pop(&queue, &chain), 1);
	test_equal(chain.n_out, SIZE);
}

static void order_of_buffers(void)
{
	fresh();
	put_desc(DESC, 0, (struct desc){DATA, 4, NEXT | WRITE, 1});
	put_desc(DESC, 1, (struct desc){DATA, 4, 0, 0});
	expect_refused();
	fresh(); /* even when one of them is empty */
	put_desc(DESC, 0, (struct desc){DATA, 0, NEXT | WRITE, 1});
	put_desc(DESC, 1, (struct desc){DATA, 4, 0, 0});
	expect_refused();
}

static void bad_heads_and_indices(void)
{
	static const uint16_t heads[] = {SIZE, SIZE + 1, 0x8000, UINT16_MAX};
	static const uint16_t indices[] = {SIZE + 1, 0x8000, UINT16_MAX};

	for (unsigned i = 0; i < G_N_ELEMENTS(heads); i++) {
		fresh();
		offer(heads[i]);
		test_equal(virtqueue_pop(&queue, &chain), -EPROTO);
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(indices); i++) {
		fresh();
		put16(AVAIL + 2, indices[i]);
		test_equal(virtqueue_pop(&queue, &chain), -EPROTO);
	}
	fresh(); /* a full ring is no jump */
	put_desc(DESC, 0, (struct desc){DATA, 4, 0, 0});
	put16(AVAIL + 2, SIZE);
	for (unsigned i = 0; i < SIZE; i++)
		test_equal(virtqueue_pop(&queue, &chain), 1);
	test_equal(virtqueue_pop(&queue, &chain), 0);
	/* and one that goes backwards is */
	put16(AVAIL + 2, SIZE - 1);
	test_equal(virtqueue_pop(&queue, &chain), -EPROTO);
}

static void indirect_chain(void)
{
	fresh();
	put_desc(DESC, 0, (struct desc){DATA, 4, NEXT, 1});
	put_desc(DESC, 1, (struct desc){TABLE, 3 * 16, INDIRECT, 0});
	put_desc(TABLE, 0, (struct desc){DATA + 8, 8, NEXT, 2});
	put_desc(TABLE, 2, (struct desc){DATA + 16, 16, WRITE, 0});
	offer(0);
	test_equal(virtqueue_pop(&queue, &chain), 1);
	test_equal(chain.n_out, 2);
	test_equal(chain.n_in, 1);
	test_equal(chain.out_len, 12);
}

static void bad_indirect(void)
{
	static const struct desc cases[] = {
		{TABLE, 0, INDIRECT, 0},
		{TABLE, 15, INDIRECT, 0},
		{TABLE, 17, INDIRECT, 0},
		{TABLE, 32, INDIRECT | NEXT, 1},
		{MEMORY - 16, 32, INDIRECT, 0},
		{UINT64_MAX - 15, 32, INDIRECT, 0},
		{TABLE, UINT32_MAX & ~15u, INDIRECT, 0},
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		fresh();
		put_desc(TABLE, 0, (struct desc){DATA, 4, 0, 0});
		put_desc(DESC, 0, cases[i]);
		expect_refused();
	}
	fresh(); /* not negotiated */
	queue.indirect = false;
	put_desc(TABLE, 0, (struct desc){DATA, 4, 0, 0});
	put_desc(DESC, 0, (struct desc){TABLE, 16, INDIRECT, 0});
	expect_refused();
	fresh(); /* a table in a table */
	put_desc(DESC, 0, (struct desc){TABLE, 16, INDIRECT, 0});
	put_desc(TABLE, 0, (struct desc){TABLE, 16, INDIRECT, 0});
	expect_refused();
	fresh(); /* a loop in the table */
	put_desc(DESC, 0, (struct desc){TABLE, 32, INDIRECT, 0});
	put_desc(TABLE, 0, (struct desc){DATA, 4, NEXT, 1});
	put_desc(TABLE, 1, (struct desc){DATA, 4, NEXT, 0});
	expect_refused();
	fresh(); /* out of the table */
	put_desc(DESC, 0, (struct desc){TABLE, 16, INDIRECT, 0});
	put_desc(TABLE, 0, (struct desc){DATA, 4, NEXT, 1});
	expect_refused();
}

static void long_table(unsigned n)
{
	put_desc(DESC, 1, (struct desc){TABLE, n * 16, INDIRECT, 0});
	for (unsigned i = 0; i < n; i++)
		put_desc(TABLE, i, (struct desc){DATA, 4, i + 1 < n ? NEXT : 0, i + 1});
}

/* More buffers than a vq_chain holds, from a table that is large enough for them. */
static void too_many_segments(void)
{
	fresh();
	long_table(VIRTQUEUE_MAX_SEGMENTS);
	offer(1);
	test_equal(virtqueue_pop(&queue, &chain), 1);
	test_equal(chain.n_out, VIRTQUEUE_MAX_SEGMENTS);
	fresh();
	long_table(VIRTQUEUE_MAX_SEGMENTS + 1);
	put_desc(DESC, 0, (struct desc){DATA, 0, NEXT, 1});
	expect_refused();
	fresh(); /* one before the table, and then as many as there may be */
	long_table(VIRTQUEUE_MAX_SEGMENTS);
	put_desc(DESC, 0, (struct desc){DATA, 4, NEXT, 1});
	expect_refused();
}

static void interrupts_by_flag(void)
{
	fresh();
	test_assert(!virtqueue_wants_interrupt(&queue)); /* nothing was pushed */
	virtqueue_push(&queue, 0, 0);
	test_assert(virtqueue_wants_interrupt(&queue));
	test_assert(!virtqueue_wants_interrupt(&queue)); /* told already */
	put16(AVAIL, 1);
	virtqueue_push(&queue, 0, 0);
	test_assert(!virtqueue_wants_interrupt(&queue));
}

static void interrupts_by_event(void)
{
	uint64_t used_event = AVAIL + 4 + 2 * SIZE;

	fresh();
	queue.event_idx = true;
	put16(AVAIL, 1); /* the flag means nothing then */
	virtqueue_push(&queue, 0, 0);
	test_assert(virtqueue_wants_interrupt(&queue)); /* event 0, index 0 -> 1 */
	virtqueue_push(&queue, 0, 0);
	test_assert(!virtqueue_wants_interrupt(&queue)); /* the event is behind us */
	put16(used_event, 3);
	virtqueue_push(&queue, 0, 0);
	test_assert(!virtqueue_wants_interrupt(&queue)); /* 2 -> 3: not yet */
	virtqueue_push(&queue, 0, 0);
	virtqueue_push(&queue, 0, 0);
	test_assert(virtqueue_wants_interrupt(&queue)); /* 3 -> 5 passes it */
	queue.next_used = queue.signalled_used = UINT16_MAX;
	put16(used_event, UINT16_MAX);
	virtqueue_push(&queue, 0, 0);
	test_assert(virtqueue_wants_interrupt(&queue)); /* across the wrap */
}

static void kicks(void)
{
	uint64_t avail_event = USED + 4 + 8 * SIZE;

	fresh();
	virtqueue_set_kicks(&queue, false);
	test_equal(get16(USED), 1);
	test_equal(virtqueue_pop(&queue, &chain), 0);
	test_equal(get16(USED), 1); /* an empty queue does not switch them on again */
	virtqueue_set_kicks(&queue, true);
	test_equal(get16(USED), 0);

	fresh();
	queue.event_idx = true;
	put_desc(DESC, 0, (struct desc){DATA, 4, 0, 0});
	for (unsigned i = 0; i < 3; i++)
		offer(0);
	while (virtqueue_pop(&queue, &chain) == 1)
		;
	test_equal(get16(avail_event), 3); /* the next one, please */
	virtqueue_set_kicks(&queue, false);
	offer(0);
	test_equal(virtqueue_pop(&queue, &chain), 1);
	test_equal(virtqueue_pop(&queue, &chain), 0);
	test_equal(get16(avail_event), 3);
}

static void reset_forgets(void)
{
	fresh();
	put_desc(DESC, 0, (struct desc){MEMORY, 4, 0, 0});
	expect_refused();
	virtqueue_reset(&queue);
	test_assert(!queue.ready && !queue.broken);
	test_equal(queue.size, SIZE);
	test_equal(queue.desc, 0);
	test_equal(virtqueue_pop(&queue, &chain), 0);
	virtqueue_push(&queue, 0, 0); /* a late answer goes nowhere */
	test_equal(get16(USED + 2), 0);
}

int main(void)
{
	memory = memory_new(MEMORY, NULL);
	test_assert(memory);
	test_run(enable_refuses);
	test_run(direct_chain);
	test_run(empty_buffers);
	test_run(indices_wrap);
	test_run(bad_descriptors);
	test_run(long_loop);
	test_run(order_of_buffers);
	test_run(bad_heads_and_indices);
	test_run(indirect_chain);
	test_run(bad_indirect);
	test_run(too_many_segments);
	test_run(interrupts_by_flag);
	test_run(interrupts_by_event);
	test_run(kicks);
	test_run(reset_forgets);
	memory_free(memory);
	return 0;
}
