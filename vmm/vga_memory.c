/*
 * The CPU's window on the memory of a VGA, 0xa0000 to 0xbffff: four planes behind a latch, with odd
 * and even addresses in planes of their own for text, four in a row for 256 colours, and banks of
 * the linear modes.
 */
#include "vmm/vga.h"

#include <string.h>

enum vga_memory_bits {
	GFX_SET_RESET = 0,
	GFX_ENABLE_SET_RESET = 1,
	GFX_COMPARE = 2,
	GFX_ROTATE = 3,
	GFX_READ_PLANE = 4,
	GFX_MODE = 5,
	GFX_MISC = 6,
	GFX_COMPARE_MASK = 7,
	GFX_BIT_MASK = 8,
	SEQ_PLANES = 2,
	SEQ_MEMORY = 4,

	MODE_READ_COMPARE = 0x08,
	MODE_READ_ODD_EVEN = 0x10,
	MISC_GRAPHICS = 0x01,
	MISC_ODD_EVEN = 0x02,
	MEMORY_NOT_ODD_EVEN = 0x04,
	MEMORY_CHAIN4 = 0x08,
};

/* Where each setting of bits 3..2 of the miscellaneous graphics register has the window. */
static const struct {
	uint32_t base, len;
} maps[4] = {
	{ 0x00000, 0x20000 }, { 0x00000, 0x10000 }, { 0x10000, 0x08000 }, { 0x18000, 0x08000 },
};

static bool text_wanted(const struct vga_registers *reg)
{
	return (reg->gfx[GFX_MISC] & 0x0f) == 0x0e &&
		!(reg->seq[SEQ_MEMORY] & (MEMORY_CHAIN4 | MEMORY_NOT_ODD_EVEN)) &&
		(reg->seq[SEQ_PLANES] & 0x0f) == 0x03 && !(reg->dispi[DISPI_ENABLE] & DISPI_ENABLED);
}

/* Text as the CPU sees it has characters at even and attributes at odd addresses; the planes have
 * them at the even addresses of plane 0 and of plane 1. */
void vga_text_follow(struct vga *vga)
{
	bool plain = text_wanted(&vga->reg);

	if (plain == vga->text_plain)
		return;
	if (!plain)
		vga_text_place(vga); /* first: nobody writes what is being moved */
	for (unsigned at = 0; at < VGA_TEXT_LEN; at++) {
		uint8_t *byte = &vga->vram[(at & ~1u) * 4 + (at & 1)];

		if (plain)
			vga->text[at] = *byte;
		else
			*byte = vga->text[at];
	}
	vga_text_place(vga);
}

void vga_text_place(struct vga *vga)
{
	bool plain = text_wanted(&vga->reg);

	if (plain == vga->text_plain)
		return;
	vga->text_plain = plain;
	if (vga->text_changed)
		vga->text_changed(vga->owner, plain);
}

/* From an offset in the window to one in the memory behind it; false: nothing is there. */
static bool window_at(const struct vga *vga, uint64_t offset, uint32_t *at)
{
	unsigned map = vga->reg.gfx[GFX_MISC] >> 2 & 3;

	if (offset < maps[map].base || offset - maps[map].base >= maps[map].len)
		return false;
	*at = (uint32_t)(offset - maps[map].base);
	return true;
}

static bool banked(const struct vga *vga)
{
	return vga->reg.dispi[DISPI_ENABLE] & DISPI_ENABLED &&
		vga->reg.seq[SEQ_MEMORY] & MEMORY_CHAIN4;
}

/* The byte in vram of chained accesses, or NULL. */
static uint8_t *chained(struct vga *vga, uint32_t at)
{
	uint64_t byte = at;

	if (banked(vga))
		byte += (uint64_t)vga->reg.dispi[DISPI_BANK] << 16;
	else
		byte &= VGA_PLANE * 4 - 1;
	return byte < vga->vram_len ? &vga->vram[byte] : NULL;
}

/* The four planes' bytes at an address. The banks of 16-colour linear modes count as well. */
static uint8_t *planes(struct vga *vga, uint32_t at)
{
	uint64_t byte = at & (VGA_PLANE - 1);

	if (vga->reg.dispi[DISPI_ENABLE] & DISPI_ENABLED)
		byte += (uint64_t)vga->reg.dispi[DISPI_BANK] << 16;
	byte *= 4;
	return byte + 4 <= vga->vram_len ? &vga->vram[byte] : NULL;
}

