/*
 * What a boot does to a machine: all processors verify a system image, block by block, as fast as
 * they can. How much there is to do is set beforehand from what a block costs when nothing is in the
 * way, so under contention it takes longer, as a boot does.
 */
#ifndef IRORI_DEMO_WORK_H
#define IRORI_DEMO_WORK_H

#include <stdint.h>

struct work {
	uint64_t next, done, total; /* blocks; shared between processors */
	uint64_t damaged;           /* blocks that were not what they had been */
	unsigned cpus;
};

/* About `ms` of work for a quarter of the machine's processors. Starts none of them. 0 or -errno. */
int work_open(struct work *work, unsigned ms);

/* Sends the other processors to work. They end by themselves. */
void work_start(struct work *work);

/* Does one block on this processor. 0: there is none left. */
int work_step(struct work *work);

#endif
