/*
 * The seat control protocol, both directions: the first byte says from which side the packet is and
 * how many descriptors came with it. What is accepted must be sent again as it is.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "seats/wire_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int pair[2], other[2];
	struct wire_message first, again;
	enum wire_side from;
	unsigned fds;

	if (!pair[1] && (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) ||
		socketpair(AF_UNIX, SOCK_SEQPACKET, 0, other)))
		__builtin_trap();
	if (!size)
		return 0;
	from = data[0] & 1 ? WIRE_FROM_SEAT : WIRE_FROM_IRORID;
	fds = data[0] >> 1 & 1;
	if (wire_parse(from, data + 1, size - 1, fds, &first))
		return 0;
	if (wire_send(pair[0], first.opcode, &first.body, first.size, fds ? other[0] : -1) ||
		wire_receive(pair[1], from, &again) != 1)
		__builtin_trap();
	if (again.opcode != first.opcode || again.size != first.size ||
		(again.fd >= 0) != (fds > 0) || memcmp(&again.body, &first.body, first.size))
		__builtin_trap();
	if (again.fd >= 0)
		close(again.fd);
	return 0;
}
