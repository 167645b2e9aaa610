/*
 * What a seat may have to show: scenes for tests and for the pictures of the documentation.
 */
#ifndef IRORI_TESTS_UNIT_SEAT_SCENES_H
#define IRORI_TESTS_UNIT_SEAT_SCENES_H

#include "seats/seat/overlay.h"

struct scene {
	const char *name;
	struct seat_facts facts;
	struct menu menu;
	struct overlay_model model; /* points to the two */
};

unsigned scene_count(void);
/* The i-th, on a monitor of this size (24 inches where it is 1920 wide). */
void scene_make(unsigned i, uint32_t width, uint32_t height, struct scene *scene);
/* A household of three guests. */
void scene_facts(struct seat_facts *facts);

#endif
