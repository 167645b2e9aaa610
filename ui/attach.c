/*
 * Sitting at a guest for the length of a command; see attach.h.
 */
#include "ui/attach.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>

#include "ui/runtime.h"

struct attached {
	struct link_client *client;
	char *guest;
	bool welcomed, replied, has_stat, has_frame;
	struct link_welcome welcome;
	struct link_reply reply;
	struct link_stat stat;
	uint32_t cookie;
};

static void welcomed(void *data, const struct link_welcome *welcome)
{
	struct attached *attached = data;

	attached->welcome = *welcome;
	attached->welcomed = true;
}

static void replied(void *data, const struct link_reply *reply)
{
	struct attached *attached = data;

	if (reply->cookie != attached->cookie)
		return;
	attached->reply = *reply;
	attached->replied = true;
}

static void stat_came(void *data, const struct link_stat *stat)
{
	struct attached *attached = data;

	attached->stat = *stat;
	attached->has_stat = true;
}

static void frame_came(void *data, const struct link_frame *frame,
	const struct link_picture *picture)
{
	((struct attached *)data)->has_frame = true;
}

static const struct link_client_events events = {
	.welcome = welcomed,
	.reply = replied,
	.stat = stat_came,
	.frame = frame_came,
};

static bool await(struct attached *attached, const bool *what, GError **error)
{
	int64_t end = g_get_monotonic_time() + ATTACH_WAIT_MS * 1000ll;
	int ret = 0;

	while (!*what && ret >= 0) {
		int64_t left = (end - g_get_monotonic_time()) / 1000;

		if (left <= 0)
			break;
		ret = link_client_wait(attached->client, (int)left);
	}
	if (*what)
		return true;
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "%s: %s", attached->guest,
		ret == -EPIPE ? "hung up" :
		ret < 0 ? "speaks another protocol" : "does not answer");
	return false;
}

struct attached *attach(const char *guest, uint32_t wants, GError **error)
{
	g_autofree char *path = runtime_socket(guest, error);
	struct attached *attached;

	if (!path)
		return NULL;
	attached = g_new0(struct attached, 1);
	attached->guest = g_strdup(guest);
	attached->client = link_client_connect(path, wants, "irori", &events, attached, error);
	if (attached->client && await(attached, &attached->welcomed, error))
		return attached;
	attach_free(attached);
	return NULL;
}

void attach_free(struct attached *attached)
{
	if (!attached)
		return;
	link_client_free(attached->client);
	g_free(attached->guest);
	g_free(attached);
}

struct link_client *attach_client(struct attached *attached)
{
	return attached->client;
}

const struct link_welcome *attach_welcome(const struct attached *attached)
{
	return &attached->welcome;
}

/* `ret`: of sending. */
static bool reply_await(struct attached *attached, int ret, GError **error)
{
	attached->replied = false;
	if (!ret) {
		if (!await(attached, &attached->replied, error))
			return false;
		ret = attached->reply.result;
	}
	if (!ret)
		return true;
	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(-ret), "%s: %s", attached->guest,
		g_strerror(-ret));
	return false;
}

bool attach_request(struct attached *attached, enum link_verb verb, uint32_t argument,
	GError **error)
{
	return reply_await(attached, link_client_request(attached->client, verb, argument,
		++attached->cookie), error);
}

bool attach_save(struct attached *attached, int fd, GError **error)
{
	return reply_await(attached, link_client_save(attached->client, fd, ++attached->cookie),
		error);
}

const struct link_stat *attach_stat(struct attached *attached, GError **error)
{
	int ret = link_client_stat(attached->client);

	attached->has_stat = false;
	if (ret) {
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(-ret), "%s: %s",
			attached->guest, g_strerror(-ret));
		return NULL;
	}
	return await(attached, &attached->has_stat, error) ? &attached->stat : NULL;
}

struct picture attach_view(struct link_client *client)
{
	const struct link_picture *buffer = NULL;
	const struct link_frame *frame = link_client_frame(client, 0, &buffer);

	if (!frame || !buffer)
		return (struct picture){ 0 };
	return (struct picture){
		.pixels = buffer->pixels + (size_t)frame->source.y * buffer->stride +
			(size_t)frame->source.x * 4,
		.width = frame->source.width,
		.height = frame->source.height,
		.stride = buffer->stride,
	};
}

bool attach_picture(struct attached *attached, struct picture *picture, GError **error)
{
	struct picture view;

	if (!await(attached, &attached->has_frame, error))
		return false;
	view = attach_view(attached->client);
	*picture = picture_copy(&view);
	if (picture->pixels)
		return true;
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "%s: its screen is off",
		attached->guest);
	return false;
}

const char *attach_state_name(uint32_t state)
{
	static const char *const names[] = {
		[LINK_GUEST_RUNNING] = "running",
		[LINK_GUEST_RESETTING] = "rebooting",
		[LINK_GUEST_PAUSED] = "paused",
		[LINK_GUEST_OFF] = "off",
		[LINK_GUEST_CRASHED] = "crashed",
	};

	return state < G_N_ELEMENTS(names) ? names[state] : "unknown";
}
