/*
 * Both ends of the seat link: who is let in, what is replayed, what is refused.
 */
#include "display/packet.h"
#include "tests/unit/link/fake.h"

#include <sys/resource.h>
#include <sys/un.h>

static void welcome_tells_what_was_granted(void)
{
	struct seen first, second;

	start(NULL);
	sit(&first, LINK_WANT_CLOCK | LINK_WANT_SINK | LINK_WANT_INPUT | 1u << 31);
	test_equal(link_client_granted(first.client), LINK_WANT_CLOCK | LINK_WANT_DISPLAY |
		LINK_WANT_SINK | LINK_WANT_AUDIO | LINK_WANT_INPUT);
	test_assert(!strcmp(link_client_guest_name(first.client), "theater"));
	sit(&second, LINK_WANT_CLOCK | LINK_WANT_SINK);
	test_equal(link_client_granted(second.client), LINK_WANT_DISPLAY | LINK_WANT_AUDIO);
	leave(&first);
	leave(&second);
	test_equal(link_server_seats(server), 0);
	sit(&second, LINK_WANT_CLOCK);
	test_equal(link_client_granted(second.client), LINK_WANT_CLOCK | LINK_WANT_DISPLAY);
	leave(&second);
	stop();
}

static void state_is_replayed(void)
{
	struct port_audio_format format = { 48000, 2, 1920 };
	struct seen seat;

	start(NULL);
	show_buffer(7);
	show_buffer(8);
	show_frame(1, 7);
	port->ops->cursor(port, 0, 8, 5, 6, 0, 0);
	port->ops->leds(port, 2);
	port->ops->audio_start(port, 0, &format);
	sit(&seat, LINK_WANT_DISPLAY | LINK_WANT_INPUT | LINK_WANT_AUDIO);
	test_equal(seat.buffers, 2);
	test_equal(seat.frames, 1);
	test_equal(seat.first, 'h');
	test_equal(link_client_frame(seat.client, 0, NULL)->damage.width, 64); /* all is new to it */
	test_equal(seat.cursors, 1);
	test_equal(seat.leds, 2);
	test_equal(seat.starts, 1);
	show_frame(2, 0);
	port->ops->buffer_gone(port, 7);
	port->ops->buffer_gone(port, 7);
	port->ops->buffer_gone(port, 0);
	link_client_dispatch(seat.client);
	test_equal(seat.frames, 2);
	test_assert(!seat.picture);
	test_equal(seat.gone, 1);
	test_assert(!link_client_picture(seat.client, 7));
	test_assert(link_client_picture(seat.client, 8));
	leave(&seat);
	stop();
}

static void only_what_was_wanted(void)
{
	struct port_audio_format format = { 48000, 2, 1920 };
	struct seen seat;

	start(NULL);
	sit(&seat, LINK_WANT_CONTROL);
	show_buffer(1);
	show_frame(1, 1);
	port->ops->leds(port, 1);
	port->ops->audio_start(port, 0, &format);
	port->ops->audio_write(port, "abcd", 4);
	link_client_dispatch(seat.client);
	test_equal(seat.buffers + seat.frames + seat.leds + seat.starts + seat.pcm, 0);
	test_equal(seat.guests, 1);
	leave(&seat);
	stop();
}

static void bad_buffers_are_refused(void)
{
	struct port_buffer buffer = { 1, picture_fd, 64, 65, 256 };

	start(NULL);
	buffer.fd = picture_fd;
	test_equal(port->ops->buffer(port, &buffer), -EINVAL); /* larger than its memory */
	buffer.height = 64;
	test_equal(port->ops->buffer(port, &buffer), 0);
	test_equal(port->ops->buffer(port, &buffer), -EINVAL); /* twice */
	for (buffer.id = 2; buffer.id <= LINK_MAX_BUFFERS; buffer.id++)
		test_equal(port->ops->buffer(port, &buffer), 0);
	test_equal(port->ops->buffer(port, &buffer), -ENOSPC);
	stop();
}

static const struct port_input key_down[] = {
	{ INPUT_KEYBOARD, EV_KEY, KEY_A, 1 }, { INPUT_KEYBOARD, EV_SYN, SYN_REPORT, 0 },
};
static const struct port_input key_up[] = {
	{ INPUT_KEYBOARD, EV_KEY, KEY_A, 0 }, { INPUT_KEYBOARD, EV_SYN, SYN_REPORT, 0 },
};

