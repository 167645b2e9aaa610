/*
 * The ICH9's LPC bridge, 00:1f.0: where interrupt pins of PCI functions go, and where the registers of
 * power management are. Both are set up in its configuration space, by a firmware or by the
 * operating system (PIRQ routing, which is of use only to those that do without the I/O APIC).
 *
 * Source: Intel ICH9 datasheet, sections 13.1 and 5.8.
 */
#ifndef IRORI_VMM_LPC_H
#define IRORI_VMM_LPC_H

enum lpc_layout {
	LPC_SLOT = 31,
	LPC_PMBASE = 0x40,
	LPC_PM_CONTROL = 0x44, /* ACPI_CNTL */
	LPC_PM_ON = 0x80,
	LPC_PIRQ_A = 0x60, /* to D */
	LPC_PIRQ_E = 0x68, /* to H */
	LPC_PIRQ_OFF = 0x80,
	LPC_PIRQS = 8,
	LPC_GSI_PIRQ = 16, /* PIRQA..H are pins 16..23 of the I/O APIC */
};

#endif
