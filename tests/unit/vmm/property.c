/*
 * Configuration files and property tables: what is taken, what is refused, and with which line.
 */
#include "vmm/property.h"

#include <glib/gstdio.h>
#include <string.h>

#include "tests/unit/test.h"

struct sample {
	char *text, *path, *must;
	uint32_t number;
	uint64_t size;
	bool flag;
	unsigned choice;
};

static const char *const choices[] = { "red", "green", NULL };

static const struct property table[] = {
	{ "Text", PROPERTY_STRING, offsetof(struct sample, text), "none", "a text", .min = 0 },
	{ "Path", PROPERTY_PATH, offsetof(struct sample, path), NULL, "a path", .exists = true },
	{ "Must", PROPERTY_STRING, offsetof(struct sample, must), NULL, "needed", .required = true },
	{ "Number", PROPERTY_UINT, offsetof(struct sample, number), "7", "a number", .min = 1,
		.max = 10 },
	{ "Size", PROPERTY_SIZE, offsetof(struct sample, size), "1M", "a size", .min = 512,
		.max = 1ull << 40 },
	{ "Flag", PROPERTY_BOOL, offsetof(struct sample, flag), "no", "a flag", .min = 0 },
	{ "Choice", PROPERTY_ENUM, offsetof(struct sample, choice), "green", "a colour",
		.values = choices },
	{ 0 }
};

/* The message that [S] of this text is refused with, or NULL; *sample is filled if it is not. */
static char *refusal(const char *text, struct sample *sample)
{
	g_autoptr(GError) error = NULL;
	struct config_file *file = config_file_parse(text, strlen(text), "/etc/x.conf", &error);
	bool good;

	memset(sample, 0, sizeof(*sample));
	if (!file)
		return g_strdup(error->message);
	good = property_parse(table, file, "S", sample, &error);
	config_file_free(file);
	test_assert(good == !error);
	return good ? NULL : g_strdup(error->message);
}

static void values_are_taken(void)
{
	struct sample sample;

	test_assert(!refusal("# c\n[S]\nMust=a b\nText = t \nPath=../k\nNumber=10\nSize=2G\n"
			     "Flag=Yes\nChoice=RED\n", &sample));
	test_assert(!strcmp(sample.must, "a b"));
	test_assert(!strcmp(sample.text, "t"));
	test_assert(!strcmp(sample.path, "/k"));
	test_equal(sample.number, 10);
	test_equal(sample.size, 2ll << 30);
	test_assert(sample.flag);
	test_equal(sample.choice, 0);
	property_clear(table, &sample);
	test_assert(!sample.text && !sample.path && !sample.must);
}

static void defaults_are_filled(void)
{
	struct sample sample;

	test_assert(!refusal("[S]\nMust=x\n", &sample));
	test_assert(!strcmp(sample.text, "none"));
	test_assert(!sample.path);
	test_equal(sample.number, 7);
	test_equal(sample.size, 1 << 20);
	test_assert(!sample.flag);
	test_equal(sample.choice, 1);
	property_clear(table, &sample);
}

static void bad_values_are_refused(void)
{
	static const struct {
		const char *text, *expected;
	} bad[] = {
		{ "[S]\n", "lacks Must=" },
		{ "[S]\nMust=\n", "Must=" },
		{ "[T]\nMust=x\n", "lacks Must=" },
		{ "[S]\nMust=x\nNumber=0\n", "/etc/x.conf:3: Number=0: expected a number from 1 to 10" },
		{ "[S]\nMust=x\n\n\nNumber=11\n", ":5:" },
		{ "[S]\nMust=x\nNumber=-1\n", "expected" },
		{ "[S]\nMust=x\nNumber=1K\n", "expected" },
		{ "[S]\nMust=x\nNumber=99999999999999999999\n", "expected" },
		{ "[S]\nMust=x\nSize=1X\n", "expected bytes" },
		{ "[S]\nMust=x\nSize=1KK\n", "expected bytes" },
		{ "[S]\nMust=x\nSize=16777216T\n", "expected bytes" },
		{ "[S]\nMust=x\nSize=18446744073709551615T\n", "expected bytes" },
		{ "[S]\nMust=x\nFlag=maybe\n", "yes or no" },
		{ "[S]\nMust=x\nChoice=blue\n", "one of red, green" },
		{ "Must=x\n", "/etc/x.conf" },
		{ "[S\nMust=x\n", "/etc/x.conf:1:" },
		{ "[S]\nMust=x\n\nwhat\n", "/etc/x.conf:4:" },
		{ "[S]\nMust=x\nMusty=x\n", "/etc/x.conf:3: there is no Musty= in [S]" },
		{ "[S]\nMust=x\nMust=y\n", "/etc/x.conf:3: Must= of [S] is in line 2" },
		{ "[S]\nMust=x\n[S]\nText=y\n", "/etc/x.conf:3: [S] is in line 1" },
		{ "[S]\nMust=x\nText=C:\\disk\n", "/etc/x.conf:3: Text=" },
		{ "[S]\nMust=\xff\n", "UTF-8" },
	};
	struct sample sample;

	for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *message = refusal(bad[i].text, &sample);

		test_assert(message);
		test_assert(strstr(message, bad[i].expected));
		test_assert(!sample.text && !sample.path && !sample.must);
	}
}