static void type(struct seen *seat, const struct port_input *report)
{
	test_equal(link_client_input(seat->client, report, 2), 0);
	pump();
}

static void held_keys_are_released(void)
{
	struct seen a, b;

	start(NULL);
	sit(&a, LINK_WANT_INPUT);
	sit(&b, LINK_WANT_INPUT);
	type(&a, key_down);
	test_equal(device.n_input, 2);
	type(&a, key_down); /* no news */
	type(&b, key_down);
	test_equal(device.n_input, 2);
	leave(&a); /* b still holds it */
	test_equal(device.n_input, 2);
	leave(&b);
	test_equal(device.n_input, 4);
	test_equal(device.input[2].code, KEY_A);
	test_equal(device.input[2].value, 0);
	test_equal(device.input[3].type, EV_SYN);
	stop();
}

static void reset_forgets_held_keys(void)
{
	struct seen a;

	start(NULL);
	sit(&a, LINK_WANT_INPUT);
	type(&a, key_down);
	link_server_set_state(server, LINK_GUEST_RESETTING, 1);
	pump();
	type(&a, key_up); /* the new guest has never heard of it */
	test_equal(device.n_input, 2);
	leave(&a);
	test_equal(device.n_input, 2);
	stop();
}

static void mixed_reports_keep_their_shape(void)
{
	const struct port_input burst[] = {
		{ INPUT_KEYBOARD, EV_KEY, KEY_B, 0 }, { INPUT_KEYBOARD, EV_SYN, SYN_REPORT, 0 },
		{ INPUT_TABLET, EV_ABS, ABS_X, 100 }, { INPUT_TABLET, EV_ABS, ABS_Y, 200 },
		{ INPUT_TABLET, EV_SYN, SYN_REPORT, 0 },
	};
	struct seen a;

	start(NULL);
	sit(&a, LINK_WANT_INPUT);
	test_equal(link_client_input(a.client, burst, 4), -EINVAL); /* no SYN at its end */
	test_equal(link_client_input(a.client, burst, 5), 0);
	pump();
	test_equal(device.n_input, 3); /* a release of what is not held says nothing */
	test_equal(device.input[0].type, EV_ABS);
	test_equal(device.input[2].type, EV_SYN);
	leave(&a);
	stop();
}

static void touch(struct seen *seat, int32_t slot, int32_t id)
{
	const struct port_input report[] = {
		{ INPUT_TOUCH, EV_ABS, ABS_MT_SLOT, slot },
		{ INPUT_TOUCH, EV_ABS, ABS_MT_TRACKING_ID, id },
		{ INPUT_TOUCH, EV_SYN, SYN_REPORT, 0 },
	};

	test_equal(link_client_input(seat->client, report, 3), 0);
	pump();
}

/* Each seat counts its fingers from 0; the guest has one touch screen. */
static void fingers_of_two_seats(void)
{
	struct seen a, b;

	start(NULL);
	sit(&a, LINK_WANT_INPUT);
	sit(&b, LINK_WANT_INPUT);
	touch(&a, 0, 1);
	test_equal(device.n_input, 4); /* slot, finger, BTN_TOUCH */
	test_equal(device.input[2].code, BTN_TOUCH);
	touch(&b, 0, 1);
	test_equal(device.n_input, 7);
	test_equal(device.input[4].code, ABS_MT_SLOT);
	test_equal(device.input[4].value, 1);
	leave(&a);
	test_equal(device.n_input, 10);
	test_equal(device.input[7].value, 0); /* the slot */
	test_equal(device.input[8].value, -1);
	touch(&b, 0, -1);
	test_equal(device.n_input, 14);
	test_equal(device.input[12].code, BTN_TOUCH);
	test_equal(device.input[12].value, 0);
	touch(&b, 0, 2);
	device.n_input = 0;
	link_server_set_state(server, LINK_GUEST_RESETTING, 1);
	pump();
	touch(&b, 0, -1);
	leave(&b);
	test_equal(device.n_input, 0);
	stop();
}

