/*
 * The states of a virtio-snd stream, all of them, and the parameters that are refused.
 */
#include "tests/unit/test.h"

#include <errno.h>
#include <linux/virtio_snd.h>

#include "vmm/snd_pcm.h"

#define NO (-EINVAL)

static void test_every_command_in_every_state(void)
{
	static const int expected[SND_STATES][SND_COMMANDS] = {
		/*                 SET_PARAMS PREPARE       RELEASE  START        STOP */
		[SND_UNSET] =    { SND_SET,   NO,           NO,      NO,          NO },
		[SND_SET] =      { SND_SET,   SND_PREPARED, NO,      NO,          NO },
		[SND_PREPARED] = { SND_SET,   SND_PREPARED, SND_SET, SND_RUNNING, NO },
		[SND_RUNNING] =  { NO,        NO,           NO,      NO,          SND_STOPPED },
		[SND_STOPPED] =  { SND_SET,   SND_PREPARED, SND_SET, SND_RUNNING, NO },
	};

	for (unsigned state = 0; state < SND_STATES; state++)
		for (unsigned command = 0; command < SND_COMMANDS; command++)
			test_equal(snd_transition(state, command), expected[state][command]);
	test_equal(snd_transition(SND_STATES, SND_START), -EINVAL);
	test_equal(snd_transition(SND_SET, SND_COMMANDS), -EINVAL);
	test_equal(snd_transition(SND_SET, (enum snd_command)-1), -EINVAL);
}

static void test_parameters(void)
{
	enum { S16 = VIRTIO_SND_PCM_FMT_S16, R48 = VIRTIO_SND_PCM_RATE_48000 };
	enum { OK = VIRTIO_SND_S_OK, BAD = VIRTIO_SND_S_BAD_MSG, NOT = VIRTIO_SND_S_NOT_SUPP };
	static const struct {
		uint32_t buffer, period, features;
		uint8_t channels, format, rate;
		uint32_t status;
	} t[] = {
		{ 15360, 1920, 0, 2, S16, R48, OK },
		{ 1764, 882, 0, 1, S16, VIRTIO_SND_PCM_RATE_44100, OK },
		{ 1 << 20, 1 << 18, 0, 2, S16, R48, OK },
		{ 256, 256, 0, 2, S16, R48, OK },
		{ 15360, 1920, 1, 2, S16, R48, NOT },
		{ 15360, 1920, 0, 0, S16, R48, NOT },
		{ 15360, 1920, 0, 3, S16, R48, NOT },
		{ 15360, 1920, 0, 2, VIRTIO_SND_PCM_FMT_S32, R48, NOT },
		{ 15360, 1920, 0, 2, 255, R48, NOT },
		{ 15360, 1920, 0, 2, S16, VIRTIO_SND_PCM_RATE_8000, NOT },
		{ 15360, 1920, 0, 2, S16, 255, NOT },
		{ 0, 0, 0, 2, S16, R48, BAD },
		{ 15360, 0, 0, 2, S16, R48, BAD },
		{ 0, 1920, 0, 2, S16, R48, BAD },
		{ 1920, 3840, 0, 2, S16, R48, BAD },
		{ 15361, 1920, 0, 2, S16, R48, BAD },
		{ 15368, 1921, 0, 2, S16, R48, BAD },
		{ 3844, 1922, 0, 2, S16, R48, BAD },
		{ 1 << 21, 1 << 18, 0, 2, S16, R48, NOT },
		{ 1 << 20, 1 << 19, 0, 2, S16, R48, NOT },
		{ 4096, 4, 0, 2, S16, R48, NOT },
		{ UINT32_MAX - 3, UINT32_MAX - 3, 0, 2, S16, R48, NOT },
		{ UINT32_MAX, 1, 0, 1, S16, R48, BAD },
	};

	for (unsigned i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct virtio_snd_pcm_set_params request = {
			.buffer_bytes = t[i].buffer,
			.period_bytes = t[i].period,
			.features = t[i].features,
			.channels = t[i].channels,
			.format = t[i].format,
			.rate = t[i].rate,
		};
		struct snd_params params = { .rate = 1 };

		test_equal(snd_params_check(&request, &params), t[i].status);
		test_equal(params.rate == 1, t[i].status != OK); /* untouched when refused */
	}
}

int main(void)
{
	test_run(test_every_command_in_every_state);
	test_run(test_parameters);
	return 0;
}