static uint8_t planar_read(struct vga *vga, uint32_t at)
{
	struct vga_registers *reg = &vga->reg;
	const uint8_t *from = planes(vga, at);
	uint8_t same = 0xff;

	if (!from)
		return 0xff;
	memcpy(reg->latch, from, 4);
	if (!(reg->gfx[GFX_MODE] & MODE_READ_COMPARE))
		return reg->latch[reg->gfx[GFX_READ_PLANE] & 3];
	for (unsigned p = 0; p < 4; p++) {
		uint8_t wanted = reg->gfx[GFX_COMPARE] >> p & 1 ? 0xff : 0;

		if (reg->gfx[GFX_COMPARE_MASK] >> p & 1)
			same &= (uint8_t)~(reg->latch[p] ^ wanted);
	}
	return same;
}

static uint8_t window_read(struct vga *vga, uint64_t offset)
{
	const uint8_t *byte;
	uint32_t at;

	if (!window_at(vga, offset, &at))
		return 0xff;
	if (vga->text_plain)
		return vga->text[at];
	if (vga->reg.seq[SEQ_MEMORY] & MEMORY_CHAIN4) {
		byte = chained(vga, at);
		return byte ? *byte : 0xff;
	}
	if (vga->reg.gfx[GFX_MODE] & MODE_READ_ODD_EVEN) {
		byte = planes(vga, at & ~1u);
		return byte ? byte[(vga->reg.gfx[GFX_READ_PLANE] & 2) | (at & 1)] : 0xff;
	}
	return planar_read(vga, at);
}

static uint8_t combine(const struct vga_registers *reg, uint8_t value, uint8_t latch)
{
	switch (reg->gfx[GFX_ROTATE] >> 3 & 3) {
	case 1:
		return value & latch;
	case 2:
		return value | latch;
	case 3:
		return value ^ latch;
	default:
		return value;
	}
}

static uint8_t rotated(const struct vga_registers *reg, uint8_t value)
{
	unsigned by = reg->gfx[GFX_ROTATE] & 7;

	return (uint8_t)(value >> by | value << (8 - by));
}

/* What one plane gets in each of the four write modes. */
static uint8_t planar_value(const struct vga_registers *reg, unsigned p, uint8_t value)
{
	uint8_t set = reg->gfx[GFX_SET_RESET] >> p & 1 ? 0xff : 0;
	uint8_t mask = reg->gfx[GFX_BIT_MASK];
	uint8_t latch = reg->latch[p];

	switch (reg->gfx[GFX_MODE] & 3) {
	case 1:
		return latch;
	case 2:
		value = value >> p & 1 ? 0xff : 0;
		break;
	case 3:
		mask &= rotated(reg, value);
		value = set;
		break;
	default:
		value = reg->gfx[GFX_ENABLE_SET_RESET] >> p & 1 ? set : rotated(reg, value);
		break;
	}
	value = combine(reg, value, latch);
	return (uint8_t)((value & mask) | (latch & ~mask));
}

static void planar_write(struct vga *vga, uint32_t at, uint8_t value, unsigned enabled)
{
	uint8_t *to = planes(vga, at);

	for (unsigned p = 0; to && p < 4; p++)
		if (enabled >> p & 1)
			to[p] = planar_value(&vga->reg, p, value);
}

static void window_write(struct vga *vga, uint64_t offset, uint8_t value)
{
	unsigned enabled = vga->reg.seq[SEQ_PLANES];
	uint8_t *byte;
	uint32_t at;

	if (!window_at(vga, offset, &at))
		return;
	if (vga->text_plain) {
		vga->text[at] = value;
	} else if (vga->reg.seq[SEQ_MEMORY] & MEMORY_CHAIN4) {
		byte = chained(vga, at);
		if (byte && enabled >> (at & 3) & 1)
			*byte = value;
	} else if (!(vga->reg.seq[SEQ_MEMORY] & MEMORY_NOT_ODD_EVEN)) {
		planar_write(vga, at & ~1u, value, enabled & (at & 1 ? 0xa : 0x5));
	} else {
		planar_write(vga, at, value, enabled);
	}
}

uint64_t vga_window_read(struct vga *vga, uint64_t offset, unsigned size)
{
	uint64_t value = 0;

	g_mutex_lock(&vga->lock);
	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)window_read(vga, offset + i) << (8 * i);
	g_mutex_unlock(&vga->lock);
	return value;
}

void vga_window_write(struct vga *vga, uint64_t offset, unsigned size, uint64_t value)
{
	g_mutex_lock(&vga->lock);
	for (unsigned i = 0; i < size; i++)
		window_write(vga, offset + i, (uint8_t)(value >> (8 * i)));
	g_atomic_int_inc(&vga->touched);
	g_mutex_unlock(&vga->lock);
}
