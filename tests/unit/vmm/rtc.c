/*
 * The clock: what time it says in each of its forms, setting it, its three interrupts, and the bytes
 * that firmware reads.
 */
#include "vmm/rtc_device.c"

#include "tests/unit/vmm/chipset.h"

#define SECOND 1000000000ll

static int64_t wall_ns;
static bool level;
static struct rtc rtc;

static int64_t wall(void)
{
	return wall_ns;
}

static void interrupt(void *owner, bool on)
{
	level = on;
}

/* 2026-11-23 16:49:07 UTC, a Monday. */
static void start(void)
{
	wall_ns = 1795452547 * SECOND;
	level = false;
	rtc_init(&rtc, wall, interrupt, NULL, 0);
}

static void fields(unsigned year, unsigned month, unsigned day, unsigned hour, unsigned minute,
	unsigned second)
{
	test_equal(rtc_read(&rtc, RTC_CENTURY) * 256 + rtc_read(&rtc, RTC_YEAR), year);
	test_equal(rtc_read(&rtc, RTC_MONTH), month);
	test_equal(rtc_read(&rtc, RTC_DAY), day);
	test_equal(rtc_read(&rtc, RTC_HOUR), hour);
	test_equal(rtc_read(&rtc, RTC_MINUTE), minute);
	test_equal(rtc_read(&rtc, RTC_SECOND), second);
}

static void tells_the_time(void)
{
	start();
	fields(0x2026, 0x11, 0x23, 0x16, 0x49, 0x07);
	test_equal(rtc_read(&rtc, RTC_WEEKDAY), 2);
	test_equal(rtc_read(&rtc, RTC_D), 0x80);
	rtc_write(&rtc, RTC_B, 0x06); /* binary */
	test_equal(rtc_read(&rtc, RTC_HOUR), 16);
	rtc_write(&rtc, RTC_B, 0x00); /* of 12 hours */
	test_equal(rtc_read(&rtc, RTC_HOUR), 0x84);
	wall_ns = 951782399 * SECOND; /* the last second of 28 February 2000 */
	rtc_write(&rtc, RTC_B, 0x02);
	fields(0x2000, 0x02, 0x28, 0x23, 0x59, 0x59);
	wall_ns += SECOND;
	fields(0x2000, 0x02, 0x29, 0, 0, 0);
	test_equal(rtc_read(&rtc, RTC_WEEKDAY), 3);
	wall_ns = 4107542400 * SECOND; /* 2100 has no leap day */
	fields(0x2100, 0x03, 0x01, 0, 0, 0);
	wall_ns = -SECOND;
	fields(0x1969, 0x12, 0x31, 0x23, 0x59, 0x59);
}

static void updating_is_shown(void)
{
	start();
	test_equal(rtc_read(&rtc, RTC_A) & 0x80, 0);
	wall_ns += SECOND - 200000;
	test_equal(rtc_read(&rtc, RTC_A) & 0x80, 0x80);
	rtc_write(&rtc, RTC_B, 0x82);
	test_equal(rtc_read(&rtc, RTC_A) & 0x80, 0);
}

static void is_set(void)
{
	start();
	rtc_write(&rtc, RTC_B, 0x82);
	rtc_write(&rtc, RTC_YEAR, 0x99);
	rtc_write(&rtc, RTC_CENTURY, 0x19);
	rtc_write(&rtc, RTC_MONTH, 0x12);
	rtc_write(&rtc, RTC_DAY, 0x31);
	rtc_write(&rtc, RTC_HOUR, 0x23);
	rtc_write(&rtc, RTC_MINUTE, 0x59);
	rtc_write(&rtc, RTC_SECOND, 0x58);
	wall_ns += 5 * SECOND; /* it stands still */
	test_equal(rtc_read(&rtc, RTC_SECOND), 0x58);
	rtc_write(&rtc, RTC_B, 0x02);
	wall_ns += SECOND;
	fields(0x1999, 0x12, 0x31, 0x23, 0x59, 0x59);
	wall_ns += SECOND;
	fields(0x2000, 0x01, 0x01, 0, 0, 0);
	/* A single field while it runs; a reset leaves the time alone. */
	rtc_write(&rtc, RTC_HOUR, 0x05);
	rtc_reset(&rtc);
	fields(0x2000, 0x01, 0x01, 0x05, 0, 0);
}

/* As Linux sets it: the divider is held, and the first second after it has 500 ms. */
static void is_set_with_the_divider(void)
{
	start();
	rtc_write(&rtc, RTC_B, 0x82);
	rtc_write(&rtc, RTC_A, 0x76);
	rtc_write(&rtc, RTC_SECOND, 0x10);
	rtc_write(&rtc, RTC_B, 0x02);
	test_equal(rtc_read(&rtc, RTC_SECOND), 0x10);
	wall_ns += 3 * SECOND;
	test_equal(rtc_read(&rtc, RTC_SECOND), 0x10); /* still held */
	rtc_write(&rtc, RTC_A, 0x26);
	wall_ns += 499 * 1000000;
	test_equal(rtc_read(&rtc, RTC_SECOND), 0x10);
	wall_ns += 2 * 1000000;
	test_equal(rtc_read(&rtc, RTC_SECOND), 0x11);
}

