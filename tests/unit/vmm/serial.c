/*
 * The UART: bytes out, bytes in, interrupts by priority, probing as drivers do it.
 */
#include "vmm/serial.h"

#include <string.h>

#include "tests/unit/test.h"

static struct {
	char sent[64];
	unsigned n_sent, edges;
	bool level;
} wire;

static void wire_transmit(void *owner, uint8_t byte)
{
	wire.sent[wire.n_sent++ % sizeof(wire.sent)] = (char)byte;
}

static void wire_interrupt(void *owner, bool level)
{
	wire.level = level;
	wire.edges++;
}

static const struct serial_ops wire_ops = {
	.transmit = wire_transmit,
	.interrupt = wire_interrupt,
};
static struct serial serial;

static void fresh(void)
{
	memset(&wire, 0, sizeof(wire));
	serial_init(&serial, &wire_ops, NULL);
}

static void bytes_go_out(void)
{
	fresh();
	serial_write(&serial, 0, 'h');
	serial_write(&serial, 0, 'i');
	test_assert(!strcmp(wire.sent, "hi"));
	test_equal(serial_read(&serial, 5), 0x60);
	/* with DLAB the same register is the divisor's */
	serial_write(&serial, 3, 0x83);
	serial_write(&serial, 0, 0x0c);
	serial_write(&serial, 1, 0x01);
	test_equal(serial_read(&serial, 0), 0x0c);
	test_equal(serial_read(&serial, 1), 0x01);
	test_equal(wire.n_sent, 2);
	serial_write(&serial, 3, 0x03);
	test_equal(serial_read(&serial, 1), 0);
}

static void bytes_come_in(void)
{
	uint8_t bytes[SERIAL_FIFO + 4];

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i + 1);
	fresh();
	test_equal(serial_receive(&serial, bytes, sizeof(bytes)), SERIAL_FIFO);
	for (unsigned i = 0; i < SERIAL_FIFO; i++) {
		test_equal(serial_read(&serial, 5) & 1, 1);
		test_equal(serial_read(&serial, 0), i + 1);
	}
	test_equal(serial_read(&serial, 5) & 1, 0);
	test_equal(serial_read(&serial, 0), 0);
	serial_receive(&serial, bytes, 3);
	serial_write(&serial, 2, 0x07); /* clears the receiver */
	test_equal(serial_read(&serial, 5) & 1, 0);
}

static void interrupts_by_priority(void)
{
	uint8_t byte = 'x';

	fresh();
	serial_write(&serial, 1, 3);
	test_assert(!wire.level); /* OUT2 is off */
	serial_write(&serial, 4, 8);
	test_assert(wire.level);
	serial_receive(&serial, &byte, 1);
	test_equal(serial_read(&serial, 2) & 0xf, 4); /* received data comes first */
	test_equal(serial_read(&serial, 0), 'x');
	test_equal(serial_read(&serial, 2) & 0xf, 2); /* then the transmitter; reading clears it */
	test_assert(!wire.level);
	test_equal(serial_read(&serial, 2) & 0xf, 1);
	serial_write(&serial, 0, 'y');
	test_assert(wire.level);
	serial_write(&serial, 1, 0);
	test_assert(!wire.level);
}

static void drivers_find_it(void)
{
	fresh();
	serial_write(&serial, 7, 0xa5);
	test_equal(serial_read(&serial, 7), 0xa5);
	serial_write(&serial, 2, 1);
	test_equal(serial_read(&serial, 2) >> 6, 3); /* 16550A: FIFOs that work */
	serial_write(&serial, 4, 0x1a);              /* loop-back: RTS and OUT2 come in */
	test_equal(serial_read(&serial, 6) & 0xf0, 0x90);
	serial_write(&serial, 0, 'l');
	test_equal(wire.n_sent, 0);
	test_equal(serial_read(&serial, 0), 'l');
	for (unsigned i = 0; i < 2 * SERIAL_FIFO; i++)
		serial_write(&serial, 0, 'o');
	test_equal(serial_read(&serial, 5) & 2, 2); /* overrun, once */
	test_equal(serial_read(&serial, 5) & 2, 0);
}

static void reset_forgets(void)
{
	fresh();
	serial_write(&serial, 1, 2);
	serial_write(&serial, 4, 8);
	serial_write(&serial, 7, 1);
	test_assert(wire.level);
	serial_reset(&serial);
	test_assert(!wire.level);
	test_equal(serial_read(&serial, 7), 0);
	test_equal(serial_read(&serial, 1), 0);
}

int main(void)
{
	test_run(bytes_go_out);
	test_run(bytes_come_in);
	test_run(interrupts_by_priority);
	test_run(drivers_find_it);
	test_run(reset_forgets);
	return 0;
}
