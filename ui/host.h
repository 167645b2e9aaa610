/*
 * Facts about the host, from its own files.
 *
 * Thread: any.
 */
#ifndef IRORI_UI_HOST_H
#define IRORI_UI_HOST_H

#include <glib.h>
#include <stdint.h>
#include <sys/types.h>

enum host_kvm {
	HOST_KVM_NONE,
	HOST_KVM_INTEL,
	HOST_KVM_AMD,
	HOST_KVM_PVM,   /* page-table based, guest kernels are interpreted */
	HOST_KVM_OTHER,
};

/* What stands behind /dev/kvm, by the modules that are loaded. */
enum host_kvm host_kvm(void);
const char *host_kvm_name(enum host_kvm kvm);

char *host_cpu_model(void);              /* "..." */
unsigned host_processors(void);          /* that we may run on */
char *host_kernel(void);                 /* "Linux 6.1.0" */
char *host_system(void);                 /* "Debian GNU/Linux 12 (bookworm)" */
int64_t host_meminfo(const char *field); /* KiB, 0 if there is none such */
double host_load(void);                  /* of the last minute */

/* Processor time of a process and its threads since it started, seconds; 0 if it is gone. */
double host_cpu_seconds(pid_t pid);
/* Time its threads that live now were runnable but did not run, seconds. */
double host_run_delay(pid_t pid);
/* Stolen by the host's own host, all processors, seconds since boot. */
double host_steal(void);

#endif
