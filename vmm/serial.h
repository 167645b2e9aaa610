/*
 * A 16550A UART, apart from what it is wired to. Source: National PC16550D data sheet.
 *
 * Thread: serial_read and serial_write from any vCPU thread, serial_receive and serial_reset from
 * any; ops are called under its lock and must not call back.
 */
#ifndef IRORI_VMM_SERIAL_H
#define IRORI_VMM_SERIAL_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum serial_limits {
	SERIAL_FIFO = 16,
	SERIAL_PORTS = 8, /* registers */
};

struct state;

struct serial_ops {
	void (*transmit)(void *owner, uint8_t byte); /* NULL: bytes go nowhere */
	void (*interrupt)(void *owner, bool level);
	void (*drained)(void *owner); /* the guest took the last byte received; may be NULL */
};

struct serial {
	const struct serial_ops *ops;
	void *owner;
	GMutex lock;
	uint8_t ier, lcr, mcr, scratch, fcr;
	uint16_t divisor;
	bool thr_empty_pending, overrun, level;
	uint8_t fifo[SERIAL_FIFO];
	unsigned n_fifo;
};

void serial_init(struct serial *serial, const struct serial_ops *ops, void *owner);
void serial_clear(struct serial *serial);
void serial_reset(struct serial *serial);
uint8_t serial_read(struct serial *serial, unsigned reg);
void serial_write(struct serial *serial, unsigned reg, uint8_t value);
/* Bytes from outside; those that do not fit are not taken. Returns how many were. */
size_t serial_receive(struct serial *serial, const uint8_t *bytes, size_t n);
void serial_state(struct serial *serial, struct state *state);

#endif