static void any_time_is_a_time(void)
{
	start();
	for (unsigned value = 0; value < 256; value++) {
		rtc_write(&rtc, RTC_B, (uint8_t)(0x80 | (value & 0x06)));
		for (unsigned i = 0; i < 10; i++)
			rtc_write(&rtc, i, (uint8_t)(value + 3 * i));
		rtc_write(&rtc, RTC_CENTURY, (uint8_t)value);
		rtc_write(&rtc, RTC_B, (uint8_t)(value & 0x7f));
		rtc_read(&rtc, RTC_YEAR);
		rtc_advance(&rtc);
	}
}

/* A clock of ns in 64 bits ends in 2262: a guest that sets a later year gets the last it can have. */
static void far_year(void)
{
	start();
	rtc_write(&rtc, RTC_CENTURY, 0x99);
	fields(0x2223, 0x07, 0x06, 0x14, 0x13, 0x20);
	rtc_write(&rtc, RTC_CENTURY, 0x01);
	test_equal(rtc_read(&rtc, RTC_CENTURY) * 256 + rtc_read(&rtc, RTC_YEAR), 0x1843);
}

static void every_second(void)
{
	start();
	test_equal(rtc_advance(&rtc), -1);
	rtc_write(&rtc, RTC_B, 0x12);
	test_equal(rtc_advance(&rtc), SECOND);
	wall_ns += SECOND / 2;
	test_equal(rtc_advance(&rtc), SECOND / 2);
	test_assert(!level);
	wall_ns += SECOND / 2;
	test_equal(rtc_advance(&rtc), -1); /* until C is read */
	test_assert(level);
	test_equal(rtc_read(&rtc, RTC_C) & 0xb0, 0x90);
	test_assert(!level);
	test_equal(rtc_read(&rtc, RTC_C), 0);
	test_equal(rtc_advance(&rtc), SECOND);
}

static void periodically(void)
{
	start();
	rtc_write(&rtc, RTC_A, 0x26); /* 1024 Hz */
	rtc_write(&rtc, RTC_B, 0x42);
	test_assert(rtc_advance(&rtc) <= SECOND / 1024);
	wall_ns += SECOND / 1024;
	rtc_advance(&rtc);
	test_assert(level);
	test_equal(rtc_read(&rtc, RTC_C), 0xc0);
	rtc_write(&rtc, RTC_A, 0x20);
	test_equal(rtc_advance(&rtc), -1);
	for (unsigned rate = 1; rate < 16; rate++) {
		rtc_write(&rtc, RTC_A, (uint8_t)(0x20 | rate));
		rtc_read(&rtc, RTC_C);
		test_assert(rtc_advance(&rtc) > 0 && rtc_advance(&rtc) <= SECOND / 2);
	}
}

static void alarm_set(uint8_t hour, uint8_t minute, uint8_t second)
{
	rtc_write(&rtc, RTC_HOUR_ALARM, hour);
	rtc_write(&rtc, RTC_MINUTE_ALARM, minute);
	rtc_write(&rtc, RTC_SECOND_ALARM, second);
}

static void alarm_rings(void)
{
	start();
	alarm_set(0x16, 0x50, 0x00);
	rtc_write(&rtc, RTC_B, 0x22);
	test_equal(rtc_advance(&rtc), 53 * SECOND);
	wall_ns += 52 * SECOND;
	rtc_advance(&rtc);
	test_assert(!level);
	wall_ns += SECOND;
	rtc_advance(&rtc);
	test_assert(level);
	test_equal(rtc_read(&rtc, RTC_C) & 0xa0, 0xa0);
	test_equal(rtc_advance(&rtc), 86400 * SECOND); /* tomorrow */
	alarm_set(0xff, 0xff, 0x30); /* at any minute's 30th second */
	test_equal(rtc_advance(&rtc), 30 * SECOND);
	alarm_set(0x25, 0x00, 0x00); /* never */
	test_equal(rtc_advance(&rtc), -1);
	/* The whole machine slept over it. */
	alarm_set(0x17, 0x00, 0x00);
	wall_ns += 3 * 86400 * SECOND;
	rtc_advance(&rtc);
	test_assert(level);
}

/* What the fields say, looked up a second at a time. */
static int64_t alarm_by_hand(int hour, int minute, int second)
{
	int64_t now = wall_ns / SECOND;

	for (int64_t i = 1; i <= 86400; i++) {
		int64_t at = (now + i) % 86400;

		if ((hour < 0 || at / 3600 == hour) && (minute < 0 || at / 60 % 60 == minute) &&
			(second < 0 || at % 60 == second))
			return i * SECOND;
	}
	return -1;
}

