/*
 * What is configured: values, defaults, drop-ins, and for each thing that may be wrong the line that says so.
 */
#include "seats/household.h"

#include <ftw.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/test.h"

static char *folder;

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	return remove(path);
}

static void folder_begin(void)
{
	folder = g_dir_make_tmp("irori-household-XXXXXX", NULL);
}

static void folder_end(void)
{
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	g_clear_pointer(&folder, g_free);
}

static void put(const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_autofree char *parent = g_path_get_dirname(path);

	g_mkdir_with_parents(parent, 0755);
	test_assert(g_file_set_contents(path, text, -1, NULL));
}

static bool complains(const struct household *household, const char *part)
{
	for (guint i = 0; i < household->complaints->len; i++)
		if (strstr(g_ptr_array_index(household->complaints, i), part))
			return true;
	for (guint i = 0; i < household->complaints->len; i++)
		printf("complaint: %s\n", (char *)g_ptr_array_index(household->complaints, i));
	return false;
}

static void an_empty_folder_is_a_household(void)
{
	struct household *household = household_load("/does/not/exist");

	test_equal(household->seats->len + household->guests->len + household->people->len, 0);
	test_equal(household->complaints->len, 0);
	test_equal(household->irori.backoff_min_ms, 200);
	test_equal(household->irori.backoff_max_ms, 30000);
	test_equal(household->irori.shutdown_seconds, 60);
	test_assert(!household->irori.sound_server);
	household_free(household);
}

static void all_is_read(void)
{
	const struct seat_config *seat;
	const struct guest_entry *guest;
	const struct person *person;
	struct household *household;

	folder_begin();
	put("irori.conf", "[Irori]\nSoundServer=unix:/run/pulse\nBackoffMinMs=5\nShutdownSeconds=3\n");
	put("seats.d/seat10.conf", "[Seat]\nOutputs=\n");
	put("seats.d/seat2.conf", "[Seat]\n"
		"Outputs = pci-0000:00:02.0:HDMI-A-1\tmonitor:DEL-U2720Q-1  \n"
		"Inputs=pci-0000:00:14.0-usb-0:1 platform-i8042\nSound=pci-0000:00:1f.3\n"
		"Guests=mika games\nMode=1920x1080\nChord=shift+shift_r\nVolume=35\n");
	put("guests.d/mika.conf", "[Guest]\nName=mika\nMemory=1G\nSocket=/run/x.sock\n[Disk a]\nPath=x\n"
		"[Household]\nTitle=Mika's Debian\nPerson=mika\nAutostart=yes\nKiosk=on\nRestart=no\n"
		"Seats=seat2\nCpuWeight=7\nCpuQuota=150\nMemoryMax=2G\n");
	put("guests.d/games.conf", "[Guest]\nName=games\n");
	put("people.d/mika.conf", "[Person]\nTitle=Mika\nPin=$y$j9T$abc$def\nParent=yes\n"
		"Hours=Mon-Fri 15-19, Sat 20-1\nBudget=90\nWarnings=10 2\n");
	put("people.d/.hidden.conf", "nonsense");
	put("people.d/README", "nonsense");
	household = household_load(folder);
	test_assert(household->complaints->len == 0 || complains(household, "none of these"));
	test_assert(!strcmp(household->irori.sound_server, "unix:/run/pulse"));
	test_equal(household->irori.backoff_min_ms, 5);

	seat = household_seat(household, "seat2");
	test_equal(seat->number, 1);
	test_equal(household_seat(household, "seat10")->number, 2);
	test_equal(g_strv_length(seat->outputs), 2);
	test_assert(!strcmp(seat->outputs[1], "monitor:DEL-U2720Q-1"));
	test_equal(g_strv_length(seat->inputs), 2);
	test_assert(!strcmp(seat->sound, "pci-0000:00:1f.3"));
	test_assert(!strcmp(seat->guests[1], "games") && !seat->guests[2]);
	test_assert(!strcmp(seat->mode, "1920x1080") && !strcmp(seat->chord, "shift+shift_r"));
	test_equal(seat->volume, 35);
	seat = household_seat(household, "seat10");
	test_assert(!seat->outputs[0] && !seat->inputs[0] && !seat->guests[0] && !seat->sound);
	test_assert(!seat->mode && !seat->chord);
	test_equal(seat->volume, 70);

	guest = household_guest(household, "mika");
	test_assert(!strcmp(guest->title, "Mika's Debian") && !strcmp(guest->person, "mika"));
	test_assert(guest->autostart && guest->kiosk && !guest->restart);
	test_assert(!strcmp(guest->socket, "/run/x.sock") && g_str_has_suffix(guest->path, "mika.conf"));
	test_equal(guest->cpu_weight, 7);
	test_equal(guest->cpu_quota, 150);
	test_equal(guest->memory_max, 2ll << 30);
	test_assert(!strcmp(guest->seats[0], "seat2"));
	guest = household_guest(household, "games");
	test_assert(!strcmp(guest->title, "games") && !guest->person && !guest->socket);
	test_assert(!guest->autostart && !guest->kiosk && guest->restart && !guest->seats[0]);

	person = household_person(household, "mika");
	test_assert(person->parent && !strcmp(person->pin, "$y$j9T$abc$def"));
	test_equal(person->hours->len, 3);
	test_equal(person->budget, 90);
	test_equal(person->warnings->len, 2);
	test_equal(g_array_index(person->warnings, uint32_t, 1), 2);
	test_assert(!household_person(household, "hidden"));
	household_free(household);
	folder_end();
}

