/*
 * Key codes of others into ours (linux/input-event-codes.h): X11 and GDK hardware key codes, AT set 1
 * scan codes as SPICE sends them, names as people write them.
 *
 * Thread: any; pure.
 */
#ifndef IRORI_INPUT_KEYMAP_H
#define IRORI_INPUT_KEYMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An X11 key code under the evdev driver (GdkEventKey.hardware_keycode; XWayland and Wayland too).
 * 0: none of ours. */
uint16_t keymap_from_x11(unsigned keycode);

/* The state of an AT set 1 byte stream: which prefix has been seen. */
struct keymap_at {
	uint8_t prefix; /* 0, 0xe0, 0xe1 */
	uint8_t first;  /* of the two bytes after 0xe1 */
};

/* One more byte. Returns true if a key is complete: its code, and whether it went down. Unknown
 * keys, the fake shifts of old keyboards (0xe0 0x2a) and acknowledgements give false. */
bool keymap_at_byte(struct keymap_at *at, uint8_t byte, uint16_t *code, bool *down);

/* A key by its name: "a", "ret", "f1", "ctrl", "kp_enter", "bracketleft". 0: unknown. */
uint16_t keymap_from_name(const char *name, size_t len);

/* An ASCII character on a US keyboard; 0: it has no key. */
uint16_t keymap_from_char(char c, bool *shift);

#endif
