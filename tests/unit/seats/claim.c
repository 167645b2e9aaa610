/*
 * Keyboards that are nobody's yet, over pipes: which keys claim them, and keyboards that are none.
 */
#include "seats/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/input.h>
#include <unistd.h>

#include "tests/unit/test.h"

struct heard {
	struct claim *claim;
	GString *said; /* "7:F2 " claimed, "7:e " entered, "7:x " gone */
	enum { KEEP, REMOVE, TAKE, READD } on_claim;
	int taken;
};

static void hear_claimed(void *data, uint32_t id, unsigned number)
{
	struct heard *heard = data;

	g_string_append_printf(heard->said, "%u:F%u ", id, number);
	if (heard->on_claim == REMOVE)
		claim_remove(heard->claim, id);
	if (heard->on_claim == TAKE)
		heard->taken = claim_take(heard->claim, id);
	if (heard->on_claim == READD) { /* the same id again, another device */
		claim_remove(heard->claim, id);
		claim_add(heard->claim, id, open("/dev/null", O_RDONLY | O_CLOEXEC));
	}
}

static void hear_entered(void *data, uint32_t id)
{
	struct heard *heard = data;

	g_string_append_printf(heard->said, "%u:e ", id);
}

static void hear_gone(void *data, uint32_t id)
{
	struct heard *heard = data;

	g_string_append_printf(heard->said, "%u:x ", id);
}

static const struct claim_events events = { hear_claimed, hear_entered, hear_gone };

static void begin(struct heard *heard)
{
	heard->said = g_string_new(NULL);
	heard->claim = claim_new(&events, heard);
	heard->on_claim = KEEP;
	heard->taken = -1;
}

static void end(struct heard *heard)
{
	claim_free(heard->claim);
	g_string_free(heard->said, TRUE);
}

/* A keyboard of the claim's; what it is typed on. */
static int keyboard(struct heard *heard, uint32_t id)
{
	int ends[2];

	test_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	test_equal(claim_add(heard->claim, id, ends[0]), 0);
	return ends[1];
}

static void type(int fd, uint16_t kind, uint16_t code, int32_t value)
{
	struct input_event event = { .type = kind, .code = code, .value = value };

	test_equal(write(fd, &event, sizeof(event)), sizeof(event));
}

static void turn(void)
{
	for (unsigned i = 0; i < 1000 && g_main_context_iteration(NULL, FALSE); i++)
		;
}

static void expect(struct heard *heard, const char *said)
{
	turn();
	if (g_strcmp0(heard->said->str, said))
		printf("said: %s, expected %s\n", heard->said->str, said);
	test_assert(!g_strcmp0(heard->said->str, said));
	g_string_set_size(heard->said, 0);
}

static void f_keys_claim(void)
{
	static const uint16_t codes[] = { KEY_F1, KEY_F2, KEY_F3, KEY_F4, KEY_F5, KEY_F6, KEY_F7, KEY_F8,
		KEY_F9, KEY_F10, KEY_F11, KEY_F12 };
	struct heard heard;
	int one, two;

	begin(&heard);
	one = keyboard(&heard, 7);
	two = keyboard(&heard, 8);
	for (unsigned i = 0; i < G_N_ELEMENTS(codes); i++) {
		g_autofree char *said = g_strdup_printf("7:F%u ", i + 1);

		type(one, EV_MSC, MSC_SCAN, codes[i]);
		type(one, EV_KEY, codes[i], 1);
		type(one, EV_SYN, SYN_REPORT, 0);
		type(one, EV_KEY, codes[i], 2); /* repeats */
		type(one, EV_KEY, codes[i], 0);
		expect(&heard, said);
	}
	type(two, EV_KEY, KEY_A, 1);
	type(two, EV_KEY, KEY_F13, 1);
	type(two, EV_KEY, KEY_MAX, 1);
	type(two, EV_KEY, 0xffff, 1);
	type(two, EV_KEY, KEY_SPACE, 1);
	expect(&heard, "");
	type(two, EV_KEY, KEY_ENTER, 1);
	type(two, EV_KEY, KEY_ENTER, 2);
	type(two, EV_KEY, KEY_ENTER, 0);
	type(two, EV_KEY, KEY_KPENTER, 1);
	type(two, EV_REL, KEY_ENTER, 1);
	type(two, EV_KEY, KEY_F1, -1);
	type(two, EV_REL, KEY_F1, 1);
	expect(&heard, "8:e 8:e ");
	close(one);
	close(two);
	expect(&heard, "7:x 8:x ");
	end(&heard);
}

