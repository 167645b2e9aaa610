/*
 * Prints a line now and then, for ever: what pause and resume are tried on.
 */
#include "guest.h"

int guest_main(const void *start_info)
{
	for (;;) {
		guest_print("tick\n");
		for (unsigned i = 0; i < 2000; i++)
			__asm__ volatile("pause");
	}
}
