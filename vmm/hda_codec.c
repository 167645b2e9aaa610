/*
 * The codec of the HD Audio controller: what its nodes say of themselves, and the verbs, as tables.
 * Source: Intel High Definition Audio Specification 1.0a, sections 7.3.3 (verbs), 7.3.4 (parameters).
 */
#include "vmm/hda_codec.h"

#include <glib.h>
#include <string.h>

#define HDA_VENDOR 0x49520001u    /* no vendor's: drivers take the codec by its class */
#define HDA_SUBSYSTEM 0x49520101u

enum codec_parameters {
	PARAM_VENDOR = 0x00,
	PARAM_REVISION = 0x02,
	PARAM_NODES = 0x04,
	PARAM_FUNCTION = 0x05,
	PARAM_FUNCTION_CAPS = 0x08,
	PARAM_WIDGET_CAPS = 0x09,
	PARAM_RATES = 0x0a,
	PARAM_FORMATS = 0x0b,
	PARAM_PIN_CAPS = 0x0c,
	PARAM_AMP_IN = 0x0d,
	PARAM_CONNECTIONS = 0x0e,
	PARAM_POWER = 0x0f,
	PARAM_AMP_OUT = 0x12,
	PARAMS
};

enum codec_values {
	RATES_16BIT_44_48 = 0x00020060,
	FORMAT_PCM = 1,
	POWER_D0_D3 = 0x09,
	/* mute, 1 dB a step, so many steps, 0 dB at the last */
	AMP_CAPS = 0x80000000u | 3 << 16 | HDA_AMP_STEPS << 8 | HDA_AMP_STEPS,
	/* widgets: stereo 1, in amp 2, out amp 4, own amp 8, own format 0x10, inputs 0x100, power 0x400 */
	WIDGET_DAC = 0x0041d,
	WIDGET_ADC = 0x10051b,
	WIDGET_PIN_OUT = 0x400501,
	WIDGET_PIN_IN = 0x400401,
	PIN_OUTPUT = 0x10,
	PIN_INPUT = 0x20,
	PIN_OUT_ON = 0x40,
	PIN_IN_ON = 0x20,
	/* configuration defaults: jacks at the back whose plugs are not sensed, green and pink */
	DEFAULT_LINE_OUT = 0x01014110,
	DEFAULT_MICROPHONE = 0x01a19120,
	FORMAT_48_16_2 = 0x0011,
};

static const uint32_t parameters[HDA_NODES][PARAMS] = {
	[HDA_ROOT] = {
		[PARAM_VENDOR] = HDA_VENDOR,
		[PARAM_REVISION] = 0x00100101,
		[PARAM_NODES] = HDA_FUNCTION << 16 | 1,
	},
	[HDA_FUNCTION] = {
		[PARAM_NODES] = HDA_DAC << 16 | (HDA_NODES - HDA_DAC),
		[PARAM_FUNCTION] = 1,
		[PARAM_FUNCTION_CAPS] = 0x0808,
		[PARAM_RATES] = RATES_16BIT_44_48,
		[PARAM_FORMATS] = FORMAT_PCM,
		[PARAM_POWER] = POWER_D0_D3,
	},
	[HDA_DAC] = {
		[PARAM_WIDGET_CAPS] = WIDGET_DAC,
		[PARAM_RATES] = RATES_16BIT_44_48,
		[PARAM_FORMATS] = FORMAT_PCM,
		[PARAM_POWER] = POWER_D0_D3,
		[PARAM_AMP_OUT] = AMP_CAPS,
	},
	[HDA_LINE_OUT] = {
		[PARAM_WIDGET_CAPS] = WIDGET_PIN_OUT,
		[PARAM_PIN_CAPS] = PIN_OUTPUT,
		[PARAM_CONNECTIONS] = 1,
		[PARAM_POWER] = POWER_D0_D3,
	},
	[HDA_ADC] = {
		[PARAM_WIDGET_CAPS] = WIDGET_ADC,
		[PARAM_RATES] = RATES_16BIT_44_48,
		[PARAM_FORMATS] = FORMAT_PCM,
		[PARAM_CONNECTIONS] = 1,
		[PARAM_POWER] = POWER_D0_D3,
		[PARAM_AMP_IN] = AMP_CAPS,
	},
	[HDA_MICROPHONE] = {
		[PARAM_WIDGET_CAPS] = WIDGET_PIN_IN,
		[PARAM_PIN_CAPS] = PIN_INPUT,
		[PARAM_POWER] = POWER_D0_D3,
	},
};

/* The first and only entry of each connection list. */
static const uint8_t connected[HDA_NODES] = {
	[HDA_LINE_OUT] = HDA_DAC,
	[HDA_ADC] = HDA_MICROPHONE,
};

