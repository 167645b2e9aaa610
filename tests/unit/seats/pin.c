/*
 * PINs: what matches, and how fast one may try.
 */
#include "seats/pin.h"

#include <glib.h>
#include <string.h>

#include "tests/unit/test.h"

#define S INT64_C(1000000000)

static void hash_and_match(void)
{
	char *hash = pin_hash("2468"), *other = pin_hash("2468");

	test_assert(hash && other && strcmp(hash, other)); /* a salt each */
	test_assert(pin_matches(hash, "2468"));
	test_assert(!pin_matches(hash, "2469"));
	test_assert(!pin_matches(hash, ""));
	test_assert(!pin_matches(hash, "24680"));
	g_free(hash);
	g_free(other);
}

static void no_hash_matches_nothing(void)
{
	static const char *const hashes[] = { "", "*", "*0", "*1", "!", "!!", "x", "2468", "$", "$y$",
		"$y$j9T$", "$9$abc$def", "$6$rounds=1000000000000$" };

	test_assert(!pin_matches(NULL, ""));
	for (unsigned i = 0; i < G_N_ELEMENTS(hashes); i++) {
		test_assert(!pin_matches(hashes[i], "2468"));
		test_assert(!pin_matches(hashes[i], ""));
		test_assert(!pin_matches(hashes[i], hashes[i]));
	}
}

static void what_is_a_pin(void)
{
	test_assert(pin_valid("1234") && pin_valid("1234567890123456789012345678901"));
	test_assert(!pin_valid("") && !pin_valid("123") && !pin_valid("12\n34") && !pin_valid("12a4") &&
		!pin_valid("12 34") && !pin_valid("\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc") &&
		!pin_valid("12345678901234567890123456789012"));
}

static void wrong_ones_wait(void)
{
	static const uint32_t waits[] = { 0, 0, 2, 4, 8, 16, 32, 60, 60, 60 };
	struct pin_throttle throttle = { 0 };
	int64_t now = 1000 * S;

	for (unsigned i = 0; i < G_N_ELEMENTS(waits); i++) {
		pin_tried(&throttle, PIN_WRONG, now);
		test_equal(pin_wait(&throttle, now), waits[i]);
		if (waits[i]) {
			test_equal(pin_wait(&throttle, now + waits[i] * S - 1), 1);
			test_equal(pin_wait(&throttle, now + waits[i] * S), 0);
		}
		now += waits[i] * S;
	}
	for (unsigned i = 0; i < 1000; i++)
		pin_tried(&throttle, PIN_WRONG, now);
	test_equal(pin_wait(&throttle, now), 60);
	pin_tried(&throttle, PIN_PARENT, now);
	test_equal(pin_wait(&throttle, now), 0);
	pin_tried(&throttle, PIN_WRONG, now);
	test_equal(pin_wait(&throttle, now), 0);
}

/* Whoever knows a PIN of their own cannot use it to try a parent's faster. */
static void own_one_forgets_nothing(void)
{
	struct pin_throttle throttle = { 0 };
	int64_t now = 1000 * S;

	for (unsigned i = 0; i < 3; i++) {
		pin_tried(&throttle, PIN_WRONG, now);
		pin_tried(&throttle, PIN_OWN, now);
	}
	test_equal(pin_wait(&throttle, now), 2);
	pin_tried(&throttle, PIN_WRONG, now + 10 * S);
	test_equal(pin_wait(&throttle, now + 10 * S), 4);
	/* An evening later they are new to it. */
	pin_tried(&throttle, PIN_WRONG, now + 3600 * S);
	test_equal(pin_wait(&throttle, now + 3600 * S), 0);
}

static void nobody_types_so_fast(void)
{
	struct pin_throttle throttle = { 0 };
	int64_t now = 1000 * S;

	for (unsigned i = 0; i < 6; i++) {
		test_equal(pin_wait(&throttle, now), 0);
		pin_tried(&throttle, PIN_OWN, now);
	}
	test_equal(pin_wait(&throttle, now), 10);
	test_equal(pin_wait(&throttle, now + 10 * S), 0);
	pin_tried(&throttle, PIN_OWN, now + 10 * S);
	test_equal(pin_wait(&throttle, now + 10 * S), 0);
}

int main(void)
{
	test_run(hash_and_match);
	test_run(no_hash_matches_nothing);
	test_run(what_is_a_pin);
	test_run(wrong_ones_wait);
	test_run(own_one_forgets_nothing);
	test_run(nobody_types_so_fast);
	return 0;
}
