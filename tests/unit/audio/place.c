/*
 * Sound devices by place: what covers what, as udev and as sysfs write it.
 */
#include "tests/unit/test.h"

#include <string.h>

#include "audio/place.h"

static const struct {
	const char *place, *bus_path, *sysfs_path;
	bool matches;
} cases[] = {
	{ "pci-0000:00:1b.0", "pci-0000:00:1b.0", NULL, true },
	{ "pci-0000:00:1b.0", "pci-0000:00:1b.1", NULL, false },
	{ "pci-0000:00:1b", "pci-0000:00:1b.0", NULL, true },
	{ "pci-0000:00:1", "pci-0000:00:1b.0", NULL, false },
	{ "pci-0000:00:14.0-usb-0:3:1.0", "pci-0000:00:14.0-usb-0:3:1.0", NULL, true },
	{ "pci-0000:00:14.0-usb-0:3", "pci-0000:00:14.0-usb-0:3:1.0", NULL, true },
	{ "pci-0000:00:14.0-usb-0:3", "pci-0000:00:14.0-usb-0:3.1:1.0", NULL, true },
	{ "pci-0000:00:14.0-usb-0:3", "pci-0000:00:14.0-usb-0:31:1.0", NULL, false },
	{ "pci-0000:00:14.0-usb-0:3:1.0", "pci-0000:00:14.0-usb-0:3:1.2", NULL, false },
	/* udev said nothing: the path in sysfs */
	{ "pci-0000:00:1b.0", NULL, "/devices/pci0000:00/0000:00:1b.0/sound/card0", true },
	{ "pci-0000:00:1b.0", "/devices/pci0000:00/0000:00:1b.0/sound/card0", NULL, true },
	{ "pci-0000:00:1b.0", NULL, "/devices/pci0000:00/0000:00:1b.1/sound/card0", false },
	{ "pci-0000:00:14.0-usb-0:3:1.0", NULL,
		"/devices/pci0000:00/0000:00:14.0/usb1/1-3/1-3:1.0/sound/card1", true },
	{ "pci-0000:00:14.0-usb-0:3", NULL,
		"/devices/pci0000:00/0000:00:14.0/usb1/1-3/1-3.1/1-3.1:1.0/sound/card1", true },
	{ "pci-0000:00:14.0-usb-0:3", NULL,
		"/devices/pci0000:00/0000:00:14.0/usb1/1-31/1-31:1.0/sound/card1", false },
	{ "pci-0000:00:14.0-usb-0:1", NULL,
		"/devices/pci0000:00/0000:00:14.0/usb1/1-3/1-3:1.0/sound/card1", false },
	{ "pci-0000:00:15.0-usb-0:3", NULL,
		"/devices/pci0000:00/0000:00:14.0/usb1/1-3/1-3:1.0/sound/card1", false },
	/* nobody's, and nonsense */
	{ "", "pci-0000:00:1b.0", NULL, false },
	{ NULL, "pci-0000:00:1b.0", NULL, false },
	{ "pci-", NULL, "/devices/", false },
	{ "pci-0000:00:14.0-usb-", NULL, "/devices/0000:00:14.0/-", false },
	{ "pci-0000:00:14.0-usb-0:", NULL, "/devices/0000:00:14.0/1-", false },
	{ "pci-0000:00:1b.0", NULL, NULL, false },
	{ "pci-0000:00:1b.0", NULL, "", false },
};

static void test_matches(void)
{
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool matches = place_matches(cases[i].place, cases[i].bus_path,
			cases[i].sysfs_path);

		if (matches != cases[i].matches)
			fprintf(stderr, "case %u\n", i);
		test_equal(matches, cases[i].matches);
	}
}

static void test_names(void)
{
	test_assert(!place_of(NULL));
	test_assert(!place_of("alsa_output.pci-0000_00_1b.0.analog-stereo"));
	test_assert(strcmp(place_of("path:pci-0000:00:1b.0"), "pci-0000:00:1b.0") == 0);
	test_assert(strcmp(place_of("path:"), "") == 0);
}

int main(void)
{
	test_run(test_matches);
	test_run(test_names);
	return 0;
}
