/* The NBD client against a server that means well, and one that does not. */
#include "tests/unit/disk/host.h"
#include "tests/unit/disk/nbd_server.h"

static struct server server;
static struct disk_guard guard;
static struct disk *disk;

static bool plug(enum server_fault fault, GError **error)
{
	struct nbd_opener opener = {.open = server_open, .data = &server};

	memset(&server, 0, sizeof(server));
	memset(&guard, 0, sizeof(guard));
	server.fault = fault;
	opener.export = g_strdup("disk");
	disk = disk_nbd_new(&host, &opener, "test", false, error);
	if (!disk) {
		g_free(opener.export);
		g_thread_join(server.thread[0]);
		return false;
	}
	guard = (struct disk_guard){.machine = &host, .name = g_strdup("disk test")};
	disk->guard = &guard;
	disk_watch(disk, g_main_context_default(), host_ready, disk);
	host_pauses = host_resumes = 0;
	return true;
}

static void unplug(void)
{
	disk->ops->close(disk);
	g_thread_join(server.thread[server.connections - 1]);
	g_free(guard.name);
	if (guard.retry)
		g_source_destroy(guard.retry);
}

static void spin_until(const bool *ended)
{
	for (unsigned i = 0; i < 5000 && !*ended; i++) {
		while (g_main_context_iteration(NULL, FALSE))
			;
		g_usleep(1000);
	}
	test_assert(*ended);
}

static void transfers(void)
{
	static uint8_t data[3 << 20], back[3 << 20];
	struct request many[100];

	test_assert(plug(SERVER_GOOD, NULL));
	test_equal(disk_size(disk), SERVER_SIZE);
	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 512);
	test_equal(request_run(disk, DISK_WRITE, 512, data, sizeof(data)), 0);
	test_equal(request_run(disk, DISK_READ, 512, back, sizeof(back)), 0);
	test_assert(memcmp(data, back, sizeof(data)) == 0);
	test_equal(request_run(disk, DISK_FLUSH, 0, NULL, 0), 0);
	test_equal(server.flushes, 1);
	test_equal(request_run(disk, DISK_WRITE_THROUGH, 0, data, 512), 0);
	test_equal(server.fuas, 1);
	test_equal(request_run(disk, DISK_PUNCH, 1024, NULL, 1024), 0);
	test_equal(server.disk[1024] | server.disk[2047], 0);
	test_equal(request_run(disk, DISK_ZERO, 2048, NULL, 1024), 0);
	test_equal(server.disk[2048], 0);
	for (unsigned i = 0; i < 100; i++)
		request_start(&many[i], disk, DISK_READ, 4096 + i * 512, back + i * 1024, 1024);
	disk_reap(disk, true);
	for (unsigned i = 0; i < 100; i++) {
		test_assert(many[i].ended && many[i].result == 0);
		test_assert(memcmp(back + i * 1024, server.disk + 4096 + i * 512, 1024) == 0);
	}
	unplug();
}

static void bad_servers(void)
{
	static const enum server_fault faults[] = {
		SERVER_BAD_GREETING, SERVER_REFUSES, SERVER_HANGS_UP_EARLY, SERVER_ODD_SIZE,
		SERVER_IS_READ_ONLY, SERVER_ENDLESS_OPTIONS,
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(faults); i++) {
		g_autoptr(GError) error = NULL;

		test_assert(!plug(faults[i], &error));
		test_assert(g_str_has_prefix(error->message, "disk test: "));
	}
}

/* Whatever the server does, the connection is made anew and nothing that was asked is lost. */
static void losses(void)
{
	static const enum server_fault faults[] = {
		SERVER_BAD_MAGIC, SERVER_WRONG_COOKIE, SERVER_ANSWERS_TWICE, SERVER_HANGS_UP,
		SERVER_HANGS_UP_IN_DATA,
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(faults); i++) {
		struct request many[20];
		static uint8_t back[20][4096];

		test_assert(plug(faults[i], NULL));
		memset(server.disk, 0x5a, SERVER_SIZE);
		memset(back, 0, sizeof(back));
		for (unsigned j = 0; j < 20; j++)
			request_start(&many[j], disk, DISK_READ, j * 4096, back[j], 4096);
		for (unsigned j = 0; j < 20; j++) {
			spin_until(&many[j].ended);
			test_equal(many[j].result, 0);
			test_equal(back[j][4095], 0x5a);
		}
		test_equal(server.connections, 2);
		test_equal(host_pauses, 1);
		test_equal(host_resumes, 1);
		test_assert(strcmp(host_why, "disk test: its server is gone") == 0);
		unplug();
	}
}

