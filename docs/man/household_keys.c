/*
 * What a household's files may say, by the tables that read them: for irori.conf(5).
 */
#include <stdio.h>

#include "seats/household_priv.h"

int main(void)
{
	for (unsigned kind = 0; kind < HOUSEHOLD_KINDS; kind++) {
		const struct household_type *type = &household_types[kind];
		g_autofree char *help = property_help(type->table);

		printf("[%s]  %s%s\n%s\n", type->section, type->folder ? type->folder : "irori.conf",
			type->folder ? "/NAME.conf" : "", help);
	}
	return 0;
}
