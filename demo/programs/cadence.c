/* The display's refresh rate from the times at which its fences came. */
#include "demo/programs/cadence.h"

#include <stdlib.h>

static int cadence_compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

uint32_t cadence_refresh(int64_t *distances, unsigned count)
{
	int64_t median;

	if (!count)
		return 0;
	qsort(distances, count, sizeof *distances, cadence_compare);
	/* The mean of the middle half: jitter goes both ways, stalls are left out. */
	median = 0;
	for (unsigned i = count / 4; i < count - count / 4; i++)
		median += distances[i];
	median /= count - count / 4 - count / 4;
	if (median < 1000000000 / 360)
		return 0;
	return (uint32_t)((1000000000 + median / 2) / median * 1000);
}