static void odd_files(void)
{
	g_autoptr(GError) error = NULL;
	struct config_file *file = config_file_parse("", 0, "empty", &error);

	test_assert(file && !config_file_sections(file)[0]);
	config_file_free(file);
	test_assert(!config_file_parse("[S]\na\0b=1\n", 11, "zero", &error));
	test_assert(strstr(error->message, "zero"));
}

static void sections_keep_their_order(void)
{
	static const char text[] = "[Guest]\nName=x\n[Disk b]\nPath=1\n[Disk a]\nPath=2\n";
	struct config_file *file = config_file_parse(text, strlen(text), "f", NULL);
	const char *const *sections = config_file_sections(file);

	test_assert(!strcmp(sections[0], "Guest"));
	test_assert(!strcmp(sections[1], "Disk b"));
	test_assert(!strcmp(sections[2], "Disk a"));
	test_assert(!sections[3]);
	test_equal(config_file_line(file, "Disk a", "Path"), 6);
	test_equal(config_file_line(file, "Disk a", "None"), 0);
	config_file_free(file);
}

static void help_and_json(void)
{
	g_autofree char *help = property_help(table), *json = NULL;
	struct sample sample = { .text = (char *)"a\"b\n", .number = 3, .choice = 1 };

	test_assert(strstr(help, "Number=NUMBER"));
	test_assert(strstr(help, "(default 7)"));
	test_assert(strstr(help, "(required)"));
	test_assert(strstr(help, "Choice=red|green"));
	json = property_json(table, &sample);
	test_assert(!strcmp(json, "{\"Text\":\"a\\\"b\\u000a\",\"Path\":null,\"Must\":null,"
				  "\"Number\":3,\"Size\":0,\"Flag\":false,\"Choice\":\"green\"}"));
}

/* Paths of another system are below its root; what has to be there is looked for there, but for devices. */
static void files_of_another_system(void)
{
	static const struct {
		const char *text, *path, *wrong;
		bool elsewhere;
	} cases[] = {
		{ "Path=/k", "/k", NULL, false },
		{ "Path=/../k", "/k", NULL, false },
		{ "Path=/none", "/none", "/etc/x.conf:3: Path=", false },
		{ "Path=/dev/sda", "/dev/sda", NULL, true },
		{ "Path=x.conf", "/etc/x.conf", NULL, false },
	};
	g_autofree char *root = g_dir_make_tmp("irori-XXXXXX", NULL);
	g_autofree char *etc = g_build_filename(root, "etc", NULL);
	g_autofree char *name = g_build_filename(etc, "x.conf", NULL);
	g_autofree char *k = g_build_filename(root, "k", NULL);

	test_assert(!g_mkdir(etc, 0755) && g_file_set_contents(k, "", 0, NULL) &&
		g_file_set_contents(name, "", 0, NULL));
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = g_strdup_printf("[S]\nMust=x\n%s\n", cases[i].text);
		struct config_file *file = config_file_parse(text, strlen(text), name, NULL);
		struct sample sample = { 0 };
		g_autoptr(GError) error = NULL;
		bool elsewhere;

		config_file_root(file, root);
		test_assert(property_parse(table, file, "S", &sample, NULL));
		test_assert(g_str_has_prefix(sample.path, root));
		test_assert(!strcmp(sample.path + strlen(root), cases[i].path));
		test_assert(property_exists(table, file, "S", &sample, &elsewhere, &error) ==
			!cases[i].wrong);
		test_assert(!error || strstr(error->message, cases[i].wrong));
		test_assert(elsewhere == cases[i].elsewhere);
		property_clear(table, &sample);
		config_file_free(file);
	}
	test_assert(!g_unlink(name) && !g_unlink(k) && !g_rmdir(etc) && !g_rmdir(root));
}

int main(void)
{
	test_run(values_are_taken);
	test_run(defaults_are_filled);
	test_run(bad_values_are_refused);
	test_run(odd_files);
	test_run(sections_keep_their_order);
	test_run(help_and_json);
	test_run(files_of_another_system);
	return 0;
}