/* What was answered and not flushed may be gone with the server: the guest is told. */
static void broken_promise(void)
{
	uint8_t data[512] = {1};
	struct request request;

	test_assert(plug(SERVER_HANGS_UP, NULL));
	for (unsigned i = 0; i < SERVER_FAULT_AT - 1; i++)
		test_equal(request_run(disk, DISK_WRITE, i * 512, data, 512), 0);
	request_start(&request, disk, DISK_READ, 0, data, 512);
	spin_until(&request.ended);
	test_equal(request.result, 0);
	test_equal(request_run(disk, DISK_FLUSH, 0, NULL, 0), -ESTALE);
	test_equal(request_run(disk, DISK_FLUSH, 0, NULL, 0), 0);
	unplug();
}

/* The flush that was under way is for the same writes: its success with the next server says nothing. */
static void broken_flush(void)
{
	uint8_t data[512] = {1};
	struct request request;

	test_assert(plug(SERVER_HANGS_UP, NULL));
	guard.pause_on_error = true;
	for (unsigned i = 0; i < SERVER_FAULT_AT - 1; i++)
		test_equal(request_run(disk, DISK_WRITE, i * 512, data, 512), 0);
	request_start(&request, disk, DISK_FLUSH, 0, NULL, 0);
	spin_until(&request.ended);
	test_equal(request.result, -ESTALE);
	test_equal(request_run(disk, DISK_FLUSH, 0, NULL, 0), 0);
	unplug();
}

/* The guest is reset while the server is gone: it waits again as soon as it wants something. */
static void reset_without_server(void)
{
	struct request request;
	uint8_t data[512];

	test_assert(plug(SERVER_HANGS_UP, NULL));
	for (unsigned i = 0; i < SERVER_FAULT_AT - 1; i++)
		test_equal(request_run(disk, DISK_READ, i * 512, data, 512), 0);
	request_start(&request, disk, DISK_READ, 0, data, 512);
	for (unsigned i = 0; i < 1000 && !host_pauses; i++) {
		g_usleep(1000);
		disk->ops->reap(disk, false);
	}
	test_equal(host_pauses, 1);
	disk_cancel(disk);
	test_assert(request.ended);
	test_equal(host_resumes, 1);
	request_start(&request, disk, DISK_READ, 0, data, 512);
	test_equal(host_pauses, 2);
	spin_until(&request.ended);
	test_equal(request.result, 0);
	test_equal(host_resumes, 2);
	unplug();
}

/* A server that takes every connection and answers nothing is not asked without end. */
static void no_answers(void)
{
	struct request request;
	uint8_t data[512];

	test_assert(plug(SERVER_ANSWERS_NOTHING, NULL));
	request_start(&request, disk, DISK_READ, 0, data, 512);
	for (unsigned i = 0; i < 300; i++) {
		while (g_main_context_iteration(NULL, FALSE))
			;
		g_usleep(1000);
	}
	test_equal(server.connections, 2);
	disk_cancel(disk);
	test_assert(request.ended);
	unplug();
}

/* A host that is full under the server: the guest waits, and the write is not lost. */
static void full(void)
{
	uint8_t data[512] = {9};
	struct request request[SERVER_FAULT_AT];

	test_assert(plug(SERVER_IS_FULL, NULL));
	for (unsigned i = 0; i < SERVER_FAULT_AT; i++)
		request_start(&request[i], disk, DISK_WRITE, i * 512, data, 512);
	spin_until(&request[SERVER_FAULT_AT - 2].ended);
	spin_until(&request[SERVER_FAULT_AT - 1].ended);
	test_equal(request[SERVER_FAULT_AT - 1].result, 0);
	test_equal(host_pauses, 1);
	test_equal(host_resumes, 1);
	test_equal(server.requests, SERVER_FAULT_AT + 1);
	unplug();
}

int main(void)
{
	g_log_set_default_handler(host_quiet, NULL);
	host_open();
	test_run(transfers);
	test_run(bad_servers);
	test_run(losses);
	test_run(broken_promise);
	test_run(broken_flush);
	test_run(reset_without_server);
	test_run(no_answers);
	test_run(full);
	return 0;
}
