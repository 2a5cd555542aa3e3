// The Linux interfaces that the Glibc module does not offer.
//
// _GNU_SOURCE is not defined here: it changes headers that the Glibc module has already read (`fd_set` clashes), so
// what hides behind it is declared by hand.
#ifndef HOLDFAST_CLINUX_SHIM_H
#define HOLDFAST_CLINUX_SHIM_H

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

// Behind _GNU_SOURCE in <sys/socket.h>; a wrong prototype here does not compile beside the real one.
int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);

// Behind _GNU_SOURCE in <spawn.h>; glibc 2.34 and later.
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int first);

// Function-like macros and casts that Swift cannot import.

static inline int holdfast_ignore_signal(int number) {
    struct sigaction action = {0};
    action.sa_handler = SIG_IGN;
    return sigaction(number, &action, NULL);
}

static inline char **holdfast_environment(void) {
    extern char **environ;
    return environ;
}

static inline int holdfast_exited(int status) { return WIFEXITED(status); }
static inline int holdfast_exit_code(int status) { return WEXITSTATUS(status); }
static inline int holdfast_ending_signal(int status) { return WTERMSIG(status); }

#endif
