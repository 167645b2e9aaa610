/*
 * Runs at build time, on the builder: draws the printable ASCII characters of a few DejaVu faces with
 * cairo and writes their coverage as C, for font.h. The demonstration's programs carry pictures of
 * letters, not a font engine.
 */
#include <cairo.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
	FIRST = 32,
	LAST = 126,
	CELL = 96, /* room for the largest glyph */
	ORIGIN = 24,
};

static const struct face {
	const char *name, *family;
	cairo_font_weight_t weight;
	double size;
} faces[] = {
	{ "font_small", "DejaVu Sans", CAIRO_FONT_WEIGHT_NORMAL, 12 },
	{ "font_text", "DejaVu Sans", CAIRO_FONT_WEIGHT_NORMAL, 14 },
	{ "font_bold", "DejaVu Sans", CAIRO_FONT_WEIGHT_BOLD, 14 },
	{ "font_mono", "DejaVu Sans Mono", CAIRO_FONT_WEIGHT_NORMAL, 14 },
	{ "font_mono_small", "DejaVu Sans Mono", CAIRO_FONT_WEIGHT_NORMAL, 11 },
	{ "font_large", "DejaVu Sans", CAIRO_FONT_WEIGHT_BOLD, 46 },
};

struct box {
	int x0, y0, x1, y1;
};

static struct box box_of(const unsigned char *data, int stride)
{
	struct box b = { CELL, CELL, 0, 0 };

	for (int y = 0; y < CELL; y++)
		for (int x = 0; x < CELL; x++)
			if (data[y * stride + x]) {
				b.x0 = x < b.x0 ? x : b.x0;
				b.y0 = y < b.y0 ? y : b.y0;
				b.x1 = x + 1 > b.x1 ? x + 1 : b.x1;
				b.y1 = y + 1 > b.y1 ? y + 1 : b.y1;
			}
	if (b.x1 <= b.x0)
		b = (struct box){ 0, 0, 0, 0 };
	return b;
}

static void draw(cairo_t *cr, char c)
{
	const char string[2] = { c, 0 };

	cairo_set_operator(cr, CAIRO_OPERATOR_CLEAR);
	cairo_paint(cr);
	cairo_set_operator(cr, CAIRO_OPERATOR_OVER);
	cairo_move_to(cr, ORIGIN, CELL - ORIGIN);
	cairo_show_text(cr, string);
}

static void emit(const struct face *face, cairo_t *cr, cairo_surface_t *surface)
{
	const unsigned char *data;
	int stride = cairo_image_surface_get_stride(surface), at = 0;
	struct { struct box box; int advance, at; } glyphs[LAST - FIRST + 1];
	cairo_font_extents_t font;

	cairo_select_font_face(cr, face->family, CAIRO_FONT_SLANT_NORMAL, face->weight);
	cairo_set_font_size(cr, face->size);
	cairo_font_extents(cr, &font);
	printf("static const uint8_t %s_coverage[] = {", face->name);
	for (int c = FIRST; c <= LAST; c++) {
		const char string[2] = { (char)c, 0 };
		cairo_text_extents_t extents;
		struct box b;

		cairo_text_extents(cr, string, &extents);
		draw(cr, (char)c);
		cairo_surface_flush(surface);
		data = cairo_image_surface_get_data(surface);
		b = box_of(data, stride);
		glyphs[c - FIRST].box = b;
		glyphs[c - FIRST].advance = (int)lround(extents.x_advance);
		glyphs[c - FIRST].at = at;
		for (int y = b.y0; y < b.y1; y++)
			for (int x = b.x0; x < b.x1; x++)
				printf("%s%d,", at++ % 24 ? "" : "\n\t", data[y * stride + x]);
	}
	printf("\n};\n\nstatic const struct font_glyph %s_glyphs[] = {\n", face->name);
	for (int i = 0; i <= LAST - FIRST; i++) {
		struct box b = glyphs[i].box;

		printf("\t{ %d, %d, %d, %d, %d, %d },\n", b.x0 - ORIGIN, b.y0 - (CELL - ORIGIN),
		       b.x1 - b.x0, b.y1 - b.y0, glyphs[i].advance, glyphs[i].at);
	}
	printf("};\n\nconst struct font %s = { %s_coverage, %s_glyphs, %d, %d };\n\n", face->name,
	       face->name, face->name, (int)lround(font.ascent), (int)lround(font.height));
}

int main(void)
{
	cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_A8, CELL, CELL);
	cairo_t *cr = cairo_create(surface);
	cairo_font_options_t *options = cairo_font_options_create();

	cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
	cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_SLIGHT);
	cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_ON);
	cairo_set_font_options(cr, options);
	printf("/* Made by font-gen from the DejaVu fonts. */\n"
	       "#include \"demo/programs/font.h\"\n\n");
	for (unsigned i = 0; i < sizeof faces / sizeof *faces; i++)
		emit(&faces[i], cr, surface);
	cairo_font_options_destroy(options);
	cairo_destroy(cr);
	cairo_surface_destroy(surface);
	return 0;
}