static void drop_ins_are_laid_over(void)
{
	struct household *household;
	const struct seat_config *seat;

	folder_begin();
	put("irori.conf.d/a.conf", "[Irori]\nShutdownSeconds=9\n");
	put("seats.d/a.conf", "[Seat]\nVolume=10\nMode=800x600\nInputs=x\n");
	put("seats.d/a.conf.d/10.conf", "[Seat]\nVolume=20\nMode=\n");
	put("seats.d/a.conf.d/20.conf", "[Seat]\nVolume=30\nChord=bad\n"); /* wrong: none of it */
	put("seats.d/a.conf.d/30.conf", "[Seat]\nInputs=y z\nKeys=1\n[Other]\n");
	put("guests.d/g.conf", "[Guest]\nName=g\n");
	put("guests.d/g.conf.d/a.conf", "[Household]\nTitle=G\n[Guest]\nMemory=1G\n");
	household = household_load(folder);
	seat = household_seat(household, "a");
	test_equal(household->irori.shutdown_seconds, 9);
	test_equal(seat->volume, 20);
	test_assert(!seat->mode && !seat->chord);
	test_assert(!strcmp(seat->inputs[0], "y") && !strcmp(seat->inputs[1], "z"));
	test_assert(!strcmp(household_guest(household, "g")->title, "G"));
	test_assert(complains(household, "20.conf:3: Chord=bad: expected two keys"));
	test_assert(complains(household, "30.conf:3: there is no Keys= in [Seat]"));
	test_assert(complains(household, "30.conf:4: only [Seat] counts here; [Other]"));
	test_assert(complains(household, "a.conf:3: only [Household] counts here; [Guest]"));
	test_equal(household->complaints->len, 4);
	household_free(household);
	folder_end();
}

