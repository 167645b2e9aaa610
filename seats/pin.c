/*
 * See pin.h.
 */
#include "seats/pin.h"

#include <crypt.h>
#include <glib.h>
#include <string.h>

enum {
	FREE_TRIES = 3,
	WAIT_MIN_S = 2,
	WAIT_MAX_S = 60,
	FORGET_S = 15 * 60,
	TRIES = 6,
	TRIES_S = 10,
	PIN_MIN = 4,
	PIN_MAX = 31,
};

#define SECOND_NS INT64_C(1000000000)

uint32_t pin_wait(const struct pin_throttle *throttle, int64_t now_ns)
{
	int64_t left = throttle->until_ns - now_ns;

	if (throttle->tries >= TRIES)
		left = MAX(left, throttle->tries_ns + TRIES_S * SECOND_NS - now_ns);

	return left > 0 ? (uint32_t)((left + SECOND_NS - 1) / SECOND_NS) : 0;
}

void pin_tried(struct pin_throttle *throttle, enum pin_whose whose, int64_t now_ns)
{
	uint32_t wait = WAIT_MIN_S;

	if (now_ns - throttle->tries_ns >= TRIES_S * SECOND_NS) {
		throttle->tries = 0;
		throttle->tries_ns = now_ns;
	}
	throttle->tries += throttle->tries < TRIES;
	if (whose == PIN_OWN)
		return;
	if (whose == PIN_PARENT || now_ns - throttle->tried_ns > FORGET_S * SECOND_NS)
		*throttle = (struct pin_throttle){ 0 };
	if (whose == PIN_PARENT)
		return;
	throttle->tried_ns = now_ns;
	if (throttle->wrong < 64)
		throttle->wrong++;
	if (throttle->wrong < FREE_TRIES)
		return;
	for (uint32_t i = FREE_TRIES; i < throttle->wrong && wait < WAIT_MAX_S; i++)
		wait *= 2;
	throttle->until_ns = now_ns + MIN(wait, WAIT_MAX_S) * SECOND_NS;
}

/* Its length is no secret: that of a hash. */
static bool equal_constant_time(const char *a, const char *b)
{
	size_t len = strlen(a);
	unsigned char differ = 0;

	if (strlen(b) != len)
		return false;
	for (size_t i = 0; i < len; i++)
		differ |= (unsigned char)(a[i] ^ b[i]);
	return !differ;
}

bool pin_matches(const char *hash, const char *pin)
{
	struct crypt_data *data;
	const char *made;
	bool same;

	/* What crypt gives for nonsense begins with '*', as does an account without a password. */
	if (!hash || !*hash || *hash == '*' || *hash == '!')
		return false;
	data = g_new0(struct crypt_data, 1);
	made = crypt_r(pin, hash, data);
	same = made && *made != '*' && equal_constant_time(made, hash);
	explicit_bzero(data, sizeof(*data));
	g_free(data);
	return same;
}

bool pin_valid(const char *pin)
{
	size_t len = strlen(pin);

	if (len < PIN_MIN || len > PIN_MAX)
		return false;
	return strspn(pin, "0123456789") == len;
}

char *pin_hash(const char *pin)
{
	struct crypt_data *data = g_new0(struct crypt_data, 1);
	char salt[CRYPT_GENSALT_OUTPUT_SIZE];
	char *hash = NULL;
	const char *made;

	if (crypt_gensalt_rn(NULL, 0, NULL, 0, salt, sizeof(salt))) {
		made = crypt_r(pin, salt, data);
		if (made && *made != '*')
			hash = g_strdup(made);
	}
	explicit_bzero(data, sizeof(*data));
	g_free(data);
	return hash;
}
