/*
 * Hearth, the demonstration's kernel: the order in which it starts.
 */
#include "demo/kernel/boot_info.h"
#include "demo/kernel/kernel.h"
#include "demo/kernel/pci.h"

const char *command_line = "";
static char command_line_copy[1024];

void kernel_main(uint32_t start_info);

extern char boot_stack_top[];

int option(const char *name, const char **value)
{
	size_t n = strlen(name);

	for (const char *at = command_line; *at; ) {
		const char *end = at;

		while (*end && *end != ' ')
			end++;
		if ((size_t)(end - at) > n && at[n] == '=' && !memcmp(at, name, n)) {
			*value = at + n + 1;
			return (int)(end - *value);
		}
		if ((size_t)(end - at) == n && !memcmp(at, name, n)) {
			*value = end;
			return 0;
		}
		at = *end ? end + 1 : end;
	}
	return -1;
}

bool option_is(const char *name, const char *wanted)
{
	const char *value;
	int n = option(name, &value);

	return n == (int)strlen(wanted) && !memcmp(value, wanted, (size_t)n);
}

uint64_t option_number(const char *name, uint64_t otherwise)
{
	const char *value;
	int n = option(name, &value);
	uint64_t number = 0;

	if (n <= 0)
		return otherwise;
	for (int i = 0; i < n && value[i] >= '0' && value[i] <= '9'; i++)
		number = number * 10 + (uint64_t)(value[i] - '0');
	return number;
}

static void command_line_keep(uint64_t at)
{
	const char *from = direct(at);
	size_t n = at ? strlen(from) : 0;

	if (n >= sizeof(command_line_copy))
		n = sizeof(command_line_copy) - 1;
	memcpy(command_line_copy, from, n);
	command_line = command_line_copy;
}

/* From here on in ring 3, where the processor is as fast as it can be on every host. */
static void kernel_go_on(uint64_t at)
{
	const struct start_info *info = direct(at);
	const char *value;

	command_line_keep(info->command_line);
	log_quiet = option("quiet", &value) >= 0;
	if (info->magic != START_INFO_MAGIC || memory_init(info)) {
		log_line("hearth: no memory to be found");
		machine_panic();
	}
	file_init();
	smp_init(info->rsdp);
	pci_init();
	console_init();
	random_init();
	display_init();
	input_init();
	disk_init();
	audio_init();
	program_run();
}

void kernel_main(uint32_t at)
{
	trap_init();
	clock_init();
	ring3_enter((uint64_t)kernel_go_on, (uint64_t)boot_stack_top - 8, at);
}