/* What each wrong value is told with; nothing of the file counts then. */
static void wrong_values_are_told_with_their_line(void)
{
	static const struct {
		enum household_kind kind;
		const char *text, *complaint;
	} table[] = {
		{ HOUSEHOLD_IRORI, "[Irori]\nBackoffMinMs=0\n", "f.conf:2: BackoffMinMs=0: expected a number" },
		{ HOUSEHOLD_SEAT, "[Seat]\nVolume=101\n", "f.conf:2: Volume=101: expected a number from 0" },
		{ HOUSEHOLD_SEAT, "[Seat]\nMode=1920\n", "f.conf:2: Mode=1920: expected WIDTHxHEIGHT" },
		{ HOUSEHOLD_SEAT, "[Seat]\nMode=19200x1080x\n", "expected WIDTHxHEIGHT" },
		{ HOUSEHOLD_SEAT, "[Seat]\nMode=99999999999999999999x1080\n", "expected WIDTHxHEIGHT" },
		{ HOUSEHOLD_SEAT, "[Seat]\nChord=ctrl\n", "f.conf:2: Chord=ctrl: expected two keys" },
		{ HOUSEHOLD_SEAT, "[Seat]\nChord=ctrl+ctrl\n", "expected two keys" },
		{ HOUSEHOLD_SEAT, "[Seat]\nChord=ctrl+alt+del\n", "expected two keys" },
		{ HOUSEHOLD_SEAT, "[Seat]\n\nGuests=a ../b\n", "f.conf:3: Guests=a ../b: expected at most" },
		{ HOUSEHOLD_SEAT, "[Seat]\nSound=a b\n", "f.conf:2: Sound=a b: expected a place" },
		{ HOUSEHOLD_SEAT, "[Seat]\nOutputs=1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7\n", "expected at most 16" },
		{ HOUSEHOLD_SEAT, "[Seat]\nVolume=1\nVolume=2\n", "f.conf:3: Volume= of [Seat] is in line 2" },
		{ HOUSEHOLD_SEAT, "Volume=1\n", "f.conf:1: expected [SECTION]" },
		{ HOUSEHOLD_GUEST, "[Guest]\nName=g\n", "f.conf:2: Name=g: expected what the file is called" },
		{ HOUSEHOLD_GUEST, "[Guest]\nName=f\n[Household]\nPerson=a/b\n", "f.conf:4: Person=a/b: expected" },
		{ HOUSEHOLD_GUEST, "[Guest]\nName=f\n[Household]\nAutostart=maybe\n", "expected yes or no" },
		{ HOUSEHOLD_GUEST, "[Guest]\nName=f\n[Household]\nCpuWeight=0\n", "expected a number" },
		{ HOUSEHOLD_PERSON, "[Person]\nHours=Mon\n", "f.conf:2: Hours=: 'Mon': expected days and a time" },
		{ HOUSEHOLD_PERSON, "[Person]\nBudget=1441\n", "f.conf:2: Budget=1441: expected" },
		{ HOUSEHOLD_PERSON, "[Person]\nWarnings=5 15\n", "f.conf:2: Warnings=5 15: expected" },
		{ HOUSEHOLD_PERSON, "[Person]\nWarnings=0\n", "expected at most 8 numbers" },
		{ HOUSEHOLD_PERSON, "[Person]\nWarnings=9 8 7 6 5 4 3 2 1\n", "expected at most 8 numbers" },
		{ HOUSEHOLD_PERSON, "[Person]\nPin=1234\n", "f.conf:2: Pin=: expected a hash by crypt(5)" },
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(table); i++) {
		struct household *household = household_new();

		household_parse(household, table[i].kind, "f", "f.conf", table[i].text,
			strlen(table[i].text));
		test_assert(complains(household, table[i].complaint));
		test_equal(household->complaints->len, 1);
		test_equal(household->seats->len + household->guests->len + household->people->len, 0);
		test_equal(household->irori.backoff_min_ms, 200);
		household_free(household);
	}
}

static void the_others_count(void)
{
	struct household *household;

	folder_begin();
	put("seats.d/bad.conf", "[Seat]\nVolume=x\n");
	put("seats.d/good.conf", "[Seat]\nGuests=nobody\nVolumes=1\n[Sear]\n");
	put("seats.d/no good.conf", "[Seat]\n");
	put("seats.d/\xff.conf", "[Seat]\n");
	put("guests.d/g.conf", "[Guest]\nName=g\n[Household]\nPerson=nobody\nSeats=nowhere\n");
	put("irori.conf", "[Irori]\nShutdownSeconds=forever\n");
	household = household_load(folder);
	test_equal(household->seats->len, 1);
	test_equal(household_seat(household, "good")->number, 1);
	test_equal(household->irori.shutdown_seconds, 60);
	test_assert(complains(household, "good.conf:3: there is no Volumes= in [Seat]; it is ignored"));
	test_assert(complains(household, "good.conf:4: only [Seat] counts here"));
	test_assert(complains(household, "no good.conf: expected a name"));
	test_assert(complains(household, "seat good: there is no guest nobody"));
	test_assert(complains(household, "guest g: there is no person nobody"));
	test_assert(complains(household, "guest g: there is no seat nowhere"));
	test_assert(complains(household, "ShutdownSeconds=forever: expected"));
	household_free(household);
	folder_end();
}

