/*
 * Preloaded into the emulated PC's QEMU. TCG has a helper that interrupts a processor without the lock
 * that it must hold: a write to CR8 by a guest in the PC while an interrupt waits for it. QEMU 7.2 ends
 * itself then ("tcg_handle_interrupt: assertion failed"). UEFI's firmware and Windows write to CR8
 * with every interrupt, Linux does not.
 *
 * The function lies in a module that QEMU loads, and finds its own name in the global scope first: so
 * here the lock is taken where it is not held, as other helpers of QEMU's take it.
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>

extern bool qemu_mutex_iothread_locked(void) __attribute__((weak));
extern void qemu_mutex_lock_iothread_impl(const char *file, int line) __attribute__((weak));
extern void qemu_mutex_unlock_iothread(void) __attribute__((weak));
void tcg_handle_interrupt(void *cpu, int mask);

static void (*real)(void *cpu, int mask);

/* The module is not in the scope that RTLD_NEXT looks through. */
static void find(void)
{
	static const char *const module[] = {
		"/usr/lib/x86_64-linux-gnu/qemu/accel-tcg-x86_64.so",
		"/usr/lib/qemu/accel-tcg-x86_64.so",
	};

	for (size_t i = 0; !real && i < sizeof(module) / sizeof(module[0]); i++) {
		void *handle = dlopen(module[i], RTLD_LAZY | RTLD_NOLOAD);

		if (handle)
			*(void **)&real = dlsym(handle, "tcg_handle_interrupt");
	}
}

void tcg_handle_interrupt(void *cpu, int mask)
{
	bool locked = qemu_mutex_iothread_locked();

	if (!locked)
		qemu_mutex_lock_iothread_impl(__FILE__, __LINE__);
	if (!real)
		find();
	real(cpu, mask);
	if (!locked)
		qemu_mutex_unlock_iothread();
}
