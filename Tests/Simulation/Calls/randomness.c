// OpenSSL's random bytes, which it would otherwise take from the processor and the kernel.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "SimulatedCalls.h"

#include <openssl/rand.h>
#include <sys/random.h>

static int fill(unsigned char *bytes, int count) { return getrandom(bytes, (size_t)count, 0) == count; }

static int is_ready(void) { return 1; }

static RAND_METHOD method = {.bytes = fill, .pseudorand = fill, .status = is_ready};

void simulation_take_randomness(void) { RAND_set_rand_method(&method); }
