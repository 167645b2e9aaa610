/*
 * An exception with no way to deliver it: the guest is marked crashed, nobody else notices.
 */
#include "guest.h"

int guest_main(const void *start_info)
{
	static const struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) none = { 0, 0 };

	guest_print("falling\n");
	__asm__ volatile("lidt %0; ud2" : : "m"(none));
	return 1;
}