static void alarm_is_found(void)
{
	static const int hours[] = { -1, 0, 15, 16, 17, 23, 24 };
	static const int minutes[] = { -1, 0, 48, 49, 50, 59, 60 };
	static const int seconds[] = { -1, 0, 6, 7, 8, 59, 60 };

	start();
	rtc_write(&rtc, RTC_B, 0x26); /* binary */
	for (unsigned i = 0; i < 7 * 7 * 7; i++) {
		int hour = hours[i / 49], minute = minutes[i / 7 % 7], second = seconds[i % 7];

		alarm_set((uint8_t)hour, (uint8_t)minute, (uint8_t)second);
		rtc_read(&rtc, RTC_C);
		test_equal(rtc_advance(&rtc), alarm_by_hand(hour, minute, second));
	}
}

/* The main thread looks for it after every interrupt, thousands of times a second. */
static void alarm_is_found_soon(void)
{
	gint64 begin = g_get_monotonic_time();

	start();
	rtc_write(&rtc, RTC_B, 0x26);
	alarm_set(0xff, 0xff, 60);
	for (unsigned i = 0; i < 50000; i++)
		test_equal(rtc_advance(&rtc), -1);
	test_assert(g_get_monotonic_time() - begin < 5000000);
}

static void host_sets_its_clock_back(void)
{
	start();
	rtc_write(&rtc, RTC_B, 0x12);
	wall_ns -= 3600 * SECOND;
	test_equal(rtc_advance(&rtc), SECOND);
	test_assert(!level);
	fields(0x2026, 0x11, 0x23, 0x15, 0x49, 0x07);
}

static void memory_keeps(void)
{
	start();
	for (unsigned i = 0x0e; i < RTC_BYTES; i++)
		if (i != RTC_CENTURY)
			rtc_write(&rtc, i, (uint8_t)(i ^ 0x5a));
	for (unsigned i = 0x0e; i < RTC_BYTES; i++)
		if (i != RTC_CENTURY)
			test_equal(rtc_read(&rtc, i), i ^ 0x5a);
	rtc_write(&rtc, RTC_D, 0);
	rtc_write(&rtc, RTC_C, 0xff);
	test_equal(rtc_read(&rtc, RTC_D), 0x80);
	rtc_reset(&rtc);
	test_equal(rtc_read(&rtc, 0x0f), 0);
}

static uint8_t cmos(uint8_t index)
{
	out(0x70, 1, index | 0x80);
	return (uint8_t)in(0x71, 1);
}

static void firmware_reads(void)
{
	static const struct rtc_config config = { 0 };
	struct device *device;

	board_open((2ull << 30) + (1ull << 30));
	device = rtc_type.create(&machine, "", &config, NULL);
	test_assert(device);
	test_equal(cmos(0x15) | cmos(0x16) << 8, 640);
	test_equal(cmos(0x34) | cmos(0x35) << 8, ((2ull << 30) - (16 << 20)) >> 16);
	test_equal(cmos(0x5b) | cmos(0x5c) << 8 | cmos(0x5d) << 16, (1 << 30) >> 16);
	test_equal(cmos(0x5f), 2);
	out(0x70, 1, 0x0f);
	out(0x71, 1, 0x0a);
	test_equal(cmos(0x0f), 0x0a);
	device->reset(device);
	test_equal(cmos(0x0f), 0);
	test_equal(cmos(0x5f), 2);
	test_equal(in(0x70, 1), 0xff);
	test_assert(!rtc_type.create(&machine, "", &config, NULL));
	test_equal(cmos(0x5f), 2);
	device->destroy(device);
	board_close();
}

static void saved(void)
{
	static const struct rtc_config config = { 0 };
	struct device *device;
	struct rtc_device *clock;
	GBytes *bytes;

	board_open(1 << 20);
	device = rtc_type.create(&machine, "", &config, NULL);
	clock = (struct rtc_device *)device;
	clock->rtc.offset = 12345 * SECOND;
	out(0x70, 1, 0x40);
	out(0x71, 1, 0x77);
	bytes = board_save(device);
	device->destroy(device);
	device = rtc_type.create(&machine, "", &config, NULL);
	clock = (struct rtc_device *)device;
	test_assert(board_load(device, g_bytes_ref(bytes)));
	test_equal(clock->rtc.offset, 12345 * SECOND);
	test_equal(in(0x71, 1), 0x77);
	clock->rtc.offset = INT64_MIN;
	g_bytes_unref(bytes);
	bytes = board_save(device);
	clock->rtc.offset = 0;
	test_assert(!board_load(device, bytes));
	test_equal(clock->rtc.offset, 0);
	device->destroy(device);
	board_close();
}

int main(void)
{
	test_run(tells_the_time);
	test_run(updating_is_shown);
	test_run(is_set);
	test_run(is_set_with_the_divider);
	test_run(any_time_is_a_time);
	test_run(far_year);
	test_run(every_second);
	test_run(periodically);
	test_run(alarm_rings);
	test_run(alarm_is_found);
	test_run(alarm_is_found_soon);
	test_run(host_sets_its_clock_back);
	test_run(memory_keeps);
	test_run(firmware_reads);
	test_run(saved);
	return 0;
}
