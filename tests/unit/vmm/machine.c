/*
 * The beginning of a machine: what may be a kernel's file. Its end: what threads still look at goes
 * after the threads.
 */
#include <errno.h>

#include "vmm/machine.c"

#include "tests/unit/test.h"
#include "vmm/vcpu.h"

static GMainContext *seat, *io;
static unsigned freed;

/* In the place of vcpu.c. The seat thread reads the processors' counters for whoever asks, and
 * stops them when a seat wants a reset. */
void vcpus_free(struct vcpus *vcpus)
{
	test_assert(g_main_context_acquire(seat));
	g_main_context_release(seat);
	test_assert(g_main_context_acquire(io));
	g_main_context_release(io);
	freed++;
}

struct vcpus *vcpus_new(struct machine *machine, unsigned n, unsigned max, GError **error)
{
	return NULL;
}

unsigned vcpus_max(const struct vcpus *vcpus)
{
	return 1;
}

bool vcpus_present(const struct vcpus *vcpus, unsigned index)
{
	return index == 0;
}

int vcpus_plug(struct vcpus *vcpus, unsigned index)
{
	return -ERANGE;
}

void vcpus_unplug(struct vcpus *vcpus, unsigned index)
{
}

unsigned vcpus_count(const struct vcpus *vcpus)
{
	return 0;
}

struct vcpu *vcpus_get(struct vcpus *vcpus, unsigned index)
{
	return NULL;
}

void vcpus_stop(struct vcpus *vcpus)
{
}

void vcpus_wait(struct vcpus *vcpus)
{
}

void vcpus_go(struct vcpus *vcpus)
{
}

void vcpus_state(struct vcpus *vcpus, struct state *state, int64_t slept_ns)
{
}

int vcpus_reset(struct vcpus *vcpus, const struct boot_entry *entry)
{
	return 0;
}

const char *vcpu_counter_name(unsigned counter)
{
	return NULL;
}

static gboolean started(gpointer data)
{
	g_atomic_int_inc((int *)data);
	return G_SOURCE_REMOVE;
}

static void start(struct worker *worker)
{
	GSource *source = g_idle_source_new();
	int n = 0;

	worker_start(worker);
	g_source_set_callback(source, started, &n, NULL);
	g_source_attach(source, worker_context(worker));
	g_source_unref(source);
	while (!g_atomic_int_get(&n))
		g_usleep(1000);
}

static void threads_end_before_what_they_use(void)
{
	struct machine_parts *parts = g_new0(struct machine_parts, 1);
	struct machine *machine = &parts->machine;

	parts->files.kernel.fd = parts->files.initrd.fd = -1;
	parts->devices = g_ptr_array_new();
	parts->configs = g_ptr_array_new();
	machine->main_context = g_main_context_new();
	machine->stats = stats_new(0);
	parts->seat = worker_new("seat", LINK_THREAD_SEAT, NULL);
	parts->io = worker_new("io", LINK_THREAD_IO, NULL);
	machine->seat_context = seat = worker_context(parts->seat);
	machine->io_context = io = worker_context(parts->io);
	machine->vcpus = (struct vcpus *)&freed; /* nobody looks into it */
	start(parts->seat);
	start(parts->io);
	machine_free(machine);
	test_equal(freed, 1);
}

/* A message, and no waiting for somebody who writes. */
static void only_files_are_kernels(void)
{
	g_autofree char *folder = g_dir_make_tmp("irori-test-machine-XXXXXX", NULL);
	g_autofree char *fifo = g_build_filename(folder, "fifo", NULL);
	const char *const wrong[] = { folder, fifo, "/dev/null", "/nonexistent" };

	test_equal(mkfifo(fifo, 0600), 0);
	alarm(5);
	for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
		struct boot_source source = { .fd = -1 };
		g_autoptr(GError) error = NULL;

		test_assert(!machine_source_open(&source, wrong[i], &error));
		test_assert(strstr(error->message, wrong[i]));
		if (source.fd >= 0)
			close(source.fd);
	}
	alarm(0);
	unlink(fifo);
	rmdir(folder);
}

static unsigned made;

static struct device *toy_create(struct machine *machine, const char *instance, const void *config,
	GError **error)
{
	made++;
	return g_new0(struct device, 1);
}

static bool make_toys(const struct device_type *type, const char *text, GError **error)
{
	struct config_file *file = config_file_parse(text, strlen(text), "test", NULL);
	struct machine_parts parts = {
		.file = file,
		.devices = g_ptr_array_new_with_free_func(g_free),
		.configs = g_ptr_array_new(),
	};
	bool good;

	made = 0;
	good = make_sections(&parts, type, error);
	for (unsigned i = 0; i < parts.configs->len; i++) {
		struct device_config *config = parts.configs->pdata[i];

		g_free(config->values);
		g_free(config);
	}
	g_ptr_array_unref(parts.devices);
	g_ptr_array_unref(parts.configs);
	config_file_free(file);
	return good;
}

static void sections_make_devices(void)
{
	struct device_type toy = { .section = "Toy", .create = toy_create };
	g_autoptr(GError) error = NULL;

	test_assert(make_toys(&toy, "[Toys]\n", NULL));
	test_equal(made, 0);
	test_assert(make_toys(&toy, "[Toy]\n[Toy two]\n", NULL));
	test_equal(made, 2);
	toy.always = toy.single = true;
	test_assert(make_toys(&toy, "", NULL));
	test_equal(made, 1);
	test_assert(make_toys(&toy, "[Toy two]\n", NULL));
	test_equal(made, 1);
	test_assert(!make_toys(&toy, "[Toy]\n[Toy two]\n", &error));
	test_assert(strstr(error->message, "[Toy two]"));
}

int main(void)
{
	test_run(sections_make_devices);
	test_run(only_files_are_kernels);
	test_run(threads_end_before_what_they_use);
	return 0;
}
