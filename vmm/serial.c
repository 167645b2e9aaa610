/*
 * A 16550A UART: registers, the receiver's FIFO, interrupts by priority. Sending takes no time, so
 * the transmitter is always empty.
 */
#include "vmm/serial.h"

#include <string.h>

#include "vmm/state.h"

enum serial_registers {
	REG_DATA = 0, /* with DLAB: divisor low */
	REG_IER = 1,  /* with DLAB: divisor high */
	REG_IIR = 2,  /* written: FCR */
	REG_LCR = 3,
	REG_MCR = 4,
	REG_LSR = 5,
	REG_MSR = 6,
	REG_SCRATCH = 7,

	IER_RECEIVED = 1,
	IER_THR_EMPTY = 2,
	IER_LINE = 4,
	IIR_NONE = 1,
	IIR_THR_EMPTY = 2,
	IIR_RECEIVED = 4,
	IIR_LINE = 6,
	IIR_FIFOS = 0xc0,
	FCR_ENABLE = 1,
	FCR_CLEAR_RECEIVER = 2,
	LCR_DLAB = 0x80,
	MCR_OUT2 = 8, /* gates the interrupt line on a PC */
	MCR_LOOP = 0x10,
	LSR_READY = 1,
	LSR_OVERRUN = 2,
	LSR_THR_EMPTY = 0x20,
	LSR_EMPTY = 0x40,
	MSR_CTS_DSR_DCD = 0xb0,
};

static uint8_t interrupt_cause(const struct serial *serial)
{
	if (serial->overrun && serial->ier & IER_LINE)
		return IIR_LINE;
	if (serial->n_fifo && serial->ier & IER_RECEIVED)
		return IIR_RECEIVED;
	if (serial->thr_empty_pending && serial->ier & IER_THR_EMPTY)
		return IIR_THR_EMPTY;
	return IIR_NONE;
}

static void interrupt_update(struct serial *serial)
{
	bool level = interrupt_cause(serial) != IIR_NONE && serial->mcr & MCR_OUT2;

	if (level == serial->level)
		return;
	serial->level = level;
	if (serial->ops->interrupt)
		serial->ops->interrupt(serial->owner, level);
}

static void fifo_put(struct serial *serial, uint8_t byte)
{
	if (serial->n_fifo < SERIAL_FIFO)
		serial->fifo[serial->n_fifo++] = byte;
	else
		serial->overrun = true;
}

static uint8_t fifo_get(struct serial *serial)
{
	uint8_t byte = serial->fifo[0];

	if (!serial->n_fifo)
		return 0;
	memmove(serial->fifo, serial->fifo + 1, --serial->n_fifo);
	if (!serial->n_fifo && serial->ops->drained)
		serial->ops->drained(serial->owner);
	return byte;
}

static void fifo_clear(struct serial *serial)
{
	serial->n_fifo = 0;
	if (serial->ops->drained)
		serial->ops->drained(serial->owner);
}

static uint8_t read_locked(struct serial *serial, unsigned reg)
{
	uint8_t value = 0;

	switch (reg) {
	case REG_DATA:
		return serial->lcr & LCR_DLAB ? serial->divisor & 0xff : fifo_get(serial);
	case REG_IER:
		return serial->lcr & LCR_DLAB ? serial->divisor >> 8 : serial->ier;
	case REG_IIR:
		value = interrupt_cause(serial);
		if (value == IIR_THR_EMPTY)
			serial->thr_empty_pending = false;
		return value | (serial->fcr & FCR_ENABLE ? IIR_FIFOS : 0);
	case REG_LCR:
		return serial->lcr;
	case REG_MCR:
		return serial->mcr;
	case REG_LSR:
		value = LSR_THR_EMPTY | LSR_EMPTY | (serial->n_fifo ? LSR_READY : 0) |
			(serial->overrun ? LSR_OVERRUN : 0);
		serial->overrun = false;
		return value;
	case REG_MSR:
		/* In loop-back the four outputs of MCR come in as CTS, DSR, RI, DCD. */
		if (serial->mcr & MCR_LOOP)
			return (uint8_t)((serial->mcr & 2) << 3 | (serial->mcr & 1) << 5 |
				(serial->mcr & 0xc) << 4);
		return MSR_CTS_DSR_DCD;
	default:
		return serial->scratch;
	}
}