static void a_pad_rests_when_its_seat_leaves(void)
{
	const struct port_input report[] = {
		{ INPUT_GAMEPAD, EV_KEY, BTN_SOUTH, 1 }, { INPUT_GAMEPAD, EV_ABS, ABS_X, -5 },
		{ INPUT_GAMEPAD, EV_SYN, SYN_REPORT, 0 },
	};
	struct seen a;

	start(NULL);
	sit(&a, LINK_WANT_INPUT);
	test_equal(link_client_input(a.client, report, 3), 0);
	pump();
	test_equal(device.n_input, 3);
	leave(&a);
	test_equal(device.n_input, 7);
	test_equal(device.input[3].code, BTN_SOUTH);
	test_equal(device.input[3].value, 0);
	test_equal(device.input[5].code, ABS_X);
	test_equal(device.input[5].value, 0);
	stop();
}

static void what_was_not_granted_ends_it(void)
{
	struct seen seat;

	start(NULL);
	sit(&seat, LINK_WANT_DISPLAY);
	link_client_input(seat.client, key_down, 2);
	pump();
	test_equal(device.n_input, 0);
	test_equal(link_server_seats(server), 0);
	while (link_client_dispatch(seat.client) >= 0)
		;
	test_equal(link_client_dispatch(seat.client), -EPIPE);
	test_equal(link_client_wait(seat.client, 1000), -EPIPE);
	leave(&seat);
	stop();
}

static void hello_comes_first(void)
{
	int pair[2];

	start(NULL);
	test_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	link_server_adopt(server, pair[0]);
	test_equal(link_send(pair[1], LINK_STAT, NULL, 0, -1), 0);
	pump();
	test_equal(link_server_seats(server), 0);
	close(pair[1]);
	stop();
}

static void seats_are_bounded(void)
{
	int pair[LINK_SERVER_MAX_SEATS + 1][2];

	start(NULL);
	for (unsigned i = 0; i <= LINK_SERVER_MAX_SEATS; i++) {
		test_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair[i]), 0);
		test_equal(link_server_adopt(server, pair[i][0]),
			i < LINK_SERVER_MAX_SEATS ? 0 : -EBUSY);
	}
	for (unsigned i = 0; i <= LINK_SERVER_MAX_SEATS; i++)
		close(pair[i][1]);
	pump();
	test_equal(link_server_seats(server), 0);
	stop();
}

static void slow_seat_is_dropped(void)
{
	struct seen slow, quick;

	start(NULL);
	sit(&slow, LINK_WANT_DISPLAY);
	sit(&quick, LINK_WANT_DISPLAY);
	show_buffer(1);
	for (uint64_t seq = 1; seq < 5000; seq++) {
		show_frame(seq, 1);
		link_client_dispatch(quick.client);
	}
	pump();
	test_equal(link_server_seats(server), 1);
	test_equal(quick.frames, 4999);
	leave(&slow);
	leave(&quick);
	stop();
}

static void state_and_first_frames(void)
{
	struct seen seat;

	start(NULL);
	sit(&seat, LINK_WANT_CONTROL);
	show_buffer(1);
	show_frame(1, 1);
	link_server_set_state(server, LINK_GUEST_RESETTING, 1);
	pump();
	show_frame(2, 0);
	link_client_dispatch(seat.client);
	test_equal(link_client_guest(seat.client)->state, LINK_GUEST_RESETTING);
	test_equal(link_client_guest(seat.client)->reboots, 1);
	show_frame(3, 1);
	link_client_stat(seat.client);
	pump();
	link_client_dispatch(seat.client);
	test_equal(link_client_guest(seat.client)->state, LINK_GUEST_RUNNING);
	test_equal(seat.stats, 1);
	test_equal(seat.stat.frames, 3);
	test_equal(seat.stat.pid, 4711);
	test_assert(seat.stat.first_frame_ns && seat.stat.first_frame_ns <= seat.stat.reset_ns);
	test_assert(seat.stat.reset_ns <= seat.stat.reset_frame_ns);
	leave(&seat);
	stop();
}

static void heads_are_for_who_asks(void)
{
	struct seen one, all;

	start(NULL);
	show_buffer(1);
	show_frame(1, 1);
	show_frame_on(1, 1, 1);
	port->ops->cursor(port, 1, 1, 5, 6, 0, 0);
	sit(&one, LINK_WANT_DISPLAY);
	sit(&all, LINK_WANT_HEADS);
	test_equal(link_client_granted(all.client), LINK_WANT_HEADS | LINK_WANT_DISPLAY);
	test_equal(one.frames, 1);
	test_equal(one.cursors, 0);
	test_equal(all.frames, 2);
	test_equal(all.cursors, 1);
	show_frame_on(3, 1, 0);
	show_frame_on(1, 2, 1);
	test_equal(link_client_dispatch(one.client), 0);
	link_client_dispatch(all.client);
	test_equal(link_client_frame(all.client, 1, NULL)->seq, 2);
	test_equal(link_client_frame(all.client, 0, NULL)->seq, 1);
	test_assert(!link_client_frame(all.client, 2, NULL));
	port->ops->buffer_gone(port, 1);
	link_client_dispatch(all.client);
	test_equal(link_client_frame(all.client, 1, NULL)->buffer, 0);
	leave(&one);
	leave(&all);
	stop();
}

