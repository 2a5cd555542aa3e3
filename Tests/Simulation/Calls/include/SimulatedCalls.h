// The system calls of the simulated machine.
//
// calls.c defines the libc functions that enter the kernel, and the linker takes these for the whole program. Each call
// is passed either to the model of a kernel, which is written in Swift and declared here, or to the real kernel.
#ifndef HOLDFAST_SIMULATED_CALLS_H
#define HOLDFAST_SIMULATED_CALLS_H

#include <stddef.h>
#include <stdint.h>

// Descriptors of the model have numbers from this one on.
enum { simulated_first = 1 << 20 };

// Processes of the model have numbers that Linux never assigns.
enum { simulated_first_process = 1 << 23 };

// Whether new sockets, times and random bytes come from the model.
void simulation_switch(int isOn);
int simulation_is_on(void);

// Makes OpenSSL take its random bytes from getrandom from now on.
void simulation_take_randomness(void);

// Reports the number of the world when the process crashes, or when a turn takes longer than `seconds` of processor time, or
// ten times as long by the clock.
void simulation_watch(uint64_t world, unsigned seconds);

#endif
