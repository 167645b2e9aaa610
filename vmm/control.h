/*
 * What is asked of the machine as a whole, carried out one after the other on the main thread.
 *
 *	          pause            crash
 *	RUNNING ---------> PAUSED    |
 *	   ^ ^    resume     |       v
 *	   | +---------------+     DEAD        any ---poweroff---> OFF
 *	   +------------ reset from any ----------+
 *
 * Two can pause a guest: a person, and the host with its reasons (MACHINE_WAIT). It runs when neither
 * does; a reset is a person's resume as well.
 *
 * Thread: control_request and control_exit_status from any; the rest on the main thread.
 */
#ifndef IRORI_VMM_CONTROL_H
#define IRORI_VMM_CONTROL_H

#include "vmm/machine.h"

struct control;

struct control *control_new(struct machine *machine);
void control_free(struct control *control);

/* See machine_request, machine_exit_status. At most one of each kind waits: a guest that asks
 * without end costs nothing. */
void control_request(struct control *control, enum machine_request what, const char *why);
/* See machine_save. */
int control_save(struct control *control, int fd);
void control_exit_status(struct control *control, int status);

/* Lets the guest go and serves requests until it is off. The exit status. */
int control_run(struct control *control);

#endif