static void data_written(struct serial *serial, uint8_t value)
{
	if (serial->lcr & LCR_DLAB) {
		serial->divisor = (serial->divisor & 0xff00) | value;
		return;
	}
	serial->thr_empty_pending = true;
	if (serial->mcr & MCR_LOOP)
		fifo_put(serial, value);
	else if (serial->ops->transmit)
		serial->ops->transmit(serial->owner, value);
}

static void write_locked(struct serial *serial, unsigned reg, uint8_t value)
{
	switch (reg) {
	case REG_DATA:
		data_written(serial, value);
		break;
	case REG_IER:
		if (serial->lcr & LCR_DLAB) {
			serial->divisor = (uint16_t)((serial->divisor & 0xff) | value << 8);
			break;
		}
		/* Switching it on with an empty transmitter interrupts at once. */
		if (value & ~serial->ier & IER_THR_EMPTY)
			serial->thr_empty_pending = true;
		serial->ier = value & 0xf;
		break;
	case REG_IIR:
		serial->fcr = value;
		if (value & FCR_CLEAR_RECEIVER)
			fifo_clear(serial);
		break;
	case REG_LCR:
		serial->lcr = value;
		break;
	case REG_MCR:
		serial->mcr = value & 0x1f;
		break;
	case REG_SCRATCH:
		serial->scratch = value;
		break;
	default:
		break; /* LSR and MSR: read only */
	}
}

void serial_init(struct serial *serial, const struct serial_ops *ops, void *owner)
{
	memset(serial, 0, sizeof(*serial));
	serial->ops = ops;
	serial->owner = owner;
	serial->divisor = 1;
	g_mutex_init(&serial->lock);
}

void serial_clear(struct serial *serial)
{
	g_mutex_clear(&serial->lock);
}

void serial_reset(struct serial *serial)
{
	g_mutex_lock(&serial->lock);
	serial->ier = serial->lcr = serial->mcr = serial->scratch = serial->fcr = 0;
	serial->divisor = 1;
	serial->thr_empty_pending = serial->overrun = false;
	fifo_clear(serial);
	interrupt_update(serial);
	g_mutex_unlock(&serial->lock);
}

uint8_t serial_read(struct serial *serial, unsigned reg)
{
	uint8_t value;

	g_mutex_lock(&serial->lock);
	value = read_locked(serial, reg % SERIAL_PORTS);
	interrupt_update(serial);
	g_mutex_unlock(&serial->lock);
	return value;
}

void serial_write(struct serial *serial, unsigned reg, uint8_t value)
{
	g_mutex_lock(&serial->lock);
	write_locked(serial, reg % SERIAL_PORTS, value);
	interrupt_update(serial);
	g_mutex_unlock(&serial->lock);
}

size_t serial_receive(struct serial *serial, const uint8_t *bytes, size_t n)
{
	size_t taken = 0;

	g_mutex_lock(&serial->lock);
	while (taken < n && serial->n_fifo < SERIAL_FIFO)
		fifo_put(serial, bytes[taken++]);
	interrupt_update(serial);
	g_mutex_unlock(&serial->lock);
	return taken;
}

void serial_state(struct serial *serial, struct state *state)
{
	uint32_t n_fifo = serial->n_fifo;
	uint8_t thr_empty_pending = serial->thr_empty_pending, overrun = serial->overrun;

	g_mutex_lock(&serial->lock);
	STATE(state, serial->ier);
	STATE(state, serial->lcr);
	STATE(state, serial->mcr);
	STATE(state, serial->scratch);
	STATE(state, serial->fcr);
	STATE(state, serial->divisor);
	STATE(state, thr_empty_pending);
	STATE(state, overrun);
	STATE(state, serial->fifo);
	STATE(state, n_fifo);
	if (n_fifo > SERIAL_FIFO)
		state_fail(state, "%u bytes received", n_fifo);
	if (state_loading(state) && !state_failed(state)) {
		serial->n_fifo = n_fifo;
		serial->thr_empty_pending = thr_empty_pending;
		serial->overrun = overrun;
		interrupt_update(serial);
	}
	g_mutex_unlock(&serial->lock);
}
