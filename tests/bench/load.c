/*
 * What runs in a guest to load its devices: a static program, the same under every monitor.
 *
 *	load disk DEVICE SECONDS	random 4 KiB reads, one and DEPTH at a time, 4 KiB writes that
 *					are flushed, sequential reads and writes
 *	load net ADDRESS PORT SECONDS	round trips of 64 bytes and one-way bytes to and from a server
 *					that echoes, swallows or pours, as its first byte asks
 *	load serve PORT			that server
 *
 * Prints one line a figure: NAME VALUE UNIT REQUESTS, with what LOAD_OF says before each name. Larger is better, but for
 * units of time. Before its loads it says "begin NAME", after them "end": whoever counts exits looks there. A stream's
 * requests are MB.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/fs.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	BLOCK = 4096,
	STREAM = 256 << 10,
	DEPTH = 16,
	MESSAGE = 64,
	PAUSE_US = 100000,
};

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static const char *of = "";

static void begin(const char *name)
{
	printf("begin %s%s\n", of, name);
	usleep(PAUSE_US); /* the line is out, and whoever reads it has looked */
}

static void end(void)
{
	printf("end\n");
	usleep(PAUSE_US);
}

struct disk {
	int fd;
	uint64_t size;
	int64_t end;
	atomic_ulong operations;
	size_t block;
	int writes, flushes, random;
};

static void *disk_worker(void *data)
{
	struct disk *disk = data;
	uint64_t seed = (uint64_t)now() * 0x9e3779b97f4a7c15u | 1, at = 0;
	void *buffer;

	if (posix_memalign(&buffer, BLOCK, disk->block))
		die("memory");
	memset(buffer, 0x5a, disk->block);
	while (now() < disk->end) {
		ssize_t n;

		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		if (disk->random)
			at = seed % (disk->size / disk->block) * disk->block;
		n = disk->writes ? pwrite(disk->fd, buffer, disk->block, (off_t)at) :
			pread(disk->fd, buffer, disk->block, (off_t)at);
		if (n != (ssize_t)disk->block || (disk->flushes && fdatasync(disk->fd)))
			die("disk");
		atomic_fetch_add(&disk->operations, 1);
		at = at + 2 * disk->block <= disk->size ? at + disk->block : 0;
	}
	free(buffer);
	return NULL;
}

static double disk_rate(struct disk *disk, unsigned depth, double seconds)
{
	pthread_t thread[DEPTH];
	int64_t begin = now();

	disk->operations = 0;
	disk->end = begin + (int64_t)(seconds * 1e9);
	for (unsigned i = 0; i < depth; i++)
		if (pthread_create(&thread[i], NULL, disk_worker, disk))
			die("thread");
	for (unsigned i = 0; i < depth; i++)
		pthread_join(thread[i], NULL);
	return (double)disk->operations * 1e9 / (double)(now() - begin);
}

static const struct disk_figure {
	const char *name;
	unsigned depth;
	size_t block;
	int writes, flushes;
} disk_figures[] = {
	{ "read-4k-1", 1, BLOCK, 0, 0 },
	{ "read-4k-16", DEPTH, BLOCK, 0, 0 },
	{ "write-4k-16", DEPTH, BLOCK, 1, 0 },
	{ "write-4k-flush", 1, BLOCK, 1, 1 },
	{ "write-stream", 1, STREAM, 1, 0 },
	{ "read-stream", 1, STREAM, 0, 0 },
};

static void disk_load(const char *device, double seconds)
{
	struct disk disk = { .fd = open(device, O_RDWR | O_DIRECT), .block = BLOCK, .random = 1 };

	if (disk.fd < 0 || ioctl(disk.fd, BLKGETSIZE64, &disk.size) < 0)
		die(device);
	disk_rate(&disk, DEPTH, seconds / 4); /* warms up */
	for (unsigned i = 0; i < sizeof(disk_figures) / sizeof(disk_figures[0]); i++) {
		const struct disk_figure *figure = &disk_figures[i];
		double rate;

		disk.block = figure->block;
		disk.writes = figure->writes;
		disk.flushes = figure->flushes;
		disk.random = figure->block == BLOCK;
		begin(figure->name);
		rate = disk_rate(&disk, figure->depth, seconds);
		end();
		if (disk.random)
			printf("%s%s %.0f /s %lu\n", of, figure->name, rate, disk.operations);
		else
			printf("%s%s %.1f MB/s %.0f\n", of, figure->name, rate * STREAM / 1e6,
				(double)disk.operations * STREAM / 1e6);
	}
	close(disk.fd);
}