static const uint32_t defaults[HDA_NODES] = {
	[HDA_LINE_OUT] = DEFAULT_LINE_OUT,
	[HDA_MICROPHONE] = DEFAULT_MICROPHONE,
};

static bool node_converts(unsigned n)
{
	return n == HDA_DAC || n == HDA_ADC;
}

void hda_codec_reset(struct hda_codec *codec)
{
	memset(codec, 0, sizeof(*codec));
	codec->subsystem = HDA_SUBSYSTEM;
	for (unsigned n = 0; n < HDA_NODES; n++) {
		struct hda_node *node = &codec->node[n];

		node->config_default = defaults[n];
		if (node_converts(n)) {
			node->format = FORMAT_48_16_2;
			node->amp[0] = node->amp[1] = HDA_AMP_STEPS;
		}
	}
	codec->node[HDA_LINE_OUT].pin_control = PIN_OUT_ON;
	codec->node[HDA_MICROPHONE].pin_control = PIN_IN_ON;
}

/* ---- verbs: each is given the node's number and the payload, and answers ---- */

typedef uint32_t (*codec_verb)(struct hda_codec *codec, unsigned n, uint32_t payload);

static uint32_t get_parameter(struct hda_codec *codec, unsigned n, uint32_t payload)
{
	return payload < PARAMS ? parameters[n][payload] : 0;
}

static uint32_t get_connections(struct hda_codec *codec, unsigned n, uint32_t payload)
{
	return payload < 4 ? connected[n] : 0;
}

static uint32_t get_power(struct hda_codec *codec, unsigned n, uint32_t payload)
{
	return codec->node[n].power << 4 | codec->node[n].power;
}

static uint32_t set_power(struct hda_codec *codec, unsigned n, uint32_t payload)
{
	if (parameters[n][PARAM_POWER])
		codec->node[n].power = payload & 3;
	return 0;
}

static uint32_t get_converter(struct hda_codec *codec, unsigned n, uint32_t payload)
{
	return codec->node[n].converter;
}

static uint32_t set_converter(struct hda_codec *codec, unsigned n, uint32_t payload)
{
	if (node_converts(n))
		codec->node[n].converter = (uint8_t)payload;
	return 0;
}

static uint32_t get_pin(struct hda_codec *codec, unsigned n, uint32_t payload)
{
	return codec->node[n].pin_control;
}

static uint32_t set_pin(struct hda_codec *codec, unsigned n, uint32_t payload)
{
	if (parameters[n][PARAM_PIN_CAPS])
		codec->node[n].pin_control = payload &
			(parameters[n][PARAM_PIN_CAPS] == PIN_OUTPUT ? PIN_OUT_ON : PIN_IN_ON);
	return 0;
}

static uint32_t get_unsolicited(struct hda_codec *codec, unsigned n, uint32_t payload)
{
	return codec->node[n].unsolicited;
}

static uint32_t set_unsolicited(struct hda_codec *codec, unsigned n, uint32_t payload)
{
	codec->node[n].unsolicited = (uint8_t)payload;
	return 0;
}

/* Something is plugged in, always. */
static uint32_t get_sense(struct hda_codec *codec, unsigned n, uint32_t payload)
{
	return parameters[n][PARAM_PIN_CAPS] ? 1u << 31 : 0;
}

static uint32_t get_default(struct hda_codec *codec, unsigned n, uint32_t payload)
{
	return codec->node[n].config_default;
}

static uint32_t get_subsystem(struct hda_codec *codec, unsigned n, uint32_t payload)
{
	return n == HDA_FUNCTION ? codec->subsystem : 0;
}

static uint32_t get_format(struct hda_codec *codec, unsigned n, uint32_t payload)
{
	return codec->node[n].format;
}

static uint32_t set_format(struct hda_codec *codec, unsigned n, uint32_t payload)
{
	if (node_converts(n))
		codec->node[n].format = (uint16_t)payload;
	return 0;
}

/* Bit 15: output, else input; bit 13: left, else right. */
static bool amp_is_there(unsigned n, bool output)
{
	return n == (output ? HDA_DAC : HDA_ADC);
}

static uint32_t get_amp(struct hda_codec *codec, unsigned n, uint32_t payload)
{
	if (!amp_is_there(n, payload >> 15 & 1))
		return 0;
	return codec->node[n].amp[payload >> 13 & 1 ? 0 : 1];
}

/* Bits 15, 14: output, input; 13, 12: left, right; 11..8: which input; 7: mute; 6..0: gain. */
static uint32_t set_amp(struct hda_codec *codec, unsigned n, uint32_t payload)
{
	uint8_t value = (uint8_t)((payload & HDA_AMP_MUTE) | MIN(payload & 0x7f, HDA_AMP_STEPS));

	if (!(payload >> 15 & 1 && amp_is_there(n, true)) &&
		!(payload >> 14 & 1 && amp_is_there(n, false)))
		return 0;
	if (payload >> 13 & 1)
		codec->node[n].amp[0] = value;
	if (payload >> 12 & 1)
		codec->node[n].amp[1] = value;
	return 0;
}

