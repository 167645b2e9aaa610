/*
 * The register files of a VGA: sequencer, graphics controller, CRTC, attribute controller, DAC, and
 * the dispi registers of the linear modes. Registers are stored with the bits that they have; what
 * they mean together is vga_mode.c's.
 */
#define G_LOG_DOMAIN "irori-vga"

#include "vmm/vga.h"

#include <string.h>

#include "vmm/state.h"

enum vga_ports {
	PORT_ATTR = 0x10,       /* 3C0: index and data in turn */
	PORT_ATTR_READ = 0x11,
	PORT_MISC = 0x12,       /* write; read: input status 0 */
	PORT_SEQ = 0x14,
	PORT_DAC_MASK = 0x16,
	PORT_DAC_READ = 0x17,   /* read: the DAC's state */
	PORT_DAC_WRITE = 0x18,
	PORT_DAC_DATA = 0x19,
	PORT_FEATURE_READ = 0x1a,
	PORT_MISC_READ = 0x1c,
	PORT_GFX = 0x1e,
	PORT_COLOUR = 0x20,     /* the CRTC is at 3D4 and not at 3B4 */
	PORT_CRTC = 0x04,
	PORT_STATUS1 = 0x0a,

	MISC_COLOUR = 1,
	STATUS0_SENSE = 0x10,
	STATUS1_RETRACE = 0x09,
	ATTR_ON = 0x20,
	CRTC_PROTECT = 0x80,    /* in CRTC 11: registers 0 to 7 are read-only */
	DISPI_WIDEST = 4096,
	VRAM_PAGE = 4096,
};

static const uint8_t seq_bits[5] = { 0x03, 0x3d, 0x0f, 0x3f, 0x0e };
static const uint8_t gfx_bits[9] = { 0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff };

void vga_init(struct vga *vga, uint8_t *vram, size_t vram_len, uint8_t *text)
{
	memset(vga, 0, sizeof(*vga));
	g_mutex_init(&vga->lock);
	vga->vram = vram;
	vga->vram_len = vram_len;
	vga->text = text;
	vga_reset(vga);
}

void vga_clear(struct vga *vga)
{
	g_mutex_clear(&vga->lock);
}

void vga_reset(struct vga *vga)
{
	g_mutex_lock(&vga->lock);
	memset(&vga->reg, 0, sizeof(vga->reg));
	vga->reg.dac_mask = 0xff;
	vga->reg.misc = MISC_COLOUR;
	vga->reg.dispi[DISPI_ID] = DISPI_ID5;
	vga_text_follow(vga);
	memset(vga->text, 0, VGA_TEXT_LEN);
	g_atomic_int_inc(&vga->touched);
	g_mutex_unlock(&vga->lock);
}

/* The DAC */

static uint8_t dac_bits(const struct vga *vga)
{
	return vga->reg.dispi[DISPI_ENABLE] & DISPI_8BIT_DAC ? 0xff : 0x3f;
}

static uint8_t dac_data_read(struct vga_registers *reg)
{
	uint8_t value = reg->dac[reg->dac_read * 3 + reg->dac_part];

	if (++reg->dac_part == 3) {
		reg->dac_part = 0;
		reg->dac_read++;
	}
	return value;
}

/* A colour changes when all three of its parts are there. */
static void dac_data_write(struct vga *vga, uint8_t value)
{
	struct vga_registers *reg = &vga->reg;

	reg->dac_new[reg->dac_part] = value & dac_bits(vga);
	if (++reg->dac_part < 3)
		return;
	memcpy(&reg->dac[reg->dac_write * 3], reg->dac_new, 3);
	reg->dac_part = 0;
	reg->dac_write++;
}

/* Ports, a byte at a time */

static uint8_t attr_read(const struct vga_registers *reg)
{
	unsigned index = reg->attr_index & 0x1f;

	return index < G_N_ELEMENTS(reg->attr) ? reg->attr[index] : 0;
}