static void too_many_files_are_not_read(void)
{
	struct household *household;

	folder_begin();
	for (unsigned i = 0; i < HOUSEHOLD_MAX + 5; i++) {
		g_autofree char *name = g_strdup_printf("seats.d/s%u.conf", i);

		put(name, "[Seat]\n");
	}
	household = household_load(folder);
	test_equal(household->seats->len, HOUSEHOLD_MAX);
	test_assert(complains(household, "more than 64 files"));
	household_free(household);
	folder_end();
}

static void a_seat_that_is_written_is_read(void)
{
	static char *const outputs[] = { "pci-0000:00:02.0:DP-1", "monitor:X-Y-Z", NULL };
	static char *const inputs[] = { "pci-0000:00:14.0-usb-0:1.2", NULL };
	struct seat_config *seat = seat_config_new("seat1"), *copy;
	const struct seat_config *back;
	struct household *household;
	GError *error = NULL;

	folder_begin();
	g_strfreev(seat->outputs);
	seat->outputs = g_strdupv((char **)outputs);
	g_strfreev(seat->inputs);
	seat->inputs = g_strdupv((char **)inputs);
	seat->sound = g_strdup("pci-0000:00:1f.3");
	copy = seat_config_copy(seat);
	seat_config_free(seat);
	test_assert(household_write_seat(folder, copy, false, NULL));
	copy->volume = 5;
	test_assert(!household_write_seat(folder, copy, false, &error));
	test_assert(strstr(error->message, "seat1.conf"));
	g_clear_error(&error);
	household = household_load(folder);
	back = household_seat(household, "seat1");
	test_equal(household->complaints->len, 0);
	test_equal(back->volume, 70);
	test_assert(g_strv_equal((const char *const *)back->outputs, (const char *const *)copy->outputs));
	test_assert(g_strv_equal((const char *const *)back->inputs, (const char *const *)copy->inputs));
	test_assert(!strcmp(back->sound, copy->sound) && !back->guests[0] && !back->mode);
	household_free(household);
	test_assert(household_write_seat(folder, copy, true, NULL));
	household = household_load(folder);
	test_equal(household_seat(household, "seat1")->volume, 5);
	test_equal(household->seats->len, 1);
	household_free(household);
	g_free(copy->name);
	copy->name = g_strdup("../seat1");
	test_assert(!household_write_seat(folder, copy, true, NULL));
	seat_config_free(copy);
	folder_end();
}

static void names_are_names(void)
{
	g_autofree char *longest = g_strnfill(63, 'a'), *longer = g_strnfill(64, 'a');

	test_assert(household_name_valid("Mika_2.old-x") && household_name_valid(longest));
	test_assert(!household_name_valid("") && !household_name_valid(".") && !household_name_valid(".."));
	test_assert(!household_name_valid("--version")); /* it is an argument of irori-seat */
	test_assert(!household_name_valid("a/b") && !household_name_valid("a b") &&
		!household_name_valid("\xc3\xa4") && !household_name_valid(longer));
}

int main(void)
{
	test_run(an_empty_folder_is_a_household);
	test_run(all_is_read);
	test_run(drop_ins_are_laid_over);
	test_run(wrong_values_are_told_with_their_line);
	test_run(the_others_count);
	test_run(too_many_files_are_not_read);
	test_run(a_seat_that_is_written_is_read);
	test_run(names_are_names);
	return 0;
}
