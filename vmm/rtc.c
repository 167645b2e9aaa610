/*
 * The clock chip: see rtc.h.
 */
#include "vmm/rtc.h"

#include <glib.h>
#include <string.h>

#include "vmm/state.h"

#define SECOND_NS 1000000000ll
#define SET_MIN (-4000000000ll)
#define SET_MAX 8000000000ll

enum rtc_bits {
	A_UPDATING = 0x80,
	A_DIVIDER = 0x70,
	A_DIVIDER_RUN = 0x20,
	A_DIVIDER_HELD = 0x60, /* and 0x70 */
	A_RATE = 0x0f,
	A_INITIAL = 0x26,
	B_SET = 0x80,
	B_BINARY = 0x04,
	B_24_HOURS = 0x02,
	B_INITIAL = B_24_HOURS,
	C_PERIODIC = 0x40, /* the same bits in B let them interrupt */
	C_ALARM = 0x20,
	C_UPDATED = 0x10,
	C_INTERRUPT = 0x80,
	C_ALL = C_PERIODIC | C_ALARM | C_UPDATED,
	D_VALID = 0x80,
	HOUR_PM = 0x80,
	ALARM_ANY = 0xc0, /* and above: does not matter */
	DAY = 86400,
	UPDATE_NS = 244000,
	CLOCK_HZ = 32768,
};

static int64_t rtc_now(const struct rtc *rtc)
{
	return rtc->wall() + rtc->offset;
}

static int64_t seconds_of(int64_t ns)
{
	return ns / SECOND_NS - (ns % SECOND_NS < 0);
}

static uint8_t encode(const struct rtc *rtc, unsigned value)
{
	return (uint8_t)(rtc->ram[RTC_B] & B_BINARY ? value : value / 10 << 4 | value % 10);
}

static unsigned decode(const struct rtc *rtc, uint8_t value)
{
	return rtc->ram[RTC_B] & B_BINARY ? value : (value >> 4) * 10u + (value & 0xf);
}

static uint8_t encode_hour(const struct rtc *rtc, unsigned hour)
{
	if (rtc->ram[RTC_B] & B_24_HOURS)
		return encode(rtc, hour);
	return encode(rtc, (hour + 11) % 12 + 1) | (hour >= 12 ? HOUR_PM : 0);
}

static unsigned decode_hour(const struct rtc *rtc, uint8_t value)
{
	if (rtc->ram[RTC_B] & B_24_HOURS)
		return decode(rtc, value);
	return decode(rtc, value & (uint8_t)~HOUR_PM) % 12 + (value & HOUR_PM ? 12 : 0);
}

/* Days since 1970 of a date, and back; proleptic Gregorian, March first, so that leap days end a
 * year. Any month is allowed and carried into the year. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t era, doy;

	year += (month - 1) / 12;
	month = (month - 1) % 12 + 1;
	year -= month <= 2;
	era = (year >= 0 ? year : year - 399) / 400;
	year -= era * 400;
	doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + year * 365 + year / 4 - year / 100 + doy - 719468;
}

static void date_of(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
	int64_t era, doe, yoe, doy, mp;

	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	doe = days - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*day = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
	*month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
	*year = yoe + era * 400 + (*month <= 2);
}

static void time_to_ram(struct rtc *rtc)
{
	int64_t seconds = seconds_of(rtc_now(rtc)), days = seconds / DAY - (seconds % DAY < 0), year;
	unsigned of_day = (unsigned)(seconds - days * DAY), month, day;

	date_of(days, &year, &month, &day);
	rtc->ram[RTC_SECOND] = encode(rtc, of_day % 60);
	rtc->ram[RTC_MINUTE] = encode(rtc, of_day / 60 % 60);
	rtc->ram[RTC_HOUR] = encode_hour(rtc, of_day / 3600);
	rtc->ram[RTC_WEEKDAY] = encode(rtc, (unsigned)((days % 7 + 11) % 7) + 1);
	rtc->ram[RTC_DAY] = encode(rtc, day);
	rtc->ram[RTC_MONTH] = encode(rtc, month);
	rtc->ram[RTC_YEAR] = encode(rtc, (unsigned)((year % 100 + 100) % 100));
	rtc->ram[RTC_CENTURY] = encode(rtc, (unsigned)((year / 100 % 100 + 100) % 100));
}

/* Whatever the guest wrote there gives some time: every field is at most 255. */
static void time_from_ram(struct rtc *rtc)
{
	int64_t year = decode(rtc, rtc->ram[RTC_CENTURY]) * 100ll + decode(rtc, rtc->ram[RTC_YEAR]);
	int64_t days = days_of(year, MAX(decode(rtc, rtc->ram[RTC_MONTH]), 1),
		decode(rtc, rtc->ram[RTC_DAY]));
	int64_t seconds = days * DAY + decode_hour(rtc, rtc->ram[RTC_HOUR]) * 3600ll +
		decode(rtc, rtc->ram[RTC_MINUTE]) * 60ll + decode(rtc, rtc->ram[RTC_SECOND]);
	int64_t ns;

	/* int64_t ns end in 2262: what the guest sets is between 1843 and 2223. */
	seconds = CLAMP(seconds, SET_MIN, SET_MAX);
	/* The first second after the divider was held is half as long, and guests count on it. */
	ns = seconds * SECOND_NS + (rtc->divided ? SECOND_NS / 2 : 0);
	rtc->offset = ns - rtc->wall();
	rtc->seen = ns;
	rtc->divided = false;
}