static void attr_write(struct vga_registers *reg, uint8_t value)
{
	unsigned index = reg->attr_index & 0x1f;

	if (!reg->attr_data)
		reg->attr_index = value & (ATTR_ON | 0x1f);
	else if (index < G_N_ELEMENTS(reg->attr))
		reg->attr[index] = value;
	reg->attr_data = !reg->attr_data;
}

/* Every look finds another phase of the retrace: who waits for one gets it. */
static uint8_t status1_read(struct vga_registers *reg)
{
	reg->attr_data = 0;
	reg->status1 ^= STATUS1_RETRACE;
	return reg->status1;
}

static void crtc_write(struct vga_registers *reg, uint8_t value)
{
	unsigned index = reg->crtc_index;

	if (index >= sizeof(reg->crtc))
		return;
	if (index <= 7 && reg->crtc[0x11] & CRTC_PROTECT) {
		/* Of the protected ones, only a bit of the line compare may be changed. */
		if (index == 7)
			reg->crtc[7] = (uint8_t)((reg->crtc[7] & ~0x10) | (value & 0x10));
		return;
	}
	reg->crtc[index] = value;
}

/* The CRTC is where bit 0 of the miscellaneous register says; elsewhere is nothing. */
static bool crtc_port(const struct vga *vga, unsigned port, unsigned *at)
{
	bool colour = port >= PORT_COLOUR;

	*at = port - (colour ? PORT_COLOUR : 0);
	return colour == (vga->reg.misc & MISC_COLOUR) && (colour || port < PORT_ATTR);
}

static uint8_t crtc_port_read(struct vga *vga, unsigned port)
{
	struct vga_registers *reg = &vga->reg;
	unsigned at;

	if (!crtc_port(vga, port, &at))
		return 0xff;
	switch (at) {
	case PORT_CRTC:
		return reg->crtc_index;
	case PORT_CRTC + 1:
		return reg->crtc_index < sizeof(reg->crtc) ? reg->crtc[reg->crtc_index] : 0;
	case PORT_STATUS1:
		return status1_read(reg);
	default:
		return 0xff;
	}
}

static void crtc_port_write(struct vga *vga, unsigned port, uint8_t value)
{
	struct vga_registers *reg = &vga->reg;
	unsigned at;

	if (!crtc_port(vga, port, &at))
		return;
	if (at == PORT_CRTC)
		reg->crtc_index = value;
	else if (at == PORT_CRTC + 1)
		crtc_write(reg, value);
	else if (at == PORT_STATUS1)
		reg->feature = value & 0x10;
}

static uint8_t port_read(struct vga *vga, unsigned port)
{
	struct vga_registers *reg = &vga->reg;

	switch (port) {
	case PORT_ATTR:
		return reg->attr_data ? 0 : reg->attr_index;
	case PORT_ATTR_READ:
		return attr_read(reg);
	case PORT_MISC:
		return STATUS0_SENSE;
	case PORT_SEQ:
		return reg->seq_index;
	case PORT_SEQ + 1:
		return reg->seq_index < sizeof(reg->seq) ? reg->seq[reg->seq_index] : 0;
	case PORT_DAC_MASK:
		return reg->dac_mask;
	case PORT_DAC_READ:
		return reg->dac_state;
	case PORT_DAC_WRITE:
		return reg->dac_write;
	case PORT_DAC_DATA:
		return dac_data_read(reg);
	case PORT_FEATURE_READ:
		return reg->feature;
	case PORT_MISC_READ:
		return reg->misc;
	case PORT_GFX:
		return reg->gfx_index;
	case PORT_GFX + 1:
		return reg->gfx_index < sizeof(reg->gfx) ? reg->gfx[reg->gfx_index] : 0;
	default:
		return crtc_port_read(vga, port);
	}
}