/* A reset of the function group keeps what firmware has said about the board. */
static uint32_t reset_function(struct hda_codec *codec, unsigned n, uint32_t payload)
{
	struct hda_codec before = *codec;

	if (n != HDA_FUNCTION)
		return 0;
	hda_codec_reset(codec);
	codec->subsystem = before.subsystem;
	for (unsigned i = 0; i < HDA_NODES; i++)
		codec->node[i].config_default = before.node[i].config_default;
	return 0;
}

static const struct {
	uint16_t id; /* 12 bits, or the 4 high ones of a verb with a long payload */
	codec_verb carry_out;
} verbs[] = {
	{ 0x200, set_format },
	{ 0x300, set_amp },
	{ 0xa00, get_format },
	{ 0xb00, get_amp },
	{ 0xf00, get_parameter },
	{ 0xf02, get_connections },
	{ 0xf05, get_power },
	{ 0x705, set_power },
	{ 0xf06, get_converter },
	{ 0x706, set_converter },
	{ 0xf07, get_pin },
	{ 0x707, set_pin },
	{ 0xf08, get_unsolicited },
	{ 0x708, set_unsolicited },
	{ 0xf09, get_sense },
	{ 0xf1c, get_default },
	{ 0xf20, get_subsystem },
	{ 0x7ff, reset_function },
};

/* Four verbs that set a byte each of the subsystem, or of a pin's configuration default. */
static void set_byte(uint32_t *value, unsigned byte, uint32_t payload)
{
	*value = (*value & ~(0xffu << (8 * byte))) | (payload & 0xff) << (8 * byte);
}

uint32_t hda_codec_verb(struct hda_codec *codec, uint32_t verb)
{
	unsigned n = verb >> 20 & 0xff, id = verb >> 8 & 0xfff;
	uint32_t payload = verb & 0xff;

	if (n >= HDA_NODES)
		return 0;
	if (id >> 8 != 0x7 && id >> 8 != 0xf) {
		id &= 0xf00;
		payload = verb & 0xffff;
	}
	if (id >= 0x71c && id <= 0x71f && parameters[n][PARAM_PIN_CAPS])
		set_byte(&codec->node[n].config_default, id - 0x71c, payload);
	if (id >= 0x720 && id <= 0x723 && n == HDA_FUNCTION)
		set_byte(&codec->subsystem, id - 0x720, payload);
	for (unsigned i = 0; i < G_N_ELEMENTS(verbs); i++)
		if (verbs[i].id == id)
			return verbs[i].carry_out(codec, n, payload);
	return 0;
}

unsigned hda_codec_tag(const struct hda_codec *codec, unsigned node)
{
	return codec->node[node].converter >> 4;
}

/* A step of 1 dB down, in parts of 65536. */
enum { AMP_STEP = 58409 };

static uint32_t amp_factor(uint8_t amp)
{
	uint64_t factor = 65536;

	if (amp & HDA_AMP_MUTE)
		return 0;
	for (unsigned step = MIN(amp, HDA_AMP_STEPS); step < HDA_AMP_STEPS; step++)
		factor = factor * AMP_STEP >> 16;
	return (uint32_t)factor;
}

static bool path_open(const struct hda_codec *codec, unsigned node)
{
	unsigned pin = node == HDA_DAC ? HDA_LINE_OUT : HDA_MICROPHONE;

	return codec->node[pin].pin_control && !codec->node[pin].power &&
		!codec->node[node].power && !codec->node[HDA_FUNCTION].power;
}

void hda_codec_amplify(const struct hda_codec *codec, unsigned node, int16_t *sample, size_t frames,
	unsigned channels)
{
	bool open = path_open(codec, node);
	uint32_t factor[2] = {
		open ? amp_factor(codec->node[node].amp[0]) : 0,
		open ? amp_factor(codec->node[node].amp[1]) : 0,
	};

	if (factor[0] == 65536 && factor[1] == 65536)
		return;
	for (size_t i = 0; i < frames * channels; i++) {
		int32_t value = GINT16_FROM_LE(sample[i]);

		value = (int32_t)((int64_t)value * factor[i % channels & 1] / 65536);
		sample[i] = GINT16_TO_LE((int16_t)value);
	}
}

/* Bit 15: not PCM; 14: 44.1 kHz, else 48; 13..11: times; 10..8: divided by; 6..4: bits, 1 is 16;
 * 3..0: channels less one. */
bool hda_format_parse(uint16_t format, struct hda_format *to)
{
	to->rate = format & 1 << 14 ? 44100 : 48000;
	to->channels = (format & 0xf) + 1u;
	return (format & 0xbff0) == 0x10 && to->channels <= 2;
}
