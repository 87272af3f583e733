/* Another time of day for one program, by LD_PRELOAD. WAXSEAL_CLOCK names a file
 * of eight octets: the nanoseconds, an int64_t in the order of the machine, that
 * are added to the time of day. Whoever writes to the file moves the clock at
 * once. Nothing here allocates: the first to ask for the time can be the
 * allocator of the program, which holds its lock. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000

static const volatile int64_t none;
static const volatile int64_t *offset = &none;

/* A process in a sandbox may not open files; it keeps the time of the machine. */
__attribute__((constructor)) static void map(void) {
    const char *name = getenv("WAXSEAL_CLOCK");
    int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *place = mmap(NULL, sizeof *offset, PROT_READ, MAP_SHARED, file, 0);
    if (place != MAP_FAILED)
        offset = place;
    close(file);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, clock, now);
    if (failed || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE))
        return failed;
    int64_t add = *offset;
    now->tv_sec += add / SECOND;
    now->tv_nsec += add % SECOND;
    if (now->tv_nsec < 0) {
        now->tv_nsec += SECOND;
        now->tv_sec--;
    } else if (now->tv_nsec >= SECOND) {
        now->tv_nsec -= SECOND;
        now->tv_sec++;
    }
    return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec time;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &time);
    now->tv_sec = time.tv_sec;
    now->tv_usec = time.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *seconds) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (seconds)
        *seconds = now.tv_sec;
    return now.tv_sec;
}
