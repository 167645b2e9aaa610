/*
 * Ogg, Theora and Vorbis through the libraries of that name. The file is in memory; a track is one
 * walk through its pages that takes the packets of one stream.
 */
#include "demo/programs/media.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <ogg/ogg.h>
#include <theora/theoradec.h>
#include <vorbis/codec.h>

struct track {
	const uint8_t *data;
	size_t size, at;
	ogg_sync_state sync;
	ogg_stream_state stream;
	bool bound; /* to the stream that begins with `magic` */
	const char *magic;
	unsigned headers; /* packets still to be taken for headers */
};

struct media {
	struct media_info info;
	struct track video, audio;

	th_info th;
	th_dec_ctx *decoder;
	unsigned picture_x, picture_y;

	vorbis_info vi;
	vorbis_comment vc;
	vorbis_dsp_state dsp;
	vorbis_block block;
	bool sound_ready;
};

enum {
	MEDIA_HEADERS = 3, /* of Theora and of Vorbis alike */
	TRACK_CHUNK = 16384,
};

static void track_begin(struct track *t, const uint8_t *data, size_t size, const char *magic)
{
	*t = (struct track){ .data = data, .size = size, .magic = magic, .headers = MEDIA_HEADERS };
	ogg_sync_init(&t->sync);
}

static void track_rewind(struct track *t)
{
	ogg_sync_reset(&t->sync);
	ogg_stream_reset(&t->stream);
	t->at = 0;
	t->headers = MEDIA_HEADERS;
}

static void track_end(struct track *t)
{
	ogg_sync_clear(&t->sync);
	if (t->bound)
		ogg_stream_clear(&t->stream);
}

/* 1: a page; 0: the end of the clip; -errno. */
static int track_page(struct track *t, ogg_page *page)
{
	for (;;) {
		int got = ogg_sync_pageout(&t->sync, page);
		size_t n = t->size - t->at;
		char *to;

		if (got > 0)
			return 1;
		if (got < 0) /* bytes skipped: look again */
			continue;
		if (!n)
			return 0;
		n = n < TRACK_CHUNK ? n : TRACK_CHUNK;
		to = ogg_sync_buffer(&t->sync, (long)n);
		if (!to)
			return -ENOMEM;
		memcpy(to, t->data + t->at, n);
		ogg_sync_wrote(&t->sync, (long)n);
		t->at += n;
	}
}

static bool track_is_first(const struct track *t, const ogg_page *page)
{
	size_t length = strlen(t->magic);

	return ogg_page_bos(page) && (size_t)page->body_len > length &&
	       !memcmp(page->body, t->magic, length);
}

/* 1: a packet; 0: the end; -errno. */
static int track_packet(struct track *t, ogg_packet *packet)
{
	for (;;) {
		ogg_page page;
		int got = t->bound ? ogg_stream_packetout(&t->stream, packet) : 0;

		if (got > 0)
			return 1;
		if (got < 0)
			continue;
		got = track_page(t, &page);
		if (got <= 0)
			return got;
		if (!t->bound && track_is_first(t, &page)) {
			if (ogg_stream_init(&t->stream, ogg_page_serialno(&page)))
				return -ENOMEM;
			t->bound = true;
		}
		if (t->bound && ogg_page_serialno(&page) == t->stream.serialno)
			ogg_stream_pagein(&t->stream, &page);
	}
}

/* A packet that is not a header, after a rewind too. */
static int track_data(struct track *t, ogg_packet *packet)
{
	int got;

	do {
		got = track_packet(t, packet);
	} while (got > 0 && t->headers && t->headers--);
	return got;
}

static int media_open_video(struct media *m)
{
	th_setup_info *setup = NULL;
	th_comment comment;
	int err = 0;

	th_info_init(&m->th);
	th_comment_init(&comment);
	for (; m->video.headers; m->video.headers--) {
		ogg_packet packet;
		int got = track_packet(&m->video, &packet);

		if (got <= 0 || th_decode_headerin(&m->th, &comment, &setup, &packet) <= 0) {
			err = got < 0 ? got : -EILSEQ;
			goto out;
		}
	}
	if (m->th.pixel_fmt != TH_PF_420 || !m->th.fps_denominator || !m->th.fps_numerator) {
		err = -ENOTSUP;
		goto out;
	}
	m->decoder = th_decode_alloc(&m->th, setup);
	if (!m->decoder) {
		err = -ENOMEM;
		goto out;
	}
	m->picture_x = m->th.pic_x & ~1u; /* chroma has no odd ones */
	m->picture_y = m->th.pic_y & ~1u;
	m->info.width = m->th.pic_width;
	m->info.height = m->th.pic_height;
	m->info.fps_mhz = (uint32_t)((m->th.fps_numerator * 1000ull + m->th.fps_denominator / 2) /
				     m->th.fps_denominator);
	if (!m->info.fps_mhz || m->info.fps_mhz > 1000000 || !m->info.width || !m->info.height)
		err = -ENOTSUP;
out:
	th_setup_free(setup);
	th_comment_clear(&comment);
	return err;
}

