/*
 * The server's lists, asked for anew whenever it says that something of them changed: one question
 * under way at a time, one more owed while it is.
 */
#include "audio/pulse_find.h"

#include <glib.h>

#include "audio/place.h"

struct pulse_list {
	struct pulse_find *find;
	enum pulse_direction direction;
	char *place;
	pa_operation *question;
	bool again, told;
	/* the answer that is coming in, and the one before */
	char *coming, *name;
	uint32_t coming_index, index;
	uint8_t coming_channels, channels;
	int coming_rank;
};

struct pulse_find {
	pa_context *context;
	pa_operation *subscription;
	pulse_find_changed changed;
	void *user;
	struct pulse_list lists[PULSE_DIRECTIONS];
};

static void list_ask(struct pulse_list *list);

static void list_answered(struct pulse_list *list)
{
	bool same = list->told && g_strcmp0(list->name, list->coming) == 0 &&
		    (!list->name || list->index == list->coming_index);

	g_free(list->name);
	list->name = g_steal_pointer(&list->coming);
	list->index = list->coming_index;
	list->channels = list->coming_channels;
	list->told = true;
	g_clear_pointer(&list->question, pa_operation_unref);
	if (list->again)
		list_ask(list);
	if (!same)
		list->find->changed(list->find->user, list->direction, &(struct pulse_device){
			.name = list->name, .index = list->index, .channels = list->channels });
}

/* Of several at one place (a card with HDMI and speakers) the one whose plug is in use. */
static void list_take(struct pulse_list *list, const char *name, uint32_t index, uint8_t channels,
	pa_proplist *properties, int port_available)
{
	int rank = port_available == PA_PORT_AVAILABLE_NO ? 1 : 2;

	if (!place_matches(list->place, pa_proplist_gets(properties, "device.bus_path"),
		    pa_proplist_gets(properties, "sysfs.path")))
		return;
	if (list->coming && rank <= list->coming_rank)
		return;
	g_free(list->coming);
	list->coming = g_strdup(name);
	list->coming_index = index;
	list->coming_channels = channels;
	list->coming_rank = rank;
}

static void list_sink(pa_context *context, const pa_sink_info *sink, int last, void *data)
{
	struct pulse_list *list = data;

	if (last)
		return list_answered(list);
	list_take(list, sink->name, sink->index, sink->channel_map.channels, sink->proplist,
		sink->active_port ? sink->active_port->available : PA_PORT_AVAILABLE_UNKNOWN);
}

static void list_source(pa_context *context, const pa_source_info *source, int last, void *data)
{
	struct pulse_list *list = data;

	if (last)
		return list_answered(list);
	if (source->monitor_of_sink != PA_INVALID_INDEX)
		return; /* what is played, not what is said */
	list_take(list, source->name, source->index, source->channel_map.channels, source->proplist,
		source->active_port ? source->active_port->available : PA_PORT_AVAILABLE_UNKNOWN);
}

static void list_ask(struct pulse_list *list)
{
	pa_context *context = list->find->context;

	list->again = list->question != NULL;
	if (!list->place || list->question)
		return;
	g_clear_pointer(&list->coming, g_free);
	list->question = list->direction == PULSE_SINK
		? pa_context_get_sink_info_list(context, list_sink, list)
		: pa_context_get_source_info_list(context, list_source, list);
}

static void find_news(pa_context *context, pa_subscription_event_type_t type, uint32_t index,
	void *data)
{
	struct pulse_find *find = data;
	unsigned facility = type & PA_SUBSCRIPTION_EVENT_FACILITY_MASK;

	/* A card's ports and profile decide which of its devices it is. */
	if (facility == PA_SUBSCRIPTION_EVENT_SINK || facility == PA_SUBSCRIPTION_EVENT_CARD)
		list_ask(&find->lists[PULSE_SINK]);
	if (facility == PA_SUBSCRIPTION_EVENT_SOURCE || facility == PA_SUBSCRIPTION_EVENT_CARD)
		list_ask(&find->lists[PULSE_SOURCE]);
}

struct pulse_find *pulse_find_new(pa_context *context, const char *const places[PULSE_DIRECTIONS],
	pulse_find_changed changed, void *user)
{
	struct pulse_find *find = g_new0(struct pulse_find, 1);
	bool asked = true;

	find->context = context;
	find->changed = changed;
	find->user = user;
	pa_context_set_subscribe_callback(context, find_news, find);
	/* Before the lists are asked for: nothing falls between. */
	find->subscription = pa_context_subscribe(context, PA_SUBSCRIPTION_MASK_SINK |
		PA_SUBSCRIPTION_MASK_SOURCE | PA_SUBSCRIPTION_MASK_CARD, NULL, NULL);
	for (unsigned i = 0; i < PULSE_DIRECTIONS; i++) {
		struct pulse_list *list = &find->lists[i];

		list->find = find;
		list->direction = i;
		list->place = g_strdup(places[i]);
		list_ask(list);
		asked = asked && (!list->place || list->question);
	}
	if (find->subscription && asked)
		return find;
	pulse_find_free(find);
	return NULL;
}

void pulse_find_free(struct pulse_find *find)
{
	if (!find)
		return;
	pa_context_set_subscribe_callback(find->context, NULL, NULL);
	if (find->subscription)
		pa_operation_unref(find->subscription);
	for (unsigned i = 0; i < PULSE_DIRECTIONS; i++) {
		struct pulse_list *list = &find->lists[i];

		if (list->question) {
			pa_operation_cancel(list->question);
			pa_operation_unref(list->question);
		}
		g_free(list->place);
		g_free(list->name);
		g_free(list->coming);
	}
	g_free(find);
}
