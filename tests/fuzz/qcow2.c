/* Fuzzes what we look at in a qcow2 image. The first two bytes: how long the file is, in clusters. */
#include "vmm/disk_qcow2.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct qcow2_head head;
	GError *error = NULL;
	uint64_t len;

	if (size < 2 || size > QCOW2_HEAD)
		return 0;
	len = (uint64_t)(data[0] | data[1] << 8) << 16;
	if (!qcow2_parse(data + 2, size - 2, len, &head, &error)) {
		if (!error || strchr(error->message, '\n'))
			__builtin_trap();
		g_error_free(error);
	}
	return 0;
}