/* The last page of pictures says how many there are. Leaves the track rewound. */
static int media_count_pictures(struct media *m)
{
	ogg_int64_t last = -1;
	ogg_page page;
	int got;

	track_rewind(&m->video);
	while ((got = track_page(&m->video, &page)) > 0)
		if (ogg_page_serialno(&page) == m->video.stream.serialno &&
		    ogg_page_granulepos(&page) >= 0)
			last = ogg_page_granulepos(&page);
	if (got < 0)
		return got;
	track_rewind(&m->video);
	last = th_granule_frame(m->decoder, last);
	m->info.frames = last < 0 ? 0 : (uint64_t)last + 1;
	return m->info.frames ? 0 : -EILSEQ;
}

static int media_open_sound(struct media *m)
{
	vorbis_info_init(&m->vi);
	vorbis_comment_init(&m->vc);
	for (; m->audio.headers; m->audio.headers--) {
		ogg_packet packet;
		int got = track_packet(&m->audio, &packet);

		if (got < 0)
			return got;
		if (!got && m->audio.headers == MEDIA_HEADERS)
			return 0; /* a silent film */
		if (!got || vorbis_synthesis_headerin(&m->vi, &m->vc, &packet))
			return -EILSEQ;
	}
	if (vorbis_synthesis_init(&m->dsp, &m->vi))
		return -EILSEQ;
	vorbis_block_init(&m->dsp, &m->block);
	m->sound_ready = true;
	m->info.rate = (unsigned)m->vi.rate;
	m->info.channels = (unsigned)m->vi.channels;
	return 0;
}

int media_open(struct media **media, const uint8_t *data, size_t size)
{
	struct media *m = calloc(1, sizeof *m);
	int err;

	if (!m)
		return -ENOMEM;
	track_begin(&m->video, data, size, "\x80theora");
	track_begin(&m->audio, data, size, "\x01vorbis");
	err = media_open_video(m);
	if (!err)
		err = media_count_pictures(m);
	if (!err)
		err = media_open_sound(m);
	if (err) {
		media_close(m);
		return err;
	}
	*media = m;
	return 0;
}

void media_close(struct media *m)
{
	if (m->sound_ready) {
		vorbis_block_clear(&m->block);
		vorbis_dsp_clear(&m->dsp);
	}
	vorbis_comment_clear(&m->vc);
	vorbis_info_clear(&m->vi);
	if (m->decoder)
		th_decode_free(m->decoder);
	th_info_clear(&m->th);
	track_end(&m->video);
	track_end(&m->audio);
	free(m);
}

const struct media_info *media_about(const struct media *m)
{
	return &m->info;
}

int media_picture(struct media *m, struct convert_plane planes[3])
{
	th_ycbcr_buffer picture;
	ogg_packet packet;
	int got = track_data(&m->video, &packet);

	if (got <= 0)
		return got;
	got = th_decode_packetin(m->decoder, &packet, NULL);
	if (got < 0 && got != TH_EBADPACKET) /* a bad packet shows the last picture again */
		return -EILSEQ;
	if (th_decode_ycbcr_out(m->decoder, picture))
		return -EILSEQ;
	for (int i = 0; i < 3; i++) {
		unsigned shift = i ? 1 : 0;

		planes[i].stride = picture[i].stride;
		planes[i].data = picture[i].data + (m->picture_x >> shift) +
				 (ptrdiff_t)(m->picture_y >> shift) * picture[i].stride;
	}
	return 1;
}

void media_picture_rewind(struct media *m)
{
	track_rewind(&m->video);
}

static int16_t media_sample(float value)
{
	float scaled = value * 32767.0f;

	if (scaled > 32767.0f)
		return 32767;
	return scaled < -32768.0f ? -32768 : (int16_t)lrintf(scaled);
}

int media_sound(struct media *m, int16_t *samples, unsigned frames)
{
	unsigned done = 0;

	while (m->sound_ready && done < frames) {
		ogg_packet packet;
		float **pcm;
		int ready = vorbis_synthesis_pcmout(&m->dsp, &pcm), got;

		if (ready > 0) {
			unsigned n = (unsigned)ready < frames - done ? (unsigned)ready : frames - done;

			for (unsigned i = 0; i < n; i++)
				for (unsigned c = 0; c < m->info.channels; c++)
					*samples++ = media_sample(pcm[c][i]);
			vorbis_synthesis_read(&m->dsp, (int)n);
			done += n;
			continue;
		}
		got = track_data(&m->audio, &packet);
		if (got < 0)
			return got;
		if (!got)
			break;
		if (!vorbis_synthesis(&m->block, &packet))
			vorbis_synthesis_blockin(&m->dsp, &m->block);
	}
	return (int)done;
}

void media_sound_rewind(struct media *m)
{
	track_rewind(&m->audio);
	if (m->sound_ready)
		vorbis_synthesis_restart(&m->dsp);
}