static void monitors_are_whose_has_heads(void)
{
	const struct port_size two[2] = { { 800, 600 }, { 640, 480 } };
	struct seen one, all;

	start(NULL);
	sit(&one, LINK_WANT_DISPLAY);
	sit(&all, LINK_WANT_HEADS);
	test_equal(link_client_monitors(all.client, two, 5), -EINVAL);
	link_client_monitors(all.client, two, 2);
	pump();
	test_equal(device.n_heads, 2);
	test_equal(device.heads[1].width, 640);
	link_client_resize(one.client, 1024, 768); /* a window at the side */
	pump();
	test_equal(device.n_heads, 2);
	test_equal(device.heads[0].width, 1024);
	test_equal(device.heads[1].width, 640);
	leave(&all); /* its monitors stay: it may come back */
	test_equal(device.n_heads, 2);
	link_client_resize(one.client, 1024, 767);
	pump();
	test_equal(device.n_heads, 1);
	link_client_monitors(one.client, two, 2); /* it has no HEADS */
	pump();
	test_equal(link_server_seats(server), 0);
	leave(&one);
	stop();
}

static int32_t last_value(void)
{
	return device.input[device.n_input - 2].value;
}

static void tablet_at(struct seen *seat, uint16_t code, int32_t value)
{
	const struct port_input report[] = {
		{ INPUT_TABLET, EV_ABS, code, value }, { INPUT_TABLET, EV_SYN, SYN_REPORT, 0 } };

	test_equal(link_client_input(seat->client, report, 2), 0);
	pump();
}

/* The guest's tablet covers all its heads; a seat with one has head 0 under its pointer. */
static void tablet_of_a_seat_with_one_head(void)
{
	struct seen one, all;

	start(NULL);
	sit(&one, LINK_WANT_DISPLAY | LINK_WANT_INPUT);
	sit(&all, LINK_WANT_HEADS | LINK_WANT_INPUT);
	tablet_at(&one, ABS_X, 30000);
	test_equal(last_value(), 30000);
	show_buffer(1);
	show_frame(1, 1);
	tablet_at(&one, ABS_X, 30000);
	test_equal(last_value(), 30000);
	show_frame_on(1, 1, 1);
	tablet_at(&one, ABS_X, 30000);
	test_equal(last_value(), 15000);
	tablet_at(&one, ABS_Y, 30000);
	test_equal(last_value(), 30000);
	tablet_at(&all, ABS_X, 30000);
	test_equal(last_value(), 30000);
	leave(&one);
	leave(&all);
	stop();
}

static void requests_are_answered(void)
{
	struct seen seat;

	start(NULL);
	sit(&seat, LINK_WANT_CONTROL | LINK_WANT_DISPLAY);
	link_client_request(seat.client, LINK_VERB_RESET, 3, 77);
	link_client_resize(seat.client, 1024, 768);
	pump();
	link_client_dispatch(seat.client);
	test_equal(device.verb, LINK_VERB_RESET);
	test_equal(device.argument, 3);
	test_equal(seat.reply.cookie, 77);
	test_equal(seat.reply.result, 0);
	test_equal(device.heads[0].width, 1024);
	link_client_request(seat.client, 99, 0, 78);
	pump();
	link_client_dispatch(seat.client);
	test_equal(seat.reply.result, -EINVAL);
	test_equal(seat.replies, 2);
	leave(&seat);
	stop();
}

static void ask_class(struct seen *seat, uint32_t share_class)
{
	link_client_request(seat->client, LINK_VERB_CLASS, share_class, 0);
	pump();
	link_client_dispatch(seat->client);
}

