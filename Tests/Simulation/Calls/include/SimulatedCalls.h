// The system calls of the simulated machine.
//
// calls.c defines the functions of libc that enter the kernel, so that the linker takes these for the whole program, and
// passes each call either to the model of a kernel, which is written in Swift and declared here, or to the real one.
#ifndef HOLDFAST_SIMULATED_CALLS_H
#define HOLDFAST_SIMULATED_CALLS_H

#include <stddef.h>
#include <stdint.h>

// Descriptors of the model have numbers from here on.
enum { simulated_first = 1 << 20 };

// Processes of the model have numbers that Linux gives to none.
enum { simulated_first_process = 1 << 23 };

// Whether new sockets, times and random bytes come from the model.
void simulation_switch(int isOn);
int simulation_is_on(void);

// From now on OpenSSL takes its random bytes from getrandom.
void simulation_take_randomness(void);

// A file with this text that lasts as long as the process, as a descriptor of the real kernel; -1 without memory.
int simulation_file(const char *text);

// Reports the number of the world when the process crashes, or when a turn does not end within `seconds` of real time.
void simulation_watch(uint64_t world, unsigned seconds);

#endif
