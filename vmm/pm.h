/*
 * Power management as the ICH9 has it: the fixed registers of ACPI in 128 ports at PMBASE, which
 * lpc.c places. Power-off, the power button, the 3.58 MHz timer, general-purpose events, and the
 * system control interrupt (SCI).
 *
 * There is no System Management Mode: SMI_EN says so to firmware, and the machine is in ACPI mode
 * from the start (FADT: SMI_CMD 0).
 *
 * Sources: ACPI 6.4, section 4.8; Intel ICH9 datasheet, section 13.8.3.
 *
 * Thread: pm_gpe_raise and pm_power_button from any; the rest on the main thread before the guest
 * runs or with processors stopped, except for the ports.
 */
#ifndef IRORI_VMM_PM_H
#define IRORI_VMM_PM_H

#include <stdbool.h>
#include <stdint.h>

struct machine;
struct pm;
struct state;

/* Where the registers are unless a firmware moves them; the FADT says so too. */
enum pm_layout {
	PM_BASE = 0x600,
	PM_LEN = 0x80,
	PM1_STATUS = 0x00,
	PM1_ENABLE = 0x02,
	PM1_CONTROL = 0x04,
	PM_TIMER = 0x08,
	PM_GPE0 = 0x20, /* 8 bytes of status, 8 of enable */
	PM_GPE0_LEN = 16,
	PM_SMI_ENABLE = 0x30,
	PM_SCI = 9, /* the interrupt */
	PM_GPES = 64,
};

/* `sci` hears the level of the SCI, under pm's lock. machine->pm is set. */
struct pm *pm_new(struct machine *machine, void (*sci)(void *owner, bool level), void *owner);
void pm_free(struct pm *pm);
void pm_reset(struct pm *pm);
void pm_state(struct pm *pm, struct state *state);
/* The registers to port `base`, 0: nowhere. From any thread. 0 or -errno. */
int pm_place(struct pm *pm, uint16_t base);

/* Event `gpe` of block 0 has happened: its status is set, and the guest gets an SCI if it enabled it.
 * What the event means, and that \_GPE._Lxx or _Exx exists, is its device's: see
 * acpi_add_fragment. A machine without pm (unit tests), or a number that is not there: ignored. */
void pm_gpe_raise(struct machine *machine, unsigned gpe);

/* Presses the power button. False: nobody in the guest listens. */
bool pm_power_button(struct machine *machine);

#endif