static void dac_begin(struct vga_registers *reg, uint8_t *index, uint8_t value, uint8_t state)
{
	*index = value;
	reg->dac_part = 0;
	reg->dac_state = state;
}

static void port_write(struct vga *vga, unsigned port, uint8_t value)
{
	struct vga_registers *reg = &vga->reg;

	switch (port) {
	case PORT_ATTR:
		attr_write(reg, value);
		break;
	case PORT_MISC:
		reg->misc = value & 0xef;
		break;
	case PORT_SEQ:
		reg->seq_index = value & 7;
		break;
	case PORT_SEQ + 1:
		if (reg->seq_index < sizeof(reg->seq))
			reg->seq[reg->seq_index] = value & seq_bits[reg->seq_index];
		vga_text_follow(vga);
		break;
	case PORT_DAC_MASK:
		reg->dac_mask = value;
		break;
	case PORT_DAC_READ:
		dac_begin(reg, &reg->dac_read, value, 0);
		break;
	case PORT_DAC_WRITE:
		dac_begin(reg, &reg->dac_write, value, 3);
		break;
	case PORT_DAC_DATA:
		dac_data_write(vga, value);
		break;
	case PORT_GFX:
		reg->gfx_index = value & 0xf;
		break;
	case PORT_GFX + 1:
		if (reg->gfx_index < sizeof(reg->gfx))
			reg->gfx[reg->gfx_index] = value & gfx_bits[reg->gfx_index];
		vga_text_follow(vga);
		break;
	default:
		crtc_port_write(vga, port, value);
		break;
	}
}

uint64_t vga_port_read(struct vga *vga, uint64_t offset, unsigned size)
{
	uint64_t value = 0;

	g_mutex_lock(&vga->lock);
	for (unsigned i = 0; i < size; i++) {
		uint8_t byte = offset + i < VGA_PORTS ?
			port_read(vga, (unsigned)offset + i) : 0xff;

		value |= (uint64_t)byte << (8 * i);
	}
	g_mutex_unlock(&vga->lock);
	return value;
}

void vga_port_write(struct vga *vga, uint64_t offset, unsigned size, uint64_t value)
{
	g_mutex_lock(&vga->lock);
	for (unsigned i = 0; i < size && offset + i < VGA_PORTS; i++)
		port_write(vga, (unsigned)offset + i, (uint8_t)(value >> (8 * i)));
	g_mutex_unlock(&vga->lock);
}

/* The linear modes */

static uint16_t dispi_read(const struct vga *vga, unsigned index)
{
	const uint16_t *dispi = vga->reg.dispi;

	if (index == DISPI_MEMORY)
		return (uint16_t)(vga->vram_len >> 16);
	if (index >= DISPI_REGISTERS)
		return 0;
	if (dispi[DISPI_ENABLE] & DISPI_GETCAPS) {
		if (index == DISPI_XRES || index == DISPI_YRES)
			return DISPI_WIDEST;
		if (index == DISPI_BPP)
			return 32;
	}
	return dispi[index];
}

static void dispi_enable(struct vga *vga, uint16_t value)
{
	uint16_t *dispi = vga->reg.dispi;
	bool was = dispi[DISPI_ENABLE] & DISPI_ENABLED;

	dispi[DISPI_ENABLE] = value;
	if (!(value & DISPI_ENABLED) || was)
		return;
	dispi[DISPI_VIRT_WIDTH] = dispi[DISPI_XRES];
	dispi[DISPI_VIRT_HEIGHT] = dispi[DISPI_YRES];
	dispi[DISPI_X_OFFSET] = dispi[DISPI_Y_OFFSET] = 0;
	if (!(value & DISPI_NOCLEAR)) {
		uint64_t len = (uint64_t)dispi[DISPI_XRES] * dispi[DISPI_YRES] *
			((dispi[DISPI_BPP] + 7u) / 8);

		memset(vga->vram, 0, (size_t)MIN(len, vga->vram_len));
		g_atomic_int_inc(&vga->touched);
	}
}

