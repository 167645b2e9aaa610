/*
 * The LPC bridge: see lpc.h.
 */
#define G_LOG_DOMAIN "irori-lpc"

#include "vmm/lpc.h"

#include <string.h>

#include "vmm/error.h"
#include "vmm/machine.h"
#include "vmm/pm.h"
#include "vmm/state.h"

enum lpc_registers {
	LPC_PIRQ_BITS = LPC_PIRQ_OFF | 0x0f,
	LPC_GEN_PMCON = 0xa0,
	LPC_BIOS_CONTROL = 0xdc,
	LPC_RCBA = 0xf0,
	LPC_PMBASE_MASK = 0xff80,
	PIC_PINS = 16,
	PORT_POST = 0x80,
	PORT_APM = 0xb2,
};

struct lpc {
	struct pci_device pci; /* first: PCI finds us by it */
	struct device device;
	struct machine *machine;
	struct intx_sink sink;
	struct pm *pm;
	struct region post, apm; /* written and read by habit, and nobody there */
	GMutex lock;             /* of what follows */
	bool pirq[LPC_PIRQS], sci;
	uint32_t pins; /* of the PIC, as last driven */
};

static unsigned pirq_register(unsigned line)
{
	return line < 4 ? LPC_PIRQ_A + line : LPC_PIRQ_E + line - 4;
}

/* Under the lock. SCI and any number of PIRQs may share a pin of the PIC. */
static void pins_update(struct lpc *lpc)
{
	uint32_t pins = lpc->sci ? 1u << PM_SCI : 0, changed;

	for (unsigned i = 0; i < LPC_PIRQS; i++) {
		uint8_t route = lpc->pci.config[pirq_register(i)];

		if (lpc->pirq[i] && !(route & LPC_PIRQ_OFF))
			pins |= 1u << (route & 0xf);
	}
	changed = pins ^ lpc->pins;
	lpc->pins = pins;
	for (unsigned i = 0; i < PIC_PINS; i++)
		if (changed & 1u << i)
			machine_irq(lpc->machine, i, pins & 1u << i);
}

static void lpc_intx(struct intx_sink *sink, unsigned line, bool level)
{
	struct lpc *lpc = (struct lpc *)((char *)sink - offsetof(struct lpc, sink));

	g_mutex_lock(&lpc->lock);
	lpc->pirq[line] = level;
	machine_irq(lpc->machine, LPC_GSI_PIRQ + line, level);
	pins_update(lpc);
	g_mutex_unlock(&lpc->lock);
}

static void lpc_sci(void *owner, bool level)
{
	struct lpc *lpc = owner;

	g_mutex_lock(&lpc->lock);
	lpc->sci = level;
	pins_update(lpc);
	g_mutex_unlock(&lpc->lock);
}

/* What hangs on its registers, after a write, a reset, a saved guest. Under the PCI bus's lock. */
static void lpc_follow(struct pci_device *pci)
{
	struct lpc *lpc = (struct lpc *)pci;
	uint16_t base;

	memcpy(&base, &pci->config[LPC_PMBASE], sizeof(base));
	base &= LPC_PMBASE_MASK;
	if (!(pci->config[LPC_PM_CONTROL] & LPC_PM_ON))
		base = 0;
	if (pm_place(lpc->pm, base) < 0)
		g_debug("power management cannot be at port %#x", base);
	g_mutex_lock(&lpc->lock);
	pins_update(lpc);
	g_mutex_unlock(&lpc->lock);
}

static void lpc_written(struct pci_device *pci, unsigned offset, unsigned size)
{
	lpc_follow(pci);
}

static uint64_t zero_read(void *owner, uint64_t offset, unsigned size)
{
	return 0;
}

static void no_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
}

static const struct region_ops nobody_ops = {
	.read = zero_read,
	.write = no_write,
};