static void class_lasts_as_long_as_who_gave_it(void)
{
	struct seen a, b, c;

	start(NULL);
	sit(&a, LINK_WANT_CONTROL);
	sit(&b, LINK_WANT_CONTROL);
	sit(&c, LINK_WANT_CONTROL);
	ask_class(&a, 3);
	ask_class(&b, 3);
	ask_class(&c, 9); /* refused: nothing has changed */
	test_equal(c.reply.result, -EINVAL);
	leave(&c);
	leave(&a); /* it was not the last */
	test_equal(device.classes_over, 0);
	link_server_set_state(server, LINK_GUEST_RESETTING, 1); /* no matter */
	pump();
	test_equal(device.classes_over, 0);
	leave(&b);
	test_equal(device.classes_over, 1);
	sit(&a, LINK_WANT_CONTROL);
	ask_class(&a, 2); /* carried out in part */
	test_equal(a.reply.result, -EPERM);
	sit(&b, LINK_WANT_CONTROL | LINK_WANT_DISPLAY);
	leave(&b);
	test_equal(device.classes_over, 1);
	leave(&a);
	test_equal(device.classes_over, 2);
	stop();
}

static void listens_where_it_should(void)
{
	char *folder = g_dir_make_tmp("irori-link-XXXXXX", NULL);
	char *path = g_build_filename(folder, "deep", "guest.sock", NULL);
	char *deep = g_path_get_dirname(path);
	struct link_server_config config = { .path = path, .name = "other", .now = now };
	struct link_client *client;
	GError *error = NULL;
	struct stat st;

	test_assert(!link_client_connect(path, 0, "x", NULL, NULL, &error));
	g_clear_error(&error);
	start(path);
	test_equal(stat(path, &st), 0);
	test_equal(st.st_mode & 07777, 0600);
	test_equal(stat(deep, &st), 0);
	test_equal(st.st_mode & 07777, 0700);
	client = link_client_connect(path, LINK_WANT_DISPLAY, "x", NULL, NULL, NULL);
	test_assert(client);
	pump();
	test_equal(link_client_wait(client, 1000), 2);
	test_assert(!link_server_new(context, &config, &error)); /* somebody answers there */
	test_assert(strstr(error->message, "another process"));
	g_clear_error(&error);
	link_client_free(client);
	stop();
	test_assert(stat(path, &st) < 0);

	/* Left behind by a process that was killed. */
	start(path);
	{
		char *saved = g_strconcat(path, ".saved", NULL);

		test_equal(link(path, saved), 0);
		stop();
		test_equal(rename(saved, path), 0);
		g_free(saved);
	}
	start(path);
	stop();

	/* Not ours to remove. */
	test_assert(g_file_set_contents(path, "dear diary", -1, NULL));
	test_assert(!link_server_new(NULL, &config, &error));
	g_clear_error(&error);
	test_equal(stat(path, &st), 0);
	unlink(path);
	rmdir(deep);
	rmdir(folder);
	g_free(deep);
	g_free(path);
	g_free(folder);
}

static unsigned warnings;

static void count_warning(const char *domain, GLogLevelFlags level, const char *text, void *data)
{
	warnings++;
}

/* The connection that finds no descriptor must not wake the guest's thread for ever. */
static void no_descriptor_is_no_spin(void)
{
	char *folder = g_dir_make_tmp("irori-link-XXXXXX", NULL);
	char *path = g_build_filename(folder, "guest.sock", NULL);
	int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	guint handler = g_log_set_handler("irori-link", G_LOG_LEVEL_WARNING, count_warning, NULL);
	struct rlimit before, none;
	struct sockaddr_un address;
	struct link_client *client;
	char byte;

	start(path);
	test_equal(packet_address(path, &address), 0);
	test_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = (rlim_t)dup(sock); /* the lowest that is free */
	close((int)none.rlim_cur);
	test_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	test_equal(connect(sock, (struct sockaddr *)&address, sizeof(address)), 0);
	pump();
	test_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	test_equal(warnings, 1);
	test_equal(recv(sock, &byte, 1, MSG_DONTWAIT), 0); /* it was turned away */
	client = link_client_connect(path, LINK_WANT_CONTROL, "x", NULL, NULL, NULL);
	pump();
	test_equal(link_server_seats(server), 1);
	link_client_free(client);
	close(sock);
	stop();
	g_log_remove_handler("irori-link", handler);
	rmdir(folder);
	g_free(path);
	g_free(folder);
}

