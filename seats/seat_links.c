/*
 * See seat_links.h.
 */
#include "seats/seat_links.h"

#include <errno.h>
#include <glib.h>
#include <unistd.h>

#include "display/packet.h"
#include "seats/guest_link.h"

#define MS INT64_C(1000000)

enum { KEPT = 2 /* of a kind: the guest that is shown, and the one that was left */ };

struct given {
	int fd; /* -1: none */
	uint32_t guest;
	guint timer; /* it was left */
	int64_t left_ns;
};

struct seat_links {
	char *seat;
	int64_t (*now)(void);
	struct given given[WIRE_LINKS][KEPT];
	int64_t next_ns[WIRE_LINKS]; /* not before */
};

static void given_end(struct given *given)
{
	g_clear_handle_id(&given->timer, g_source_remove);
	if (given->fd >= 0)
		packet_hang_up(given->fd);
	given->fd = -1;
}

static gboolean given_over(gpointer data)
{
	struct given *given = data;

	given->timer = 0;
	given_end(given);
	return G_SOURCE_REMOVE;
}

/* Where the next one to this guest goes: in place of the one before it, or of nobody's, or of whoever was left first. */
static struct given *given_for(struct given kept[KEPT], uint32_t guest)
{
	struct given *place = &kept[0];

	for (unsigned i = 0; i < KEPT; i++)
		if (kept[i].fd >= 0 && kept[i].guest == guest)
			return &kept[i];
	for (unsigned i = 1; i < KEPT && place->fd >= 0; i++)
		if (kept[i].fd < 0 || kept[i].left_ns < place->left_ns)
			place = &kept[i];
	return place;
}

struct seat_links *seat_links_new(const char *seat, int64_t (*now)(void))
{
	struct seat_links *links = g_new0(struct seat_links, 1);

	links->seat = g_strdup(seat);
	links->now = now;
	for (unsigned kind = 0; kind < WIRE_LINKS; kind++)
		for (unsigned i = 0; i < KEPT; i++)
			links->given[kind][i].fd = -1;
	return links;
}

void seat_links_free(struct seat_links *links)
{
	if (!links)
		return;
	for (unsigned kind = 0; kind < WIRE_LINKS; kind++) {
		for (unsigned i = 0; i < KEPT; i++) {
			struct given *given = &links->given[kind][i];

			if (given->timer)
				given_end(given);
			else if (given->fd >= 0)
				close(given->fd);
		}
	}
	g_free(links->seat);
	g_free(links);
}

int seat_links_give(struct seat_links *links, uint32_t guest, enum wire_link_kind kind, const char *path)
{
	struct given *given = given_for(links->given[kind], guest);
	int64_t now = links->now();
	int fd;

	if (now < links->next_ns[kind])
		return -EAGAIN;
	given_end(given); /* first: the new one is to have what the old one had */
	fd = guest_link_open(path, kind, links->seat);
	if (fd < 0)
		return fd;
	links->next_ns[kind] = now + SEAT_LINKS_AGAIN_MS * MS;
	given->fd = fd;
	given->guest = guest;
	return fd;
}

void seat_links_shown(struct seat_links *links, uint32_t guest)
{
	for (unsigned kind = 0; kind < WIRE_LINKS; kind++) {
		for (unsigned i = 0; i < KEPT; i++) {
			struct given *given = &links->given[kind][i];

			if (given->fd < 0)
				continue;
			if (given->guest == guest) {
				g_clear_handle_id(&given->timer, g_source_remove);
			} else if (!given->timer) {
				given->left_ns = links->now();
				given->timer = g_timeout_add(SEAT_LINKS_LEFT_MS, given_over, given);
			}
		}
	}
}

void seat_links_end(struct seat_links *links)
{
	for (unsigned kind = 0; kind < WIRE_LINKS; kind++) {
		for (unsigned i = 0; i < KEPT; i++)
			given_end(&links->given[kind][i]);
		links->next_ns[kind] = 0;
	}
}