static bool divider_held(const struct rtc *rtc)
{
	return (rtc->ram[RTC_A] & A_DIVIDER) >= A_DIVIDER_HELD;
}

static bool stands_still(const struct rtc *rtc)
{
	return rtc->ram[RTC_B] & B_SET || divider_held(rtc);
}

static void level_set(struct rtc *rtc)
{
	bool level = rtc->ram[RTC_C] & rtc->ram[RTC_B] & C_ALL;

	rtc->ram[RTC_C] = (uint8_t)((rtc->ram[RTC_C] & C_ALL) | (level ? C_INTERRUPT : 0));
	if (level == rtc->level)
		return;
	rtc->level = level;
	rtc->interrupt(rtc->owner, level);
}

static bool alarm_field(const struct rtc *rtc, unsigned index, unsigned now, bool hour)
{
	uint8_t value = rtc->ram[index];

	return value >= ALARM_ANY || (hour ? decode_hour(rtc, value) : decode(rtc, value)) == now;
}

/* Is there a value below `end` at which the field lets the alarm ring? */
static bool alarm_can(const struct rtc *rtc, unsigned index, unsigned end, bool hour)
{
	for (unsigned i = 0; i < end; i++)
		if (alarm_field(rtc, index, i, hour))
			return true;
	return false;
}

/* Seconds from `from` on until the alarm, 1 to `within`; 0: none. A day has all there are. Whole
 * hours and minutes are passed over, since a guest may ask for this thousands of times a second. */
static int64_t alarm_in(const struct rtc *rtc, int64_t from, int64_t within)
{
	int64_t i = 1;

	if (!alarm_can(rtc, RTC_SECOND_ALARM, 60, false) ||
		!alarm_can(rtc, RTC_MINUTE_ALARM, 60, false) ||
		!alarm_can(rtc, RTC_HOUR_ALARM, 24, true))
		return 0;
	while (i <= MIN(within, DAY)) {
		unsigned of_day = (unsigned)(((from + i) % DAY + DAY) % DAY);

		if (!alarm_field(rtc, RTC_HOUR_ALARM, of_day / 3600, true))
			i += 3600 - of_day % 3600;
		else if (!alarm_field(rtc, RTC_MINUTE_ALARM, of_day / 60 % 60, false))
			i += 60 - of_day % 60;
		else if (!alarm_field(rtc, RTC_SECOND_ALARM, of_day % 60, false))
			i++;
		else
			return i;
	}
	return 0;
}

/* 0: no periodic interrupt. */
static int64_t period_ns(const struct rtc *rtc)
{
	unsigned rate = rtc->ram[RTC_A] & A_RATE;

	if (rate == 0)
		return 0;
	if (rate <= 2) /* as the fastest of the base clock that ICs have: 256 and 128 Hz */
		rate += 7;
	return SECOND_NS * (1 << (rate - 1)) / CLOCK_HZ;
}

