/*
 * What virtio-gpu and its driver say to each other: the 2D commands, as they lie in memory. Little
 * endian, as every machine that runs this.
 *
 * Source: virtio 1.2, section 5.7.
 */
#ifndef IRORI_VMM_GPU_WIRE_H
#define IRORI_VMM_GPU_WIRE_H

#include "display/port.h"

#define GPU_F_EDID (1ull << 1)
#define GPU_EVENT_DISPLAY 1u
#define GPU_FLAG_FENCE 1u

enum { GPU_SCANOUTS_MAX = 16 }; /* in the answer to GET_DISPLAY_INFO */

/* 5.7.4 */
struct gpu_device_config {
	uint32_t events_read, events_clear, n_scanouts, n_capsets;
};

enum gpu_command {
	GPU_GET_DISPLAY_INFO = 0x100,
	GPU_RESOURCE_CREATE_2D,
	GPU_RESOURCE_UNREF,
	GPU_SET_SCANOUT,
	GPU_RESOURCE_FLUSH,
	GPU_TRANSFER_TO_HOST_2D,
	GPU_ATTACH_BACKING,
	GPU_DETACH_BACKING,
	GPU_GET_CAPSET_INFO,
	GPU_GET_CAPSET,
	GPU_GET_EDID,
	GPU_UPDATE_CURSOR = 0x300,
	GPU_MOVE_CURSOR,
};

enum gpu_answer {
	GPU_PENDING = 0, /* not on the wire: there is no answer yet */
	GPU_PARKED = 1,  /* the same: but the next command may be carried out */
	GPU_OK_NODATA = 0x1100,
	GPU_OK_DISPLAY_INFO = 0x1101,
	GPU_OK_EDID = 0x1104,
	GPU_ERR_UNSPEC = 0x1200,
	GPU_ERR_OUT_OF_MEMORY,
	GPU_ERR_INVALID_SCANOUT_ID,
	GPU_ERR_INVALID_RESOURCE_ID,
	GPU_ERR_INVALID_CONTEXT_ID,
	GPU_ERR_INVALID_PARAMETER,
};

/* 5.7.6.7 and on; every command and answer begins with it. */
struct gpu_header {
	uint32_t type, flags;
	uint64_t fence_id;
	uint32_t ctx_id;
	uint8_t ring_idx, padding[3];
};

union gpu_request {
	struct gpu_header header;
	struct {
		struct gpu_header header;
		uint32_t resource, format, width, height;
	} create;
	struct {
		struct gpu_header header;
		uint32_t resource, padding;
	} name; /* UNREF, DETACH_BACKING */
	struct {
		struct gpu_header header;
		struct rect rect;
		uint32_t scanout, resource;
	} scanout;
	struct {
		struct gpu_header header;
		struct rect rect;
		uint32_t resource, padding;
	} flush;
	struct {
		struct gpu_header header;
		struct rect rect;
		uint64_t offset;
		uint32_t resource, padding;
	} transfer;
	struct {
		struct gpu_header header;
		uint32_t resource, n;
	} attach;
	struct {
		struct gpu_header header;
		uint32_t scanout, padding;
	} edid;
	struct {
		struct gpu_header header;
		uint32_t scanout, x, y, padding;
		uint32_t resource, hot_x, hot_y, padding2;
	} cursor;
};

union gpu_reply {
	struct gpu_header header;
	struct {
		struct gpu_header header;
		struct {
			struct rect rect;
			uint32_t enabled, flags;
		} mode[GPU_SCANOUTS_MAX];
	} display_info;
	struct {
		struct gpu_header header;
		uint32_t size, padding;
		uint8_t edid[1024];
	} edid;
};

#endif
