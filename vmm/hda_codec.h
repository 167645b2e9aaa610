/*
 * The codec behind an Intel HD Audio controller: one DAC to a line-out pin, one ADC from a microphone
 * pin, each with an amplifier that acts on the sound.
 *
 *	2 DAC (mute, gain) --> 3 line-out pin	4 ADC (mute, gain) <-- 5 microphone pin
 *
 * Pure: no time, no memory, no thread of its own. Source: Intel High Definition Audio Specification
 * 1.0a, section 7.
 */
#ifndef IRORI_VMM_HDA_CODEC_H
#define IRORI_VMM_HDA_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hda_nodes {
	HDA_ROOT,
	HDA_FUNCTION, /* the audio function group */
	HDA_DAC,
	HDA_LINE_OUT,
	HDA_ADC,
	HDA_MICROPHONE,
	HDA_NODES
};

enum hda_amp {
	HDA_AMP_STEPS = 0x3f, /* 1 dB each; the last is 0 dB */
	HDA_AMP_MUTE = 0x80,
};

/* What a driver can change of a node. */
struct hda_node {
	uint8_t power, converter, pin_control, unsolicited; /* converter: stream tag << 4 | channel */
	uint16_t format;
	uint8_t amp[2]; /* left, right: HDA_AMP_MUTE | gain */
	uint32_t config_default;
};

struct hda_codec {
	uint32_t subsystem;
	struct hda_node node[HDA_NODES];
};

struct hda_format {
	uint32_t rate, channels;
};

/* As after power-on. */
void hda_codec_reset(struct hda_codec *codec);
/* Carries out a verb (28 bits: node, verb, payload); the answer. Unknown ones answer 0. */
uint32_t hda_codec_verb(struct hda_codec *codec, uint32_t verb);

/* The stream tag that the DAC or the ADC listens to; 0: none. */
unsigned hda_codec_tag(const struct hda_codec *codec, unsigned node);
/* Applies the amplifier of the DAC or the ADC to whole frames, in place; silence where the pin
 * is off or the node asleep. */
void hda_codec_amplify(const struct hda_codec *codec, unsigned node, int16_t *sample, size_t frames,
	unsigned channels);

/* The formats that the codec does: 16 bits, 44.1 or 48 kHz, one or two channels. False: another. */
bool hda_format_parse(uint16_t format, struct hda_format *to);

#endif
