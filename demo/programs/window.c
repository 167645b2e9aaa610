/* Frames, titles and shadows. */
#include "demo/programs/window.h"

#include "demo/programs/hearth.h"

struct rect window_inside(const struct window *w)
{
	return (struct rect){ w->frame.x, w->frame.y + WINDOW_TITLE, w->frame.width,
			      w->frame.height - WINDOW_TITLE };
}

struct rect window_extent(const struct window *w)
{
	struct rect r = rect_grow(w->frame, WINDOW_REACH);

	r.height += WINDOW_DROP;
	return r;
}

bool window_in_title(const struct window *w, int x, int y)
{
	return rect_has((struct rect){ w->frame.x, w->frame.y, w->frame.width, WINDOW_TITLE }, x, y);
}

static void window_draw_title(struct window *w, struct canvas *c, bool active)
{
	struct rect bar = { w->frame.x, w->frame.y, w->frame.width, WINDOW_TITLE };
	struct rect line = { bar.x, bar.y + bar.height - 1, bar.width, 1 };
	int middle = bar.y + WINDOW_TITLE / 2;
	int wide = canvas_text_width(&font_bold, w->app->title);

	canvas_round(c, bar, WINDOW_RADIUS, CANVAS_TOP, active ? 0xff4a2d1cu : 0xff2e1d14u);
	canvas_fill(c, line, active ? HEARTH_EMBER : 0xff3d281cu);
	canvas_disc(c, (float)bar.x + 18, (float)middle, 5.5f, active ? HEARTH_EMBER : 0xff5a4032u);
	if (active)
		canvas_disc(c, (float)bar.x + 18, (float)middle, 2.5f, 0xffffe0a8u);
	canvas_text(c, &font_bold, bar.x + (bar.width - wide) / 2, middle + 5,
		    active ? HEARTH_CREAM : 0xff9c8878u, w->app->title);
}

void window_draw(struct window *w, struct canvas *c, bool active)
{
	struct rect clip = c->clip, inside = window_inside(w), cast = rect_grow(w->frame, -6);

	if (!rect_meet(window_extent(w), clip).width)
		return;
	cast.y += WINDOW_DROP;
	canvas_shadow(c, cast, rect_grow(w->frame, -WINDOW_RADIUS), WINDOW_REACH, active ? 0xc0000000u : 0x88000000u);
	if (!rect_meet(w->frame, clip).width)
		return;
	canvas_round(c, rect_grow(w->frame, 1), WINDOW_RADIUS + 1, CANVAS_ALL, 0x38ffd0a0u);
	canvas_round(c, inside, WINDOW_RADIUS, CANVAS_BOTTOM, HEARTH_BARK);
	window_draw_title(w, c, active);
	c->clip = rect_meet(clip, inside);
	if (c->clip.width && w->app->draw)
		w->app->draw(w, c, inside);
	c->clip = clip;
}
