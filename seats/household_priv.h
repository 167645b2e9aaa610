/*
 * The parts of household.c: one kind of file each, and what parses it.
 *
 * Thread: any.
 */
#ifndef IRORI_SEATS_HOUSEHOLD_PRIV_H
#define IRORI_SEATS_HOUSEHOLD_PRIV_H

#include "seats/household.h"
#include "vmm/property.h"

/* What a table fills: the structure itself, and the texts of what is more than a text. */
struct irori_draft {
	struct irori_config made;
};

struct seat_draft {
	struct seat_config made;
	char *outputs, *inputs, *guests;
};

struct guest_draft {
	struct guest_entry made;
	char *seats;
};

struct person_draft {
	struct person made;
	char *hours, *warnings;
};

union household_draft {
	struct irori_draft irori;
	struct seat_draft seat;
	struct guest_draft guest;
	struct person_draft person;
};

/* Zeroed by the caller; what `make` took out of it is NULL after. */
struct household_type {
	const char *folder; /* NULL: a file of its own */
	const char *section;
	const struct property *table;
	/* What else the file itself says, not its drop-ins; may be NULL. */
	bool (*read)(const char *name, const struct config_file *file, union household_draft *draft,
		GError **error);
	/* Whether the texts are what they should be; file and section are for the message. */
	bool (*check)(const union household_draft *draft, const struct config_file *file, GError **error);
	/* A checked draft into the household. */
	void (*make)(struct household *household, const char *name, const char *path,
		union household_draft *draft);
};

extern const struct household_type household_types[HOUSEHOLD_KINDS];

void guest_entry_free(struct guest_entry *guest);
void person_free(struct person *person);
void irori_config_clear(struct irori_config *config);

#endif