/* The client's checks, against a guest that is not to be trusted. */
static struct link_client *bad_guest(int *guest, struct seen *seen)
{
	struct link_welcome welcome = { .version = LINK_VERSION };
	int pair[2];

	memset(seen, 0, sizeof(*seen));
	test_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	*guest = pair[0];
	seen->client = link_client_join(pair[1], 0, "x", &seen_events, seen, NULL);
	test_equal(link_send(*guest, LINK_WELCOME, &welcome, sizeof(welcome), -1), 0);
	test_equal(link_client_dispatch(seen->client), 1);
	return seen->client;
}

static void client_refuses(uint16_t opcode, const void *body, size_t size, int fd)
{
	struct seen seen;
	int guest;
	struct link_client *client = bad_guest(&guest, &seen);

	test_equal(link_send(guest, opcode, body, size, fd), 0);
	test_equal(link_client_dispatch(client), -EPROTO);
	link_client_free(client);
	close(guest);
}

static void client_refuses_frame(const struct link_frame *frame)
{
	struct link_buffer buffer = { 1, 64, 64, 256 };
	struct seen seen;
	int guest;
	struct link_client *client = bad_guest(&guest, &seen);

	test_equal(link_send(guest, LINK_BUFFER, &buffer, sizeof(buffer), picture_fd), 0);
	test_equal(link_client_dispatch(client), 1);
	test_equal(link_send(guest, LINK_FRAME, frame, sizeof(*frame), -1), 0);
	test_equal(link_client_dispatch(client), -EPROTO);
	link_client_free(client);
	close(guest);
}

static void client_does_not_trust(void)
{
	struct link_buffer buffer = { 1, 64, 64, 256 };
	struct link_frame frame = { .seq = 1, .buffer = 1, .source = { 0, 0, 64, 64 } };
	struct link_cursor cursor = { .buffer = 3 };
	struct link_welcome welcome = { .version = LINK_VERSION };
	int open_fd = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	start(NULL);
	test_equal(ftruncate(open_fd, 64 * 256), 0);
	client_refuses(LINK_BUFFER, &buffer, sizeof(buffer), open_fd); /* it could shrink */
	buffer.height = 65;
	client_refuses(LINK_BUFFER, &buffer, sizeof(buffer), picture_fd); /* past its end */
	buffer.height = 64;
	client_refuses(LINK_BUFFER, &buffer, sizeof(buffer), STDIN_FILENO);
	client_refuses(LINK_FRAME, &frame, sizeof(frame), -1); /* unknown buffer */
	client_refuses(LINK_CURSOR, &cursor, sizeof(cursor), -1);
	cursor = (struct link_cursor) { .head = 1 };
	client_refuses(LINK_CURSOR, &cursor, sizeof(cursor), -1); /* of a head that was not asked for */
	client_refuses(LINK_WELCOME, &welcome, sizeof(welcome), -1); /* twice */

	frame.head = 1;
	client_refuses_frame(&frame);
	frame.head = 0;
	frame.source.x = UINT32_MAX; /* + 64 would wrap */
	client_refuses_frame(&frame);
	frame.source = (struct rect) { 0, 0, 64, 0 }; /* nothing that could fill a screen */
	client_refuses_frame(&frame);
	strcpy(welcome.name, "\033[2J"); /* names go to terminals */
	client_refuses(LINK_WELCOME, &welcome, sizeof(welcome), -1);
	close(open_fd);
	stop();
}

int main(void)
{
	test_run(welcome_tells_what_was_granted);
	test_run(state_is_replayed);
	test_run(only_what_was_wanted);
	test_run(heads_are_for_who_asks);
	test_run(monitors_are_whose_has_heads);
	test_run(tablet_of_a_seat_with_one_head);
	test_run(bad_buffers_are_refused);
	test_run(held_keys_are_released);
	test_run(reset_forgets_held_keys);
	test_run(mixed_reports_keep_their_shape);
	test_run(fingers_of_two_seats);
	test_run(a_pad_rests_when_its_seat_leaves);
	test_run(what_was_not_granted_ends_it);
	test_run(hello_comes_first);
	test_run(seats_are_bounded);
	test_run(slow_seat_is_dropped);
	test_run(state_and_first_frames);
	test_run(requests_are_answered);
	test_run(class_lasts_as_long_as_who_gave_it);
	test_run(listens_where_it_should);
	test_run(no_descriptor_is_no_spin);
	test_run(client_does_not_trust);
	return 0;
}
