/* Another time of day for one program, by LD_PRELOAD. WAXSEAL_CLOCK names a file
 * of eight octets: the nanoseconds, an int64_t in the order of the machine, that
 * are added to the time of day. Whoever writes to the file moves the clock at
 * once. Nothing here allocates: the first to ask for the time can be the
 * allocator of the program, which holds its lock. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
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

static void shift(struct timespec *time, int64_t add) {
    time->tv_sec += add / SECOND;
    time->tv_nsec += add % SECOND;
    if (time->tv_nsec < 0) {
        time->tv_nsec += SECOND;
        time->tv_sec--;
    } else if (time->tv_nsec >= SECOND) {
        time->tv_nsec -= SECOND;
        time->tv_sec++;
    }
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, clock, now);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        shift(now, *offset);
    return failed;
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

static int is_later(const struct timespec *one, const struct timespec *other) {
    return one->tv_sec != other->tv_sec ? one->tv_sec > other->tv_sec : one->tv_nsec > other->tv_nsec;
}

/* A deadline is a time of day as the program believes it, and the kernel waits
 * by its own: without this, every wait of a program whose clock was set back
 * ends at once, and a thread that waits in a loop takes a whole core. */
int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict deadline) {
    /* Which clock a condition was made for cannot be asked. The steady one began
     * when the machine did: what is less than ten years is no time of day. */
    if (deadline->tv_sec < 10 * 365 * 86400)
        return pthread_cond_clockwait(cond, mutex, CLOCK_MONOTONIC, deadline);
    if (deadline->tv_nsec < 0 || deadline->tv_nsec >= SECOND)
        return EINVAL;
    struct timespec until = *deadline, soon;
    shift(&until, -*offset);
    /* The clock can be set while somebody waits. Waking up for no reason is
     * allowed, and whoever does asks for the time again. */
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &soon);
    shift(&soon, SECOND);
    if (!is_later(&until, &soon))
        return pthread_cond_clockwait(cond, mutex, CLOCK_REALTIME, &until);
    int result = pthread_cond_clockwait(cond, mutex, CLOCK_REALTIME, &soon);
    return result == ETIMEDOUT ? 0 : result;
}
