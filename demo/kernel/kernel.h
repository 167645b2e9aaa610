/*
 * What the files of the kernel say to each other. There is one program, one kernel stack, and no
 * preemption: nothing here needs a lock. Functions return 0 or a count, or -errno.
 */
#ifndef DEMO_KERNEL_KERNEL_H
#define DEMO_KERNEL_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "demo/kernel/layout.h"

enum {
	EPERM = 1, ENOENT = 2, EIO = 5, EBADF = 9, EAGAIN = 11, ENOMEM = 12, EFAULT = 14, EBUSY = 16,
	ENODEV = 19, EINVAL = 22, EMFILE = 24, ENOTTY = 25, ENOSPC = 28, ESPIPE = 29, ERANGE = 34,
	ENOSYS = 38,
};

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PAGE 4096ul
#define LARGE_PAGE 0x200000ul
#define MAX_CPUS 64
#define NEVER INT64_MAX
#define SECOND 1000000000ll

/* main.c */
extern const char *command_line;
/* The value of `name=` in the command line, up to a space; its length, or -1 for none. */
int option(const char *name, const char **value);
bool option_is(const char *name, const char *value);
uint64_t option_number(const char *name, uint64_t otherwise);

/* text.c: the little of libc that the kernel uses. */
void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
bool text_equal(const char *a, const char *b);
/* One line for a person: %s %u %d %x %c, with l for 64 bits. Silent after `quiet`. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
extern bool log_quiet;

/* trap.c */
struct syscall { /* as trap.S leaves it */
	uint64_t arg[3];
	uint64_t arg3, arg4, arg5;
	uint64_t number; /* and the result */
	uint64_t rip, cs, rflags, rsp, ss;
};

void trap_init(void);
void trap_init_processor(unsigned cpu, void (*syscall)(void), uint64_t stack);
void ring3_enter(uint64_t rip, uint64_t rsp, uint64_t argument) __attribute__((noreturn));
void machine_restart(void) __attribute__((noreturn));
void machine_power_off(void) __attribute__((noreturn));
/* The end after a fault: what panic= says (reboot, halt; else power off). */
void machine_panic(void) __attribute__((noreturn));

/* clock.c */
void clock_init(void);
int64_t clock_now(void); /* ns since the kernel began */
int64_t clock_epoch(void); /* ns to add for CLOCK_REALTIME */
/* Sleeps until an interrupt, at most until `until` (clock_now() time, or NEVER). */
void clock_idle(int64_t until);
extern uint32_t clock_khz;

/* memory.c */
struct start_info;
int memory_init(const struct start_info *info);
/* Memory nobody has used yet, so it is zero: 4 KiB, or n times 2 MiB that lie side by side. */
void *page_alloc(void);
void *large_alloc(unsigned n);
static inline void *direct(uint64_t physical) { return (void *)(physical + DIRECT_BASE); }
uint64_t physical(const void *kernel_address);
/* Maps 2 MiB pages at `at` onto [physical, + length). */
int user_map(uint64_t at, uint64_t physical, uint64_t length, bool writable);
/* Whether [at, at + length) is the program's. */
bool user_range(uint64_t at, uint64_t length);
/* The length of what lies side by side in memory from `at`, at most `length`; where, in *physical. */
uint64_t user_physical(uint64_t at, uint64_t length, uint64_t *physical);
int user_grow(uint64_t from, uint64_t to); /* fresh pages for all that is not mapped yet */
/* After this system call, before its caller goes on. See ring3.S. One of them, once. */
void user_copy_later(struct syscall *call, uint64_t to, uint64_t from, uint64_t length);
void user_clear_later(struct syscall *call, uint64_t at, uint64_t length);
extern uint64_t initrd_physical, initrd_length;

/* space.c: the program's address space. */
void space_init(uint64_t heap_start);
int64_t space_brk(struct syscall *call);
int64_t space_mmap(struct syscall *call);
int64_t space_munmap(struct syscall *call);
int64_t space_mremap(struct syscall *call);
/* Shows the program physical memory (of large_alloc); the address or -errno. */
int64_t space_show(uint64_t physical, uint64_t length);

/* file.c */
enum { POLLIN = 1, POLLOUT = 4, POLLERR = 8, POLLNVAL = 32 };

struct file;
struct file_ops {
	const char *path; /* NULL: of the initial ramdisk */
	int (*open)(struct file *file);
	int64_t (*read)(struct file *file, struct syscall *call, uint64_t to, uint64_t n, uint64_t at);
	int64_t (*write)(struct file *file, uint64_t from, uint64_t n);
	int64_t (*ioctl)(struct file *file, uint32_t request, uint64_t argument);
	int64_t (*mmap)(struct file *file, uint64_t length, uint64_t offset);
	unsigned (*poll)(struct file *file);
	void (*arm)(struct file *file); /* let what poll waits for interrupt */
	uint64_t (*size)(struct file *file); /* NULL: a stream */
};

struct file {
	const struct file_ops *ops; /* NULL: free */
	uint64_t position;
	const uint8_t *data; /* of a ramdisk's file */
	uint64_t data_length;
};

void file_init(void);
int64_t file_open(struct syscall *call, uint64_t path);
int64_t file_close(struct syscall *call);
int64_t file_read(struct syscall *call);
int64_t file_pread(struct syscall *call);
int64_t file_readv(struct syscall *call);
int64_t file_write(struct syscall *call);
int64_t file_writev(struct syscall *call);
int64_t file_lseek(struct syscall *call);
int64_t file_ioctl(struct syscall *call);
int64_t file_stat(struct syscall *call);
int64_t file_stat_at(struct syscall *call);
int64_t file_poll(struct syscall *call);
int64_t file_mmap(int fd, uint64_t length, uint64_t offset);
int64_t user_string(uint64_t at, char *to, size_t size);

/* initrd.c */
const uint8_t *initrd_find(const char *path, uint64_t *length);
uint64_t initrd_user_address(const uint8_t *data);

/* program.c: loads init= and enters it. */
void program_run(void) __attribute__((noreturn));

/* Devices */
extern const struct file_ops console_file, display_file, input_file, disk_file, audio_file, cpu_file,
	random_file, cmdline_file;
void console_init(void);
void console_write(const char *text, size_t n);
void console_flush(void); /* waits, for a while, until all of it has been read */
void display_init(void);
void input_init(void);
void disk_init(void);
void audio_init(void);
void random_init(void);
int64_t random_read(uint64_t to, uint64_t n); /* to: any of our or the program's memory */

/* acpi.c: those that can be used, ours too; rsdp is a physical address or 0. */
unsigned acpi_processors(uint64_t rsdp);

/* smp.c */
void smp_init(uint64_t rsdp);
unsigned cpu_count(void);

#endif
