/*
 * The PC's clock and its 128 bytes of CMOS memory: an MC146818 as PCs have it since the AT. It is the
 * host's clock with an offset, so it goes on over a pause, a reset and a saved guest, and follows
 * when the host's is set.
 *
 * This is the chip alone: time comes in by `wall`, the interrupt goes out by `interrupt`;
 * rtc_device.c is the one with ports and a timer.
 *
 * Source: Motorola MC146818A datasheet; Intel ICH9 datasheet, section 13.6; what the bytes of memory
 * mean: SeaBIOS, src/hw/rtc.h.
 *
 * Thread: one at a time (the owner's lock).
 */
#ifndef IRORI_VMM_RTC_H
#define IRORI_VMM_RTC_H

#include <stdbool.h>
#include <stdint.h>

struct state;

enum rtc_registers {
	RTC_SECOND = 0x00,
	RTC_SECOND_ALARM = 0x01,
	RTC_MINUTE = 0x02,
	RTC_MINUTE_ALARM = 0x03,
	RTC_HOUR = 0x04,
	RTC_HOUR_ALARM = 0x05,
	RTC_WEEKDAY = 0x06,
	RTC_DAY = 0x07,
	RTC_MONTH = 0x08,
	RTC_YEAR = 0x09,
	RTC_A = 0x0a,
	RTC_B = 0x0b,
	RTC_C = 0x0c,
	RTC_D = 0x0d,
	RTC_CENTURY = 0x32, /* FADT says so */
	RTC_BYTES = 128,
};

struct rtc {
	int64_t (*wall)(void); /* ns since 1970, UTC */
	void (*interrupt)(void *owner, bool level);
	void *owner;
	int64_t offset; /* the guest's clock less `wall`, ns */
	int64_t seen;   /* the guest's clock when interrupts were last looked for, ns */
	uint8_t ram[RTC_BYTES]; /* registers too; those of the time only while it stands still */
	bool divided; /* the divider was held while the time was set */
	bool level;
};

/* Everything is as after rtc_reset, the time is `wall` plus `offset`. */
void rtc_init(struct rtc *rtc, int64_t (*wall)(void), void (*interrupt)(void *owner, bool level),
	void *owner, int64_t offset);
/* Machine reset: no interrupts enabled, memory zero; the time goes on. */
void rtc_reset(struct rtc *rtc);
/* Register or byte of memory; `index` is taken modulo 128. */
uint8_t rtc_read(struct rtc *rtc, unsigned index);
void rtc_write(struct rtc *rtc, unsigned index, uint8_t value);
/* Time has passed: looks for interrupts. ns from now until it is to be called next, or -1: the guest
 * waits for nothing. rtc_read and rtc_write may change that. */
int64_t rtc_advance(struct rtc *rtc);
/* `offset` and registers. */
void rtc_state(struct rtc *rtc, struct state *state);

#endif
