/*
 * Scenes: a household of three guests, and what happens at its first seat.
 */
#include "tests/unit/seat/scenes.h"

#include <linux/input-event-codes.h>
#include <stdio.h>
#include <string.h>

void scene_facts(struct seat_facts *facts)
{
	static const struct wire_guest guests[] = {
		{ 1, WIRE_GUEST_RUNNING, "mika", "Mika's PC", "Mika" },
		{ 2, WIRE_GUEST_RUNNING, "theater", "Theater", "" },
		{ 3, WIRE_GUEST_OFF, "study", "Study (Debian)", "Jun" },
	};

	memset(facts, 0, sizeof(*facts));
	strcpy(facts->seat, "den");
	facts->number = 1;
	memcpy(facts->guests, guests, sizeof(guests));
	facts->n_guests = 3;
	facts->shown = 1;
	facts->time.left_us = -1;
	facts->supervised = facts->attached = facts->sound = true;
	facts->volume = 60;
}

static void keys(struct scene *scene, const uint16_t *codes, unsigned n)
{
	struct menu_action action;

	for (unsigned i = 0; i < n; i++)
		menu_key(&scene->menu, &scene->facts, codes[i], &action);
}

static void scene_guest(struct scene *scene)
{
	scene->model.hint = true;
}

static void scene_volume(struct scene *scene)
{
	scene->model.volume = true;
}

static void scene_microphone(struct scene *scene)
{
	scene->facts.microphone = scene->facts.recording = true;
}

static void scene_menu(struct scene *scene)
{
	scene->facts.time.left_us = 47 * 60000000ll;
	scene->facts.microphone = true;
	menu_call(&scene->menu, &scene->facts);
	keys(scene, (const uint16_t[]){ KEY_DOWN, KEY_DOWN, KEY_DOWN }, 3);
}

static void scene_confirm(struct scene *scene)
{
	menu_call(&scene->menu, &scene->facts);
	keys(scene, (const uint16_t[]){ KEY_END, KEY_UP, KEY_ENTER }, 3);
}

static void scene_list(struct scene *scene)
{
	scene->facts.shown = 0;
	menu_news(&scene->menu, &scene->facts);
}

static void scene_many(struct scene *scene)
{
	scene->facts.shown = 0;
	scene->facts.n_guests = WIRE_GUESTS;
	for (unsigned i = 3; i < WIRE_GUESTS; i++) {
		scene->facts.guests[i].id = i + 1;
		snprintf(scene->facts.guests[i].name, WIRE_NAME, "guest-%u", i);
		snprintf(scene->facts.guests[i].title, WIRE_NAME,
			"A guest whose name is too long for anything, no. %u", i);
	}
	menu_news(&scene->menu, &scene->facts);
	keys(scene, (const uint16_t[]){ KEY_END, KEY_UP }, 2);
}

static void scene_lock(struct scene *scene)
{
	scene->facts.locked = true;
	menu_news(&scene->menu, &scene->facts);
	keys(scene, (const uint16_t[]){ KEY_4, KEY_7, KEY_1 }, 3);
}

static void scene_wrong(struct scene *scene)
{
	struct menu_action action;

	scene_lock(scene);
	menu_key(&scene->menu, &scene->facts, KEY_ENTER, &action);
	menu_answer(&scene->menu, &scene->facts, -13, "");
}

static void scene_frozen(struct scene *scene)
{
	scene->facts.guests[0].state = WIRE_GUEST_FROZEN;
	scene->facts.time = (struct wire_time){ .left_us = 0, .frozen = 1, .person = "Mika" };
	menu_news(&scene->menu, &scene->facts);
}

static void scene_pin(struct scene *scene)
{
	scene_frozen(scene);
	keys(scene, (const uint16_t[]){ KEY_ENTER, KEY_DOWN, KEY_ENTER, KEY_1, KEY_2, KEY_3, KEY_4 }, 7);
}

static void scene_time(struct scene *scene)
{
	scene_frozen(scene);
	keys(scene, (const uint16_t[]){ KEY_ENTER, KEY_DOWN }, 2);
}

static void scene_identify(struct scene *scene)
{
	scene->model.identify = true;
	strcpy(scene->model.identify_text,
		"Press F1 on the keyboard that belongs to this monitor");
}

static void scene_notices(struct scene *scene)
{
	static const char *const texts[WIRE_NOTICES] = {
		[WIRE_NOTICE_INFO] = "Headset plugged in",
		[WIRE_NOTICE_WARNING] = "5 minutes left for Mika",
		[WIRE_NOTICE_CLAIM] = "A new keyboard: press F1 on it to use it here",
	};

	for (unsigned i = 0; i < WIRE_NOTICES; i++) {
		scene->model.notices[i].on = true;
		strcpy(scene->model.notices[i].text, texts[i]);
	}
}

static void scene_crashed(struct scene *scene)
{
	scene->facts.guests[0].state = WIRE_GUEST_CRASHED;
	menu_news(&scene->menu, &scene->facts);
}

static void scene_starting(struct scene *scene)
{
	scene->facts.guests[0].state = WIRE_GUEST_STARTING;
	scene->facts.attached = false;
}

static void scene_restarting(struct scene *scene)
{
	scene->facts.guests[0].state = WIRE_GUEST_RESETTING;
}

static const struct {
	const char *name;
	void (*make)(struct scene *scene);
} scenes[] = {
	{ "hint", scene_guest },
	{ "volume", scene_volume },
	{ "microphone", scene_microphone },
	{ "menu", scene_menu },
	{ "confirm", scene_confirm },
	{ "list", scene_list },
	{ "many", scene_many },
	{ "lock", scene_lock },
	{ "wrong-pin", scene_wrong },
	{ "frozen", scene_frozen },
	{ "time", scene_time },
	{ "pin", scene_pin },
	{ "identify", scene_identify },
	{ "notices", scene_notices },
	{ "crashed", scene_crashed },
	{ "starting", scene_starting },
	{ "restarting", scene_restarting },
};

unsigned scene_count(void)
{
	return sizeof(scenes) / sizeof(scenes[0]);
}

void scene_make(unsigned i, uint32_t width, uint32_t height, struct scene *scene)
{
	memset(scene, 0, sizeof(*scene));
	scene->name = scenes[i].name;
	scene_facts(&scene->facts);
	menu_init(&scene->menu);
	menu_news(&scene->menu, &scene->facts);
	scene->model = (struct overlay_model){ .width = width, .height = height,
		.facts = &scene->facts, .menu = &scene->menu, .clock = "19:04" };
	if (width == 1920) {
		scene->model.width_mm = 531;
		scene->model.height_mm = 299;
	}
	scenes[i].make(scene);
}
