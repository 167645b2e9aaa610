/*
 * Sound that comes 30 ms late is a gap: its threads go before ordinary ones.
 */
#define G_LOG_DOMAIN "irori-sound"

#include <errno.h>
#include <sys/resource.h>

#include "audio/audio.h"

enum { URGENT_NICE = -11 }; /* what PulseAudio gives itself */

void audio_thread_urgent(void)
{
	/* On Linux a "process" of this call is a thread, and 0 the one that calls. A seat may name no other. */
	if (setpriority(PRIO_PROCESS, 0, URGENT_NICE) < 0)
		g_debug("sound runs at ordinary priority: %s", g_strerror(errno));
}
