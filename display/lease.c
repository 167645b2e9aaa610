/*
 * Who has been lent what of a card; see lease.h.
 */
#include "display/lease.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>

#include "display/kms_drm.h"
#include "display/kms_plan.h"

enum {
	MAX_LESSEES = 64,
	OBJECTS = 4, /* of a pipe */
};

/* A pipe of a lease; a lease has one or more. */
struct lent {
	uint32_t lessee;
	struct kms_pipe pipe;
};

struct lease_card {
	struct kms_card *card;
	GArray *lent; /* struct lent */
};

static struct lent *lent_at(const struct lease_card *card, unsigned i)
{
	return &g_array_index(card->lent, struct lent, i);
}

static bool is_lent(const struct lease_card *card, uint32_t connector)
{
	for (unsigned i = 0; i < card->lent->len; i++)
		if (lent_at(card, i)->pipe.connector == connector)
			return true;
	return false;
}

/* The pipes of all leases: n_connectors at most. */
static unsigned lent_pipes(const struct lease_card *card, struct kms_pipe *pipes)
{
	unsigned n = MIN(card->lent->len, KMS_MAX_CONNECTORS);

	for (unsigned i = 0; i < n; i++)
		pipes[i] = lent_at(card, i)->pipe;
	return n;
}

static void set_error(GError **error, int code, const char *what)
{
	g_set_error(error, G_IO_ERROR, (int)g_io_error_from_errno(-code), "%s: %s", what,
		g_strerror(-code));
}

/* Of whoever had the card before us. */
static int end_old_leases(struct kms_card *card)
{
	uint32_t lessees[MAX_LESSEES];
	int n = card->ops->lessees(card, lessees, MAX_LESSEES);

	for (int i = 0; i < n; i++)
		card->ops->revoke(card, lessees[i]);
	return n < 0 ? n : 0;
}

struct lease_card *lease_card_new(struct kms_card *card, GError **error)
{
	struct lease_card *self;
	int code = end_old_leases(card);

	if (code) {
		set_error(error, code, "the card does not lend");
		card->ops->close(card);
		return NULL;
	}
	self = g_new0(struct lease_card, 1);
	self->card = card;
	self->lent = g_array_new(FALSE, TRUE, sizeof(struct lent));
	return self;
}

struct lease_card *lease_card_open(const char *path, GError **error)
{
	struct kms_card *card = kms_drm_open(path, error);

	return card ? lease_card_new(card, error) : NULL;
}

struct lease_card *lease_card_adopt(int fd, GError **error)
{
	struct kms_card *card = kms_drm_new(fd, error);

	return card ? lease_card_new(card, error) : NULL;
}

void lease_card_free(struct lease_card *card)
{
	if (!card)
		return;
	while (card->lent->len)
		lease_revoke(card, lent_at(card, 0)->lessee);
	card->card->ops->close(card->card);
	g_array_unref(card->lent);
	g_free(card);
}

int lease_card_fd(const struct lease_card *card)
{
	return card->card->ops->fd(card->card);
}

static void connector_tell(
	const struct lease_card *card, const struct kms_connector *from, struct lease_connector *to)
{
	to->id = from->id;
	memcpy(to->name, from->name, sizeof(to->name));
	to->connected = from->connected;
	to->non_desktop = from->non_desktop;
	to->leased = is_lent(card, from->id);
	edid_read(from->edid, from->edid_len, &to->edid);
	for (unsigned i = 0; i < from->n_modes && !to->width; i++)
		if (from->modes[i].type & DRM_MODE_TYPE_PREFERRED) {
			to->width = from->modes[i].hdisplay;
			to->height = from->modes[i].vdisplay;
		}
	if (!to->width && from->n_modes) {
		to->width = from->modes[0].hdisplay;
		to->height = from->modes[0].vdisplay;
	}
}

static struct kms_resources *card_probe(struct lease_card *card, bool force, GError **error)
{
	struct kms_resources *resources;
	int code = 0;

	resources = card->card->ops->probe(card->card, force, &code);
	if (!resources)
		set_error(error, code, "the graphics card does not answer");
	return resources;
}

struct lease_connector *lease_card_connectors(struct lease_card *card, unsigned *n, GError **error)
{
	struct kms_resources *resources = card_probe(card, true, error);
	struct lease_connector *connectors;

	if (!resources)
		return NULL;
	*n = resources->n_connectors;
	connectors = g_new0(struct lease_connector, resources->n_connectors + 1);
	for (unsigned i = 0; i < resources->n_connectors; i++)
		connector_tell(card, &resources->connectors[i], &connectors[i]);
	kms_resources_free(resources);
	return connectors;
}

static bool lease_plan(struct lease_card *card, const uint32_t *connectors, unsigned n,
	struct kms_pipe *pipes, GError **error)
{
	struct kms_resources *resources = card_probe(card, false, error);
	struct kms_pipe taken[KMS_MAX_CONNECTORS];
	unsigned n_taken = lent_pipes(card, taken);
	bool found = true;

	if (!resources)
		return false;
	for (unsigned i = 0; i < n && found; i++)
		found = kms_connector_find(resources, connectors[i]) != NULL;
	if (!found) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "no such connector");
	} else if (!kms_plan(resources, taken, n_taken, connectors, n, pipes)) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
			"the graphics card cannot drive that many monitors at once");
		found = false;
	}
	kms_resources_free(resources);
	return found;
}

/* What a pipe is made of, as a lease lists it. */
static unsigned pipe_objects(const struct kms_pipe *pipe, uint32_t objects[OBJECTS])
{
	unsigned n = 0;

	objects[n++] = pipe->connector;
	objects[n++] = pipe->crtc;
	if (pipe->primary)
		objects[n++] = pipe->primary;
	if (pipe->cursor)
		objects[n++] = pipe->cursor;
	return n;
}

bool lease_create(struct lease_card *card, const uint32_t *connectors, unsigned n, int *fd,
	uint32_t *lessee, GError **error)
{
	uint32_t objects[OBJECTS * KMS_MAX_CONNECTORS];
	struct kms_pipe pipes[KMS_MAX_CONNECTORS];
	unsigned n_objects = 0;
	int code;

	if (!n || n > KMS_MAX_CONNECTORS) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "no connectors");
		return false;
	}
	for (unsigned i = 0; i < n; i++)
		if (is_lent(card, connectors[i])) {
			g_set_error(error, G_IO_ERROR, G_IO_ERROR_BUSY,
				"another seat has that connector");
			return false;
		}
	if (!lease_plan(card, connectors, n, pipes, error))
		return false;
	for (unsigned i = 0; i < n; i++)
		n_objects += pipe_objects(&pipes[i], objects + n_objects);
	code = card->card->ops->lease(card->card, objects, n_objects, fd, lessee);
	if (code) {
		set_error(error, code, "no lease of the graphics card");
		return false;
	}
	for (unsigned i = 0; i < n; i++) {
		struct lent lent = {*lessee, pipes[i]};

		g_array_append_val(card->lent, lent);
	}
	return true;
}

void lease_revoke(struct lease_card *card, uint32_t lessee)
{
	bool known = false;

	for (unsigned i = card->lent->len; i > 0; i--)
		if (lent_at(card, i - 1)->lessee == lessee) {
			g_array_remove_index(card->lent, i - 1);
			known = true;
		}
	if (known)
		card->card->ops->revoke(card->card, lessee);
}

int lease_card_dark(struct lease_card *card)
{
	struct kms_pipe keep[KMS_MAX_CONNECTORS];
	unsigned n = lent_pipes(card, keep);

	return card->card->ops->dark(card->card, keep, n);
}
