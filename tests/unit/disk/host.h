/*
 * A machine that is nothing but what storage asks of one, and requests that are waited for.
 */
#ifndef IRORI_TESTS_UNIT_DISK_HOST_H
#define IRORI_TESTS_UNIT_DISK_HOST_H

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/test.h"
#include "vmm/disk_internal.h"
#include "vmm/machine.h"

#define HOST_FN static __attribute__((unused))

static struct machine host __attribute__((unused));
static unsigned host_pauses, host_resumes;
static char host_why[200];

void machine_request(struct machine *machine, enum machine_request what, const char *why)
{
	if (what == MACHINE_WAIT) {
		host_pauses++;
		g_strlcpy(host_why, why, sizeof(host_why));
	} else if (what == MACHINE_WAIT_OVER) {
		host_resumes++;
	}
}

struct request {
	struct disk_io io;
	struct iovec iov[4];
	bool ended;
	int result;
};

HOST_FN void request_done(struct disk_io *io, int result)
{
	struct request *request = (struct request *)io;

	test_assert(!request->ended);
	request->ended = true;
	request->result = result;
}

HOST_FN void request_start(struct request *request, struct disk *disk,
	enum disk_operation operation, uint64_t offset, void *data, uint64_t len)
{
	*request = (struct request){
		.io = {
			.operation = operation,
			.offset = offset,
			.len = len,
			.done = request_done,
		},
	};
	if (data) {
		/* In pieces, as guests have them. */
		size_t first = len > 700 ? 700 : len;

		request->iov[0] = (struct iovec){data, first};
		request->iov[1] = (struct iovec){(char *)data + first, len - first};
		request->io.iov = request->iov;
		request->io.n_iov = len > first ? 2 : 1;
	}
	disk_queue(disk, &request->io);
	disk_submit(disk);
}

HOST_FN int request_run(struct disk *disk, enum disk_operation operation, uint64_t offset,
	void *data, uint64_t len)
{
	struct request request;

	request_start(&request, disk, operation, offset, data, len);
	disk_reap(disk, true);
	test_assert(request.ended);
	return request.result;
}

HOST_FN void host_ready(void *data)
{
	disk_reap(data, false);
}

/* A folder of the test's own. */
HOST_FN char *host_folder(void)
{
	char *folder = g_dir_make_tmp("irori-test-disk-XXXXXX", NULL);

	test_assert(folder);
	return folder;
}

HOST_FN void host_open(void)
{
	host.main_context = g_main_context_default();
	host.io_context = g_main_context_default();
}

HOST_FN void host_quiet(const char *domain, GLogLevelFlags level, const char *text, gpointer data)
{
}

#endif
