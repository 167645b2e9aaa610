/*
 * What runs in a guest to load its devices: a static program, the same under every monitor.
 *
 *	load disk DEVICE SECONDS	random 4 KiB reads, one and DEPTH at a time, 4 KiB writes that
 *					are flushed, sequential reads and writes
 *	load net ADDRESS PORT SECONDS	round trips of 64 bytes and one-way bytes to and from a server
 *					that echoes, swallows or pours, as its first byte asks
 *
 * Prints one line a figure: NAME VALUE UNIT. Larger is better, but for units of time.
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

static void disk_load(const char *device, double seconds)
{
	struct disk disk = { .fd = open(device, O_RDWR | O_DIRECT), .block = BLOCK, .random = 1 };

	if (disk.fd < 0 || ioctl(disk.fd, BLKGETSIZE64, &disk.size) < 0)
		die(device);
	disk_rate(&disk, DEPTH, seconds / 4); /* warms up */
	printf("read-4k-1 %.0f /s\n", disk_rate(&disk, 1, seconds));
	printf("read-4k-%d %.0f /s\n", DEPTH, disk_rate(&disk, DEPTH, seconds));
	disk.writes = 1;
	printf("write-4k-%d %.0f /s\n", DEPTH, disk_rate(&disk, DEPTH, seconds));
	disk.flushes = 1;
	printf("write-4k-flush %.0f /s\n", disk_rate(&disk, 1, seconds));
	disk.flushes = disk.random = 0;
	disk.block = STREAM;
	printf("write-stream %.1f MB/s\n", disk_rate(&disk, 1, seconds) * STREAM / 1e6);
	disk.writes = 0;
	printf("read-stream %.1f MB/s\n", disk_rate(&disk, 1, seconds) * STREAM / 1e6);
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
	int64_t end = now() + (int64_t)(seconds * 1e9);
	size_t n = 0;

	while (n < sizeof(took) / sizeof(took[0]) && now() < end) {
		int64_t begin = now();

		if (write(fd, message, MESSAGE) != MESSAGE ||
			recv(fd, message, MESSAGE, MSG_WAITALL) != MESSAGE)
			die("round trip");
		took[n++] = now() - begin;
	}
	close(fd);
	qsort(took, n, sizeof(took[0]), by_time);
	printf("round-trip %.0f us\n", (double)took[n / 2] / 1e3);
	printf("round-trip-99 %.0f us\n", (double)took[n * 99 / 100] / 1e3);
}

static void net_stream(const char *address, const char *port, double seconds, char verb)
{
	static char buffer[STREAM];
	int fd = net_connect(address, port, verb);
	int64_t begin = now(), end = begin + (int64_t)(seconds * 1e9);
	uint64_t bytes = 0;

	while (now() < end) {
		ssize_t n = verb == 's' ? write(fd, buffer, sizeof(buffer)) :
			read(fd, buffer, sizeof(buffer));

		if (n <= 0)
			die("stream");
		bytes += (uint64_t)n;
	}
	printf("net-%s %.1f MB/s\n", verb == 's' ? "send" : "receive",
		(double)bytes * 1e3 / (double)(now() - begin));
	close(fd);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 4 && !strcmp(argv[1], "disk")) {
		disk_load(argv[2], atof(argv[3]));
	} else if (argc == 5 && !strcmp(argv[1], "net")) {
		net_round_trips(argv[2], argv[3], atof(argv[4]));
		net_stream(argv[2], argv[3], atof(argv[4]), 's');
		net_stream(argv[2], argv[3], atof(argv[4]), 'p');
	} else {
		fprintf(stderr, "usage: load disk DEVICE SECONDS | load net ADDRESS PORT SECONDS\n");
		return 64;
	}
	return 0;
}