static void lpc_config(struct lpc *lpc)
{
	static const struct pci_id ich9 = {
		.vendor = 0x8086,
		.device = 0x2918,
		.class_code = 0x06,
		.subclass = 0x01,
		.revision = 2,
	};
	static const struct pci_device_ops ops = {
		.config_written = lpc_written,
		.command_written = lpc_follow,
	};
	struct pci_device *pci = &lpc->pci;

	pci_init(pci, "LPC bridge", &ich9, &ops);
	/* Hardwired. OVMF looks for serial ports behind a bridge that can be switched on, and no other. */
	pci->config[PCI_COMMAND] = PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	pci->writable[PCI_COMMAND] = 0;
	pci->config[PCI_HEADER_TYPE] = 0x80; /* SATA and SMBus may be its neighbours */
	/* On from the start, where every firmware puts it: a firmware-less guest looks for it too. */
	pci->config[LPC_PMBASE] = (PM_BASE & 0xff) | 1;
	pci->config[LPC_PMBASE + 1] = PM_BASE >> 8;
	pci->writable[LPC_PMBASE] = LPC_PMBASE_MASK & 0xff;
	pci->writable[LPC_PMBASE + 1] = LPC_PMBASE_MASK >> 8;
	pci->config[LPC_PM_CONTROL] = LPC_PM_ON;
	pci->writable[LPC_PM_CONTROL] = LPC_PM_ON | 7;
	for (unsigned i = 0; i < LPC_PIRQS; i++) {
		pci->config[pirq_register(i)] = LPC_PIRQ_OFF;
		pci->writable[pirq_register(i)] = LPC_PIRQ_BITS;
	}
	memset(&pci->writable[LPC_GEN_PMCON], 0xff, 4);
	pci->writable[LPC_BIOS_CONTROL] = 0x01;
	memset(&pci->writable[LPC_RCBA], 0xff, 4);
}

static struct lpc *lpc_of(struct device *device)
{
	return (struct lpc *)((char *)device - offsetof(struct lpc, device));
}

static void lpc_reset(struct device *device)
{
	pm_reset(lpc_of(device)->pm);
}

static void lpc_state(struct device *device, struct state *state)
{
	struct lpc *lpc = lpc_of(device);

	pci_state(&lpc->pci, state);
	pm_state(lpc->pm, state);
}

static void lpc_destroy(struct device *device)
{
	struct lpc *lpc = lpc_of(device);

	bus_remove(lpc->machine->pio, &lpc->post);
	bus_remove(lpc->machine->pio, &lpc->apm);
	pci_bus_intx(lpc->machine->pci, NULL);
	pci_detach(&lpc->pci);
	pm_free(lpc->pm);
	g_mutex_clear(&lpc->lock);
	g_free(lpc);
}

static struct device *lpc_create(struct machine *machine, const char *instance, const void *config,
	GError **error)
{
	struct lpc *lpc = g_new0(struct lpc, 1);
	int rc;

	lpc_config(lpc);
	lpc->device = (struct device){ .reset = lpc_reset, .state = lpc_state,
		.destroy = lpc_destroy };
	lpc->machine = machine;
	lpc->sink.set = lpc_intx;
	lpc->post = (struct region){ .name = "POST code", .base = PORT_POST, .len = 1,
		.ops = &nobody_ops, .owner = lpc };
	lpc->apm = (struct region){ .name = "APM", .base = PORT_APM, .len = 2, .ops = &nobody_ops,
		.owner = lpc };
	g_mutex_init(&lpc->lock);
	lpc->pm = pm_new(machine, lpc_sci, lpc);
	rc = pci_attach(machine->pci, &lpc->pci, LPC_SLOT);
	if (!rc)
		rc = bus_add(machine->pio, &lpc->post);
	if (!rc)
		rc = bus_add(machine->pio, &lpc->apm);
	if (!rc)
		rc = pm_place(lpc->pm, PM_BASE);
	if (!rc) {
		pci_bus_intx(machine->pci, &lpc->sink);
		return &lpc->device;
	}
	fail_as(error, EX_OSERR, "[Chipset]: %s", g_strerror(-rc));
	lpc_destroy(&lpc->device);
	return NULL;
}

static const struct device_type lpc_type = {
	.section = "Chipset",
	.help = "a Q35's LPC bridge: interrupt routing, power management",
	.always = true,
	.single = true,
	.create = lpc_create,
};
DEVICE_REGISTER(lpc_type);
