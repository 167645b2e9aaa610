/*
 * The file behind flash memory: what a guest's firmware keeps over power-off, one file a guest.
 *
 * The bytes are in memory; what the guest changes of them is queued and written on the I/O thread, in
 * the order in which the guest wrote it, so that the firmware's own care for torn writes holds when
 * the process or the host dies. The file is locked: of two guests with one file the second does not
 * start.
 *
 * Thread: open, sync and free on the main thread; flash_file_write and flash_file_kick from any.
 */
#ifndef IRORI_VMM_FLASH_FILE_H
#define IRORI_VMM_FLASH_FILE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct flash_file;
struct firmware_image;

/* Opens `path`, or, when there is none, creates it (and its folder) with the bytes of the file
 * `template` (NULL: it must be there), whole or not at all; into `image`, which is the caller's. */
struct flash_file *flash_file_open(const char *path, const char *template,
	struct firmware_image *image, GMainContext *context, GError **error);
/* The image that it would give (that of the template, where the file would be created), without
 * creating or locking anything. */
bool flash_file_check(const char *path, const char *template, struct firmware_image *image,
	GError **error);
void flash_file_free(struct flash_file *file); /* writes what is queued */

/* Queues [offset, offset + len) of what the image has now. */
void flash_file_write(struct flash_file *file, uint32_t offset, const uint8_t *bytes, uint32_t len);
void flash_file_kick(struct flash_file *file); /* a good moment to write what is queued */
void flash_file_sync(struct flash_file *file); /* returns when it is on the disk */

#endif