static void who_is_asked_answers_once(void)
{
	struct heard heard;
	char byte;
	int one, two, three;

	begin(&heard);
	one = keyboard(&heard, 1);
	two = keyboard(&heard, 2);
	three = keyboard(&heard, 3);
	heard.on_claim = REMOVE;
	type(one, EV_KEY, KEY_F1, 1);
	type(one, EV_KEY, KEY_F2, 1);
	expect(&heard, "1:F1 ");
	heard.on_claim = READD;
	type(three, EV_KEY, KEY_F1, 1);
	type(three, EV_KEY, KEY_F2, 1);
	expect(&heard, "3:F1 3:x "); /* what came on the old one is not the new one's; that one ends */
	heard.on_claim = TAKE;
	type(two, EV_KEY, KEY_F3, 1);
	expect(&heard, "2:F3 ");
	test_assert(heard.taken >= 0);
	test_equal(write(two, "x", 1), 1); /* it is still open */
	test_equal(read(heard.taken, &byte, 1), 1);
	expect(&heard, "");
	test_equal(claim_take(heard.claim, 2), -1);
	claim_remove(heard.claim, 99);
	close(heard.taken);
	close(one);
	close(two);
	close(three);
	end(&heard);
}

static void what_is_no_keyboard_is_gone(void)
{
	struct heard heard;
	int one;

	begin(&heard);
	one = keyboard(&heard, 1);
	type(one, EV_KEY, KEY_ENTER, 1);
	turn();
	test_equal(write(one, "half an event", 13), 13);
	expect(&heard, "1:e 1:x "); /* the first was whole */
	close(one);
	test_equal(claim_add(heard.claim, 2, open("/", O_RDONLY | O_CLOEXEC)), 0); /* EISDIR */
	expect(&heard, "2:x ");
	end(&heard);
}

/* One that types without end does not keep the others from their turn. */
static void a_flood_is_bounded(void)
{
	struct heard heard;
	int flood, other;
	unsigned n = 0;

	begin(&heard);
	flood = keyboard(&heard, 1);
	other = keyboard(&heard, 2);
	for (unsigned i = 0; i < 1000; i++)
		type(flood, EV_KEY, KEY_ENTER, 1);
	type(other, EV_KEY, KEY_F1, 1);
	g_main_context_iteration(NULL, FALSE);
	for (const char *c = heard.said->str; *c; c++)
		n += *c == 'e';
	test_equal(n, 256);
	test_assert(g_str_has_suffix(heard.said->str, "2:F1 "));
	close(flood);
	close(other);
	end(&heard);
}

static void there_is_room_for_so_many(void)
{
	struct heard heard;
	int writers[CLAIM_MAX_DEVICES];

	begin(&heard);
	for (unsigned i = 0; i < CLAIM_MAX_DEVICES; i++)
		writers[i] = keyboard(&heard, i + 1);
	test_equal(claim_add(heard.claim, 1, open("/dev/null", O_RDONLY | O_CLOEXEC)), -EEXIST);
	test_equal(claim_add(heard.claim, 1000, open("/dev/null", O_RDONLY | O_CLOEXEC)), -ENOSPC);
	claim_remove(heard.claim, 1);
	test_equal(claim_add(heard.claim, 1000, open("/dev/null", O_RDONLY | O_CLOEXEC)), 0);
	end(&heard);
	for (unsigned i = 0; i < CLAIM_MAX_DEVICES; i++)
		close(writers[i]);
}

int main(void)
{
	test_run(f_keys_claim);
	test_run(who_is_asked_answers_once);
	test_run(what_is_no_keyboard_is_gone);
	test_run(a_flood_is_bounded);
	test_run(there_is_room_for_so_many);
	return 0;
}
