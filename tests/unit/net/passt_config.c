/* What of [Net] becomes of passt's command line, and what is refused. */
#include "vmm/net_passt.c"

#include "tests/unit/test.h"

static char *line_of(const struct net_config *config, GError **error)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);

	return passt_arguments(argv, config, error) ? g_strjoinv(" ", (char **)argv->pdata) : NULL;
}

static void expect(const struct net_config *config, const char *expected)
{
	g_autofree char *line = line_of(config, NULL);
	const char *always = "passt --foreground --quiet --stderr --fd 3";

	test_assert(line && g_str_has_prefix(line, always));
	if (strcmp(line + strlen(always), expected))
		fprintf(stderr, "'%s' is not '%s'\n", line + strlen(always), expected);
	test_assert(!strcmp(line + strlen(always), expected));
}

static void good(void)
{
	expect(&(struct net_config){0}, " --no-map-gw");
	expect(&(struct net_config){.host_loopback = true, .mtu = 1500}, " -m 1500");
	expect(&(struct net_config){.forward = (char *)"tcp:2222:22 udp:127.0.0.1/53:5353, tcp:1:65535"},
		" --no-map-gw -t 2222:22 -u 127.0.0.1/53:5353 -t 1:65535");
	expect(&(struct net_config){.address = (char *)"10.0.0.2/24", .gateway = (char *)"10.0.0.1",
		.dns = (char *)"1.1.1.1 ::1", .interface = (char *)"eth0"},
		" --no-map-gw -a 10.0.0.2 -n 24 -g 10.0.0.1 -D 1.1.1.1 -D ::1 -i eth0");
	expect(&(struct net_config){.address = (char *)"10.0.0.2 fd00::2"},
		" --no-map-gw -a 10.0.0.2 -a fd00::2");
}

static void bad(void)
{
	static const char *const forwards[] = {"tcp", "tcp:", "tcp:22", "tcp:22:", "tcp::22", "icmp:1:2",
		"tcp:0:22", "tcp:22:65536", "tcp:-1:22", "tcp:all:22", "tcp:host/22:22", "tcp:/22:22",
		"tcp:1.2.3.4/:22", "tcp:22:22/1.2.3.4", "tcp:22,23:22", "--fd", "tcp:1.2.3.4:22:22",
		"2222:22", "tcp:22:22:", "tcp:1/2", "/:"};
	static const char *const addresses[] = {"host", "10.0.0.2/", "10.0.0.2/33", "10.0.0.2/0",
		"10.0.0.2/24/1", "fd00::2/64", "-a", "1.2.3"};
	static const char *const interfaces[] = {"-i", "a b/c", "eth0;x", "averyveryverylongname"};

	for (unsigned i = 0; i < G_N_ELEMENTS(forwards); i++) {
		g_autoptr(GError) error = NULL;
		struct net_config config = {.forward = (char *)forwards[i]};
		g_autofree char *line = line_of(&config, &error);

		if (line)
			fprintf(stderr, "Forward=%s gave %s\n", forwards[i], line);
		test_assert(!line && strstr(error->message, "Forward="));
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(addresses); i++)
		test_assert(!line_of(&(struct net_config){.address = (char *)addresses[i]}, NULL));
	for (unsigned i = 0; i < G_N_ELEMENTS(interfaces); i++)
		test_assert(!line_of(&(struct net_config){.interface = (char *)interfaces[i]}, NULL));
	test_assert(!line_of(&(struct net_config){.dns = (char *)"-x"}, NULL));
	test_assert(!line_of(&(struct net_config){.gateway = (char *)"router"}, NULL));
}

static void too_many(void)
{
	GString *many = g_string_new(NULL);

	for (unsigned i = 0; i < 1000; i++)
		g_string_append(many, "tcp:22:22 ");
	test_assert(!line_of(&(struct net_config){.forward = many->str}, NULL));
	g_string_free(many, TRUE);
}

int main(void)
{
	test_run(good);
	test_run(bad);
	test_run(too_many);
	return 0;
}
