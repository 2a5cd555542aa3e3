// The calls by which processes pass descriptors and share memory. See calls.c.
#define _GNU_SOURCE
#include "SimulatedCalls.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// Written in Swift.
extern long simulated_pass(int descriptor, const void *bytes, size_t count, const int *passed, size_t passed_count);
extern long simulated_take(int descriptor, void *bytes, size_t count, int *passed, size_t *passed_count, int *is_short);
extern long simulated_size(int descriptor);
extern void *simulated_map(int descriptor, int isWritable);
extern int simulated_unmap(void *memory);

static long result(long value) {
    if (value >= 0) return value;
    errno = (int)-value;
    return -1;
}

// Messages have one part. The receiver has room for as many descriptors as a sender may send.

ssize_t sendmsg(int socket, const struct msghdr *message, int flags) {
    if (socket < simulated_first) return syscall(SYS_sendmsg, socket, message, flags);
    const int *passed = NULL;
    size_t passed_count = 0;
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    if (header != NULL) {
        passed = (const int *)CMSG_DATA(header);
        passed_count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    }
    return result(simulated_pass(
        socket, message->msg_iov[0].iov_base, message->msg_iov[0].iov_len, passed, passed_count));
}

ssize_t recvmsg(int socket, struct msghdr *message, int flags) {
    if (socket < simulated_first) return syscall(SYS_recvmsg, socket, message, flags);
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    size_t passed = 0;
    int is_short = 0;
    long count = simulated_take(
        socket, message->msg_iov[0].iov_base, message->msg_iov[0].iov_len, (int *)CMSG_DATA(header), &passed, &is_short);
    message->msg_flags = is_short ? MSG_CTRUNC : 0;
    message->msg_controllen = 0;
    if (passed > 0) {
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(passed * sizeof(int));
        message->msg_controllen = CMSG_SPACE(passed * sizeof(int));
    }
    return result(count);
}

int fstat(int descriptor, struct stat *status) {
    if (descriptor < simulated_first) return (int)syscall(SYS_fstat, descriptor, status);
    memset(status, 0, sizeof *status);
    status->st_mode = S_IFREG | 0600;
    long size = simulated_size(descriptor);
    status->st_size = size > 0 ? size : 0;
    return (int)result(size < 0 ? size : 0);
}

void *mmap(void *address, size_t size, int protection, int flags, int descriptor, off_t offset) {
    if (descriptor < simulated_first)
        return (void *)syscall(SYS_mmap, address, size, protection, flags, descriptor, offset);
    void *memory = simulated_map(descriptor, (protection & PROT_WRITE) != 0);
    if (memory != NULL) return memory;
    errno = ENODEV;
    return MAP_FAILED;
}

int munmap(void *address, size_t size) {
    if (simulation_is_on() && simulated_unmap(address)) return 0;
    return (int)syscall(SYS_munmap, address, size);
}
