/*
 * A parallel NOR flash of the Intel command set: where OVMF keeps its variables.
 *
 * Reading, it is memory to the guest; a write is a command, and until the guest asks for the array
 * again every access to it leaves the guest. Source: Common Flash Interface (JESD68, JEP137), command
 * set 0001; EDK II, OvmfPkg/QemuFlashFvbServicesRuntimeDxe, for what OVMF expects beyond that.
 *
 * Thread: new, reset, state, free on the main thread; accesses on vCPU threads.
 */
#ifndef IRORI_VMM_PFLASH_H
#define IRORI_VMM_PFLASH_H

#include <glib.h>
#include <stdint.h>

struct flash_file;
struct firmware_image;
struct machine;
struct pflash;
struct state;

enum pflash_limits {
	PFLASH_BLOCK = 4096, /* what is erased at once */
	PFLASH_BUFFER = 256, /* what is programmed at once, at most */
};

/* At [base, base + image->len), blocks as a whole. The image is taken over, and so is the file (NULL:
 * it forgets at power-off), also on failure. */
struct pflash *pflash_new(struct machine *machine, uint64_t base, const struct firmware_image *image,
	struct flash_file *file, GError **error);
void pflash_free(struct pflash *flash);
void pflash_reset(struct pflash *flash);
void pflash_drain(struct pflash *flash); /* what the guest wrote is on the disk */
void pflash_state(struct pflash *flash, struct state *state);

#endif
