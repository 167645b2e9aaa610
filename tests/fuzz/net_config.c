/*
 * What a configuration says of a network card: texts that become passt's arguments, a hardware
 * address. No text becomes an option of passt's, or more than its kind.
 */
#include "vmm/net_passt.c"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The texts, with a zero behind each, are Forward=, Address=, Gateway=, Dns=, Interface=. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_malloc0(size + 1);
	g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) error = NULL;
	char *part[5] = { 0 }, *at = memcpy(text, data, size);
	struct net_config config = { .mtu = (uint32_t)size };
	unsigned first;

	for (unsigned i = 0; i < G_N_ELEMENTS(part) && at < text + size; i++) {
		part[i] = at;
		at += strlen(at) + 1;
	}
	config.forward = part[0];
	config.address = part[1];
	config.gateway = part[2];
	config.dns = part[3];
	config.interface = part[4];
	if (passt_arguments(argv, &config, &error) == !!error)
		abort();
	if (error)
		return 0;
	if (argv->pdata[argv->len - 1] || argv->len > 2 * PASST_ARGUMENTS + 32)
		abort();
	first = 6 + (config.mtu ? 2 : 0);
	if (strcmp(argv->pdata[first++], "--no-map-gw"))
		abort();
	for (unsigned i = first; i + 1 < argv->len; i += 2) {
		const char *option = argv->pdata[i], *value = argv->pdata[i + 1];

		if (option[0] != '-' || strlen(option) != 2 || !strchr("tuangDi", option[1]) ||
			value[0] == '-' || strpbrk(value, " ,\t"))
			abort();
	}
	return 0;
}