static int net_connect(const char *address, const char *port, char verb)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	inet_pton(AF_INET, address, &to.sin_addr);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		die(address);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (write(fd, &verb, 1) != 1)
		die("write");
	return fd;
}

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void net_round_trips(const char *address, const char *port, double seconds)
{
	static int64_t took[1 << 16];
	char message[MESSAGE] = "";
	int fd = net_connect(address, port, 'e');
	int64_t last;
	size_t n = 0;

	begin("round-trip");
	last = now() + (int64_t)(seconds * 1e9);
	while (n < sizeof(took) / sizeof(took[0]) && now() < last) {
		int64_t sent = now();

		if (write(fd, message, MESSAGE) != MESSAGE ||
			recv(fd, message, MESSAGE, MSG_WAITALL) != MESSAGE)
			die("round trip");
		took[n++] = now() - sent;
	}
	close(fd);
	end();
	qsort(took, n, sizeof(took[0]), by_time);
	if (n == 0)
		die("no round trip");
	printf("%sround-trip %.0f us %zu\n", of, (double)took[n / 2] / 1e3, n);
	printf("%sround-trip-99 %.0f us %zu\n", of, (double)took[n * 99 / 100] / 1e3, n);
}

static void net_stream(const char *address, const char *port, double seconds, char verb)
{
	static char buffer[STREAM];
	const char *name = verb == 's' ? "net-send" : "net-receive";
	int fd = net_connect(address, port, verb);
	int64_t start, took = 0, limit = (int64_t)(seconds * 1e9);
	uint64_t bytes = 0;

	begin(name);
	for (start = now(); took < limit; took = now() - start) {
		ssize_t n = verb == 's' ? write(fd, buffer, sizeof(buffer)) :
			read(fd, buffer, sizeof(buffer));

		if (n <= 0)
			die("stream");
		bytes += (uint64_t)n;
	}
	close(fd);
	end();
	printf("%s%s %.1f MB/s %.0f\n", of, name, (double)bytes * 1e3 / (double)took,
		(double)bytes / 1e6);
}

static void *serve_one(void *data)
{
	int fd = (int)(intptr_t)data;
	static __thread char buffer[STREAM];
	char verb = 0;
	ssize_t n = recv(fd, &verb, 1, MSG_WAITALL);

	while (n > 0) {
		n = verb == 'p' ? (ssize_t)sizeof(buffer) : read(fd, buffer, sizeof(buffer));
		if (n > 0 && verb != 's')
			n = send(fd, buffer, (size_t)n, MSG_NOSIGNAL);
	}
	close(fd);
	return NULL;
}

static void serve(const char *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
	int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
		listen(listener, 8) < 0)
		die(port);
	printf("serving\n");
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		pthread_t thread;

		if (fd < 0)
			die("accept");
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (pthread_create(&thread, NULL, serve_one, (void *)(intptr_t)fd))
			die("thread");
		pthread_detach(thread);
	}
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (getenv("LOAD_OF"))
		of = getenv("LOAD_OF");
	if (argc == 4 && !strcmp(argv[1], "disk")) {
		disk_load(argv[2], atof(argv[3]));
	} else if (argc == 5 && !strcmp(argv[1], "net")) {
		net_round_trips(argv[2], argv[3], atof(argv[4]));
		net_stream(argv[2], argv[3], atof(argv[4]), 's');
		net_stream(argv[2], argv[3], atof(argv[4]), 'p');
	} else if (argc == 3 && !strcmp(argv[1], "serve")) {
		serve(argv[2]);
	} else {
		fprintf(stderr, "usage: load disk DEVICE SECONDS | load net ADDRESS PORT SECONDS | "
				"load serve PORT\n");
		return 64;
	}
	return 0;
}
