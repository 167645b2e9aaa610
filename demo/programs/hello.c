/* Says hello and switches off: the least that shows that programs run. */
#include <stdio.h>
#include <sys/reboot.h>
#include <unistd.h>

int main(void)
{
	printf("hello from ring 3\n");
	fflush(stdout);
	reboot(RB_POWER_OFF);
	return 0;
}
