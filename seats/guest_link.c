/*
 * See guest_link.h.
 */
#include "seats/guest_link.h"

#include "audio/seat_sound.h"
#include "display/link_client.h"
#include "display/packet.h"

static const uint32_t wants[WIRE_LINKS] = {
	[WIRE_LINK_PICTURE] = LINK_WANT_HEADS | LINK_WANT_CLOCK | LINK_WANT_INPUT,
	[WIRE_LINK_SOUND] = SEAT_SOUND_WANTS,
};

uint32_t guest_link_wants(enum wire_link_kind kind)
{
	return wants[kind];
}

int guest_link_open(const char *path, enum wire_link_kind kind, const char *seat)
{
	int fd = packet_connect(path), r;

	if (fd < 0)
		return fd;
	r = link_client_greet(fd, wants[kind], seat);
	if (r == 0)
		return fd;
	packet_hang_up(fd);
	return r;
}