/* Sets what has happened in (seen, now]. */
static void events_look(struct rtc *rtc)
{
	int64_t now = rtc_now(rtc), period = period_ns(rtc);
	int64_t before = seconds_of(rtc->seen), after = seconds_of(now);

	if (now < rtc->seen || stands_still(rtc)) { /* the host's clock was set back */
		rtc->seen = now;
		return;
	}
	if (after > before)
		rtc->ram[RTC_C] |= C_UPDATED;
	if (after > before && !(rtc->ram[RTC_C] & C_ALARM) && alarm_in(rtc, before, after - before))
		rtc->ram[RTC_C] |= C_ALARM;
	if (period && now / period != rtc->seen / period)
		rtc->ram[RTC_C] |= C_PERIODIC;
	rtc->seen = now;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* Of what may interrupt and has not happened yet. */
static int64_t next_event(const struct rtc *rtc)
{
	uint8_t wanted = rtc->ram[RTC_B] & C_ALL & ~rtc->ram[RTC_C];
	int64_t now = rtc->seen, period = period_ns(rtc), next = -1;
	int64_t to_second = (seconds_of(now) + 1) * SECOND_NS - now, in;

	if (stands_still(rtc))
		return -1;
	if (wanted & C_PERIODIC && period)
		next = period - now % period;
	if (wanted & C_UPDATED)
		next = sooner(next, to_second);
	in = wanted & C_ALARM ? alarm_in(rtc, seconds_of(now), DAY) : 0;
	if (in)
		next = sooner(next, to_second + (in - 1) * SECOND_NS);
	return next;
}

int64_t rtc_advance(struct rtc *rtc)
{
	events_look(rtc);
	level_set(rtc);
	return next_event(rtc);
}

static bool is_time(unsigned index)
{
	return index == RTC_CENTURY || (index >= RTC_WEEKDAY && index <= RTC_YEAR) ||
		(index < RTC_WEEKDAY && index % 2 == 0);
}

static uint8_t read_a(const struct rtc *rtc)
{
	int64_t now = rtc_now(rtc), into = now - seconds_of(now) * SECOND_NS;
	bool updating = !stands_still(rtc) && into >= SECOND_NS - UPDATE_NS;

	return rtc->ram[RTC_A] | (updating ? A_UPDATING : 0);
}

static uint8_t read_c(struct rtc *rtc)
{
	uint8_t value;

	events_look(rtc);
	level_set(rtc);
	value = rtc->ram[RTC_C];
	rtc->ram[RTC_C] = 0;
	level_set(rtc);
	return value;
}

uint8_t rtc_read(struct rtc *rtc, unsigned index)
{
	index %= RTC_BYTES;
	if (index == RTC_A)
		return read_a(rtc);
	if (index == RTC_C)
		return read_c(rtc);
	if (is_time(index) && !stands_still(rtc))
		time_to_ram(rtc);
	return rtc->ram[index];
}

/* A and B: the time may stop or go on by it, or be shown in another way from now on. */
static void write_control(struct rtc *rtc, unsigned index, uint8_t value)
{
	bool still = stands_still(rtc);

	if (!still) {
		events_look(rtc);
		time_to_ram(rtc);
	}
	rtc->ram[index] = value;
	rtc->divided = rtc->divided || divider_held(rtc);
	if (still && !stands_still(rtc))
		time_from_ram(rtc);
	if (index == RTC_B && value & B_SET)
		rtc->ram[RTC_B] &= (uint8_t)~C_UPDATED; /* as the chip does */
	level_set(rtc);
}

void rtc_write(struct rtc *rtc, unsigned index, uint8_t value)
{
	index %= RTC_BYTES;
	if (index == RTC_C || index == RTC_D)
		return;
	if (index == RTC_A || index == RTC_B) {
		write_control(rtc, index, index == RTC_A ? value & (uint8_t)~A_UPDATING : value);
		return;
	}
	if (!is_time(index) || stands_still(rtc)) {
		rtc->ram[index] = value;
		return;
	}
	events_look(rtc);
	time_to_ram(rtc);
	rtc->ram[index] = value;
	time_from_ram(rtc);
}

void rtc_reset(struct rtc *rtc)
{
	memset(rtc->ram, 0, sizeof(rtc->ram));
	rtc->ram[RTC_A] = A_INITIAL;
	rtc->ram[RTC_B] = B_INITIAL;
	rtc->ram[RTC_D] = D_VALID;
	rtc->divided = false;
	rtc->seen = rtc_now(rtc);
	level_set(rtc);
}

void rtc_init(struct rtc *rtc, int64_t (*wall)(void), void (*interrupt)(void *owner, bool level),
	void *owner, int64_t offset)
{
	*rtc = (struct rtc){ .wall = wall, .interrupt = interrupt, .owner = owner, .offset = offset };
	rtc_reset(rtc);
}

void rtc_state(struct rtc *rtc, struct state *state)
{
	int64_t offset = rtc->offset;
	uint8_t divided = rtc->divided;

	STATE(state, offset);
	STATE(state, rtc->ram);
	STATE(state, divided);
	if (!state_loading(state) || state_failed(state))
		return;
	/* As far as a guest can set it: no sum of it shall overflow. */
	if (ABS(offset / SECOND_NS) > 200ll * 365 * DAY) {
		state_fail(state, "clock is wrong by centuries");
		return;
	}
	rtc->offset = offset;
	rtc->divided = divided;
	rtc->seen = rtc_now(rtc);
	level_set(rtc);
}