static void dispi_write(struct vga *vga, unsigned index, uint16_t value)
{
	uint16_t *dispi = vga->reg.dispi;

	if (index >= DISPI_MEMORY)
		return;
	if (index == DISPI_ID) {
		if ((value & 0xfff0) == (DISPI_ID5 & 0xfff0) && value <= DISPI_ID5)
			dispi[DISPI_ID] = value;
	} else if (index == DISPI_ENABLE) {
		dispi_enable(vga, value);
	} else if (index == DISPI_BANK) {
		dispi[DISPI_BANK] = (uint16_t)MIN(value, (vga->vram_len >> 16) - 1);
	} else {
		dispi[index] = value;
	}
	vga_text_follow(vga);
}

uint16_t vga_dispi_read(struct vga *vga, unsigned index)
{
	uint16_t value;

	g_mutex_lock(&vga->lock);
	value = dispi_read(vga, index);
	g_mutex_unlock(&vga->lock);
	return value;
}

void vga_dispi_write(struct vga *vga, unsigned index, uint16_t value)
{
	g_mutex_lock(&vga->lock);
	dispi_write(vga, index, value);
	g_mutex_unlock(&vga->lock);
}

/* 1CE: index; 1CF and 1D0: data. Only words are decoded. */
uint64_t vga_dispi_port_read(struct vga *vga, uint64_t offset, unsigned size)
{
	uint64_t value;

	if (size != 2 || offset > 2)
		return UINT64_MAX;
	g_mutex_lock(&vga->lock);
	value = offset ? dispi_read(vga, vga->reg.dispi_index) : vga->reg.dispi_index;
	g_mutex_unlock(&vga->lock);
	return value;
}

void vga_dispi_port_write(struct vga *vga, uint64_t offset, unsigned size, uint64_t value)
{
	if (size != 2 || offset > 2)
		return;
	g_mutex_lock(&vga->lock);
	if (offset)
		dispi_write(vga, vga->reg.dispi_index, (uint16_t)value);
	else
		vga->reg.dispi_index = (uint16_t)value;
	g_mutex_unlock(&vga->lock);
}

/* Video memory up to its last page that is not all zeros. */
static void vram_state(struct vga *vga, struct state *state)
{
	size_t len = vga->vram_len;
	uint8_t *bytes = vga->vram;

	if (!state_loading(state)) {
		while (len >= VRAM_PAGE && !vga->vram[len - VRAM_PAGE] &&
			!memcmp(&vga->vram[len - VRAM_PAGE], &vga->vram[len - VRAM_PAGE + 1],
				VRAM_PAGE - 1))
			len -= VRAM_PAGE;
		state_blob(state, "vram", &bytes, &len, vga->vram_len);
		return;
	}
	bytes = NULL;
	len = 0;
	state_blob(state, "vram", &bytes, &len, vga->vram_len);
	if (!state_failed(state) && len) /* the rest is as when new */
		memcpy(vga->vram, bytes, len);
	g_free(bytes);
}

void vga_state(struct vga *vga, struct state *state)
{
	struct vga_registers reg = vga->reg;

	STATE(state, reg);
	if (state_loading(state) && reg.dac_part > 2)
		state_fail(state, "part %u of a colour", reg.dac_part);
	if (state_loading(state) && reg.dispi[DISPI_BANK] >= vga->vram_len >> 16)
		state_fail(state, "bank %u", reg.dispi[DISPI_BANK]);
	vram_state(vga, state);
	state_bytes(state, "text", vga->text, VGA_TEXT_LEN);
	if (!state_loading(state) || state_failed(state))
		return;
	g_mutex_lock(&vga->lock);
	vga->reg = reg;
	vga_text_place(vga);
	g_atomic_int_inc(&vga->touched);
	g_mutex_unlock(&vga->lock);
}
