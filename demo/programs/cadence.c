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
	static const uint32_t rates[] = { 24, 25, 30, 48, 50, 60, 72, 75, 85, 90, 100, 120, 144, 165, 240 };
	int64_t low, median, high;

	if (count < 8)
		return CADENCE_UNSURE;
	qsort(distances, count, sizeof *distances, cadence_compare);
	low = distances[count / 8];
	median = distances[count / 2];
	high = distances[count - 1 - count / 8];
	if (median < 1000000000 / 360)
		return CADENCE_UNPACED;
	if (high - low > median / 4)
		return CADENCE_UNSURE;
	for (unsigned i = 0; i < sizeof rates / sizeof *rates; i++)
		if (llabs(median * rates[i] - 1000000000) < 1000000000 / 40)
			return rates[i] * 1000;
	return CADENCE_UNSURE;
}
