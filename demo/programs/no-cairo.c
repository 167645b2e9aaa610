/*
 * Debian's libtheoradec.a can paint its decoder's inner state over the picture with cairo, when it is
 * asked to (TH_DECCTL_SET_TELEMETRY_*). The player never asks; the linker wants the names. Real cairo
 * would bring fontconfig and X11 into a 3 MB guest program. Each does nothing, and surfaces are NULL.
 */
#define NO_CAIRO(name)                                                                             \
	void *name(void);                                                                          \
	void *name(void)                                                                           \
	{                                                                                          \
		return 0;                                                                          \
	}

NO_CAIRO(cairo_create)
NO_CAIRO(cairo_destroy)
NO_CAIRO(cairo_fill)
NO_CAIRO(cairo_image_surface_create)
NO_CAIRO(cairo_image_surface_get_data)
NO_CAIRO(cairo_image_surface_get_stride)
NO_CAIRO(cairo_line_to)
NO_CAIRO(cairo_move_to)
NO_CAIRO(cairo_rectangle)
NO_CAIRO(cairo_select_font_face)
NO_CAIRO(cairo_set_font_size)
NO_CAIRO(cairo_set_line_cap)
NO_CAIRO(cairo_set_line_join)
NO_CAIRO(cairo_set_line_width)
NO_CAIRO(cairo_set_source_rgb)
NO_CAIRO(cairo_set_source_rgba)
NO_CAIRO(cairo_show_text)
NO_CAIRO(cairo_stroke)
NO_CAIRO(cairo_stroke_preserve)
NO_CAIRO(cairo_surface_destroy)
NO_CAIRO(cairo_text_extents)
NO_CAIRO(cairo_text_path)
