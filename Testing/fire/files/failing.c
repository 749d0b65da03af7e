/* Makes file operations below a folder fail or slow, or the process end at one: loaded before the C library (LD_PRELOAD),
   steered by Python (failing.py) or, from its start, by the environment. Whoever asks for a file, Python or C++, asks
   here. Linux. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FILES 65536

EXPORT char fire_folder[4096]; /* empty: nothing is counted */
EXPORT int fire_seen;          /* operations so far */
EXPORT int fire_at;            /* the one that fails; 0: none */
EXPORT int fire_errno;         /* as which; 0: it is a short write; -1: the process is killed */
EXPORT int fire_stays;         /* whether all that write fail from then on, as on a full disk */
EXPORT char fire_failed[64];   /* what failed */

static char tracked[FILES]; /* 1: below the folder; 2: written to as well */
static off_t before[FILES]; /* bytes that it had before */
static int slow;       /* microseconds that each takes more */
static int count = -1; /* a file that gets a "." for each, "!" where it fails: those of all processes together */

static int number(const char *name) { return getenv(name) ? atoi(getenv(name)) : 0; }

__attribute__((constructor)) static void from_environment(void) {
    if (!getenv("FIRE_FOLDER")) return;
    if (getenv("FIRE_COUNT")) count = open(getenv("FIRE_COUNT"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    strncpy(fire_folder, getenv("FIRE_FOLDER"), sizeof fire_folder - 1);
    slow = number("FIRE_SLOW"), fire_at = number("FIRE_AT"), fire_errno = number("FIRE_ERRNO");
    fire_stays = number("FIRE_STAYS");
}

static int inside(int at, const char *path) {
    char full[8192];
    if (!fire_folder[0] || !path) return 0;
    if (path[0] == '/') return !strncmp(path, fire_folder, strlen(fire_folder));
    if (at != AT_FDCWD) return at >= 0 && at < FILES && tracked[at];
    if (!getcwd(full, sizeof full)) return 0;
    return !strncmp(full, fire_folder, strlen(fire_folder));
}

static int fails(const char *what, int writes) {
    fire_seen++;
    if (slow) usleep(slow);
    int now = fire_at && (fire_seen == fire_at || (fire_seen > fire_at && fire_stays && writes));
    if (!fire_errno && strcmp(what, "write")) now = 0;
    if (count >= 0 && REAL(write)(count, now ? "!" : ".", 1) != 1) abort();
    if (!now) return 0;
    if (fire_errno == -1) kill(getpid(), SIGKILL);
    if (!fire_failed[0]) strncpy(fire_failed, what, sizeof fire_failed - 1);
    errno = fire_errno;
    return fire_errno ? 1 : -1;
}

static int known(int fd) { return fire_folder[0] && fd >= 0 && fd < FILES && tracked[fd]; }
static void note(int fd, int is) { if (fd >= 0 && fd < FILES) tracked[fd] = is, before[fd] = 0; }
static void note_writing(int fd) {
    struct stat now;
    if (known(fd) && tracked[fd] == 1 && !fstat(fd, &now)) tracked[fd] = 2, before[fd] = now.st_size;
}
static void lose_half(int fd) {
    off_t size = lseek(fd, 0, SEEK_END), kept = before[fd] < size ? before[fd] : 0;
    if (REAL(ftruncate)(fd, kept + (size - kept) / 2)) errno = EIO;
}

#define WRITES(flags) (((flags) & (O_WRONLY | O_RDWR | O_CREAT)) != 0)
#define OPENED(name, at, path, flags, call)                                           \
    int ours = inside(at, path);                                                      \
    if (ours && fails(WRITES(flags) ? "create" : "open", WRITES(flags))) return -1;   \
    int fd = call;                                                                    \
    note(fd, ours);                                                                   \
    return fd;
#define MODE va_list list; va_start(list, flags); mode_t mode = va_arg(list, mode_t); va_end(list);

EXPORT int open(const char *path, int flags, ...) { MODE OPENED(open, AT_FDCWD, path, flags, REAL(open)(path, flags, mode)) }
EXPORT int open64(const char *path, int flags, ...) { MODE OPENED(open64, AT_FDCWD, path, flags, REAL(open64)(path, flags, mode)) }
EXPORT int openat(int at, const char *path, int flags, ...) { MODE OPENED(openat, at, path, flags, REAL(openat)(at, path, flags, mode)) }
EXPORT int openat64(int at, const char *path, int flags, ...) { MODE OPENED(openat64, at, path, flags, REAL(openat64)(at, path, flags, mode)) }

#define STREAM(call)                                                                  \
    int ours = inside(AT_FDCWD, path), writes = mode[0] != 'r' || strchr(mode, '+');  \
    if (ours && fails(writes ? "create" : "open", writes)) return NULL;               \
    FILE *file = call;                                                                \
    if (file) note(fileno(file), ours);                                               \
    return file;
EXPORT FILE *fopen(const char *path, const char *mode) { STREAM(REAL(fopen)(path, mode)) }
EXPORT FILE *fopen64(const char *path, const char *mode) { STREAM(REAL(fopen64)(path, mode)) }
/* What a stream still holds is lost when it cannot be written at its end, whether anybody looks at what fclose says. */
EXPORT int fclose(FILE *file) {
    int fd = fileno(file);
    int failing = known(fd) && (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY ? fails("close", 1) : 0;
    if (failing > 0) fflush(file), lose_half(fd);
    note(fd, 0);
    int closed = REAL(fclose)(file);
    if (failing > 0) errno = fire_errno;
    return failing > 0 ? EOF : closed;
}

/* What a disk elsewhere has taken and cannot store it tells at the end. */
EXPORT int close(int fd) {
    int failing = known(fd) && tracked[fd] == 2 ? fails("close", 1) : 0;
    if (failing > 0) lose_half(fd);
    note(fd, 0);
    int closed = REAL(close)(fd);
    if (failing > 0) errno = fire_errno;
    return failing > 0 ? -1 : closed;
}

#define WRITTEN(size, call)                                                           \
    note_writing(fd);                                                                 \
    int failing = known(fd) ? fails(size > 1 ? "write" : "write of one", 1) : 0;      \
    if (failing > 0) return -1;                                                       \
    if (failing < 0) size /= 2;                                                       \
    return call;
EXPORT ssize_t write(int fd, const void *data, size_t size) { WRITTEN(size, REAL(write)(fd, data, size)) }
EXPORT ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { WRITTEN(size, REAL(pwrite)(fd, data, size, at)) }
EXPORT ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) { WRITTEN(size, REAL(pwrite64)(fd, data, size, at)) }
EXPORT ssize_t writev(int fd, const struct iovec *parts, int count) { WRITTEN(count, REAL(writev)(fd, parts, count)) }

#define ON_FILE(what, call) if (known(fd) && fails(what, 1) > 0) return -1; return call;
EXPORT int fsync(int fd) { ON_FILE("fsync", REAL(fsync)(fd)) }
EXPORT int fdatasync(int fd) { ON_FILE("fsync", REAL(fdatasync)(fd)) }
EXPORT int ftruncate(int fd, off_t size) { ON_FILE("truncate", REAL(ftruncate)(fd, size)) }
EXPORT int ftruncate64(int fd, off64_t size) { ON_FILE("truncate", REAL(ftruncate64)(fd, size)) }
EXPORT ssize_t read(int fd, void *data, size_t size) {
    if (known(fd) && fails("read", 0) > 0) return -1;
    return REAL(read)(fd, data, size);
}

#define ON_PATH(what, at, path, writes, call) if (inside(at, path) && fails(what, writes) > 0) return -1; return call;
EXPORT int rename(const char *old, const char *new) { ON_PATH("rename", AT_FDCWD, new, 0, REAL(rename)(old, new)) }
EXPORT int renameat(int a, const char *old, int b, const char *new) { ON_PATH("rename", b, new, 0, REAL(renameat)(a, old, b, new)) }
EXPORT int mkdir(const char *path, mode_t mode) { ON_PATH("mkdir", AT_FDCWD, path, 1, REAL(mkdir)(path, mode)) }
EXPORT int unlink(const char *path) { ON_PATH("unlink", AT_FDCWD, path, 0, REAL(unlink)(path)) }
EXPORT int unlinkat(int at, const char *path, int flags) { ON_PATH("unlink", at, path, 0, REAL(unlinkat)(at, path, flags)) }
EXPORT int rmdir(const char *path) { ON_PATH("rmdir", AT_FDCWD, path, 0, REAL(rmdir)(path)) }
