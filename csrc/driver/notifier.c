/* The notifier: what has ended, for the one Lua state that asked, and a descriptor that says so.
 *
 * A state has one for all its pools. Threads hand operations over; Lua drains them. One byte is
 * written when the first comes after a drain. An event loop that waits on descriptors takes `fd`;
 * one that can only connect sockets (OpenResty's) connects to a path that nobody else can reach.
 */
#include "driver/pool_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct modm_notifier {
   atomic_size_t refs;
   unsigned process;
   pthread_mutex_t lock;
   pthread_cond_t changed;
   modm_job *first, **last;
   size_t count; /* in the list */
   uint64_t next_id;
   int threads;
   bool told, closed;
   int reader, writer, listener; /* or -1 */
   char folder[64];              /* of the listener's path, or empty */
};

typedef struct box {
   modm_tag tag;
   modm_notifier *notifier;
} box;

static modm_class class_notifier = "modm.Notifier";
static const char the_box; /* its address is the key in the registry */

static modm_notifier *
notifier_new (void)
{
   pthread_condattr_t clock;
   modm_notifier *n = calloc (1, sizeof *n);
   if (!n)
      return NULL;
   atomic_init (&n->refs, 1);
   n->process = modm_process ();
   n->last = &n->first;
   n->reader = n->writer = n->listener = -1;
   pthread_mutex_init (&n->lock, NULL);
   pthread_condattr_init (&clock);
   (void) pthread_condattr_setclock (&clock, CLOCK_MONOTONIC);
   pthread_cond_init (&n->changed, &clock);
   pthread_condattr_destroy (&clock);
   return n;
}

static void
close_one (int *fd)
{
   if (*fd >= 0)
      (void) close (*fd);
   *fd = -1;
}

static void
path_of (const modm_notifier *n, struct sockaddr_un *address)
{
   memset (address, 0, sizeof *address);
   address->sun_family = AF_UNIX;
   (void) snprintf (address->sun_path, sizeof address->sun_path, "%s/notifier", n->folder);
}

/* Ends the listening, and removes its path. */
static void
close_listener (modm_notifier *n)
{
   struct sockaddr_un address;
   close_one (&n->listener);
   if (!n->folder[0])
      return;
   path_of (n, &address);
   (void) unlink (address.sun_path);
   (void) rmdir (n->folder);
   n->folder[0] = '\0';
}

modm_notifier *
modm_notifier_hold (modm_notifier *n)
{
   atomic_fetch_add (&n->refs, 1);
   return n;
}

void
modm_notifier_release (modm_notifier *n)
{
   if (atomic_fetch_sub (&n->refs, 1) > 1)
      return;
   close_one (&n->reader);
   close_one (&n->writer);
   close_listener (n);
   pthread_cond_destroy (&n->changed);
   pthread_mutex_destroy (&n->lock);
   free (n);
}

uint64_t
modm_notifier_next_id (modm_notifier *n)
{
   return ++n->next_id;
}

void
modm_notifier_count (modm_notifier *n, int threads)
{
   pthread_mutex_lock (&n->lock);
   n->threads += threads;
   pthread_cond_broadcast (&n->changed);
   pthread_mutex_unlock (&n->lock);
}

/* ---- handing over ---- */

/* Makes the descriptor readable where something waits to be drained. Under the lock. */
static void
tell (modm_notifier *n)
{
   if (n->first && !n->told && n->writer >= 0)
      n->told = send (n->writer, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

void
modm_notifier_add (modm_notifier *n, modm_job *job)
{
   pthread_mutex_lock (&n->lock);
   bool closed = n->closed;
   if (!closed) {
      job->next = NULL;
      *n->last = job;
      n->last = &job->next;
      n->count++;
      tell (n);
      pthread_cond_broadcast (&n->changed);
   }
   pthread_mutex_unlock (&n->lock);
   if (closed)
      modm_op_release (job->subject);
}

static size_t
count_of (modm_notifier *n)
{
   pthread_mutex_lock (&n->lock);
   size_t count = n->count;
   pthread_mutex_unlock (&n->lock);
   return count;
}

/* Takes at most so many; what is left, and the next that is added, is told of again. */
static modm_job *
take (modm_notifier *n, size_t most)
{
   char bytes[64];
   pthread_mutex_lock (&n->lock);
   while (n->reader >= 0 && recv (n->reader, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
      ;
   modm_job *first = n->first, **end = &n->first;
   for (; *end && most > 0; most--, n->count--)
      end = &(*end)->next;
   n->first = *end;
   *end = NULL;
   if (!n->first)
      n->last = &n->first;
   n->told = false;
   tell (n);
   pthread_mutex_unlock (&n->lock);
   return first;
}

/* ---- Lua ---- */

/* Pushes the state's box. */
static box *
push_box (lua_State *L)
{
   lua_rawgetp (L, LUA_REGISTRYINDEX, &the_box);
   return lua_touserdata (L, -1);
}

modm_notifier *
modm_notifier_of (lua_State *L)
{
   box *p = push_box (L);
   lua_pop (L, 1);
   if (p->notifier && p->notifier->process != modm_process ()) {
      /* the parent's: its threads are not here, and its lock may be held for ever */
      close_one (&p->notifier->reader);
      close_one (&p->notifier->writer);
      close_one (&p->notifier->listener);
      p->notifier = NULL;
   }
   if (!p->notifier)
      p->notifier = notifier_new ();
   if (!p->notifier)
      luaL_error (L, "not enough memory");
   return p->notifier;
}

/* core.drain() -> list of the ids of what has ended since, with n */
static int
l_drain (lua_State *L)
{
   modm_notifier *n = modm_notifier_of (L);
   size_t most = count_of (n);
   int i = 0;
   lua_createtable (L, (int) most, 1);
   lua_pushinteger (L, (lua_Integer) most);
   lua_setfield (L, -2, "n");
   for (modm_job *job = take (n, most), *next; job; job = next) {
      modm_op *op = job->subject;
      next = job->next;
      lua_pushnumber (L, (lua_Number) job->id);
      lua_rawseti (L, -2, ++i);
      op->held->under_way = false;
      modm_op_release (op);
   }
   /* Fewer than `most`, when making the table collected garbage, and a finalizer drained. */
   lua_pushinteger (L, i);
   lua_setfield (L, -2, "n");
   return 1;
}

static struct timespec
after (int64_t ms)
{
   int64_t us = modm_now_us () + ms * 1000;
   return (struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
}

/* core.wait(ms): blocks the thread until something has ended, or the time is over */
static int
l_wait (lua_State *L)
{
   modm_notifier *n = modm_notifier_of (L);
   struct timespec until = after ((int64_t) luaL_checknumber (L, 1));
   int status = 0;
   pthread_mutex_lock (&n->lock);
   while (!n->first && status == 0)
      status = pthread_cond_timedwait (&n->changed, &n->lock, &until);
   pthread_mutex_unlock (&n->lock);
   return 0;
}

static int
fail (lua_State *L, const char *what)
{
   lua_pushnil (L);
   lua_pushfstring (L, "%s: %s", what, strerror (errno));
   return 2;
}

/* core.descriptor() -> a number, readable when something has ended | nil, message */
static int
l_descriptor (lua_State *L)
{
   modm_notifier *n = modm_notifier_of (L);
   int pair[2];
   if (n->reader < 0) {
      if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
         return fail (L, "the notifier's socket");
      pthread_mutex_lock (&n->lock);
      close_one (&n->writer);
      n->reader = pair[0];
      n->writer = pair[1];
      n->told = false;
      tell (n);
      pthread_mutex_unlock (&n->lock);
   }
   lua_pushinteger (L, n->reader);
   return 1;
}

/* A folder of our own (0700), and in it a socket that only this user can connect to (0600). */
static bool
open_listener (modm_notifier *n)
{
   struct sockaddr_un address;
   const char *tmp = getenv ("TMPDIR");
   int len = snprintf (n->folder, sizeof n->folder, "%s/modm.XXXXXX", tmp && *tmp ? tmp : "/tmp");
   if (len < 0 || (size_t) len >= sizeof n->folder)
      (void) snprintf (n->folder, sizeof n->folder, "/tmp/modm.XXXXXX");
   if (!mkdtemp (n->folder)) {
      n->folder[0] = '\0';
      return false;
   }
   path_of (n, &address);
   n->listener = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
   return n->listener >= 0 &&
          bind (n->listener, (const struct sockaddr *) &address, sizeof address) == 0 &&
          chmod (address.sun_path, 0600) == 0 && listen (n->listener, 1) == 0;
}

/* core.listen() -> the path to connect to, once | nil, message */
static int
l_listen (lua_State *L)
{
   struct sockaddr_un address;
   modm_notifier *n = modm_notifier_of (L);
   close_listener (n);
   if (!open_listener (n)) {
      int failed = fail (L, "the notifier's socket");
      close_listener (n);
      return failed;
   }
   path_of (n, &address);
   lua_pushstring (L, address.sun_path);
   return 1;
}

/* core.accept() -> true: what connected hears of all ends from now on | nil, message. Whoever is
 * not this process is turned away. */
static int
l_accept (lua_State *L)
{
   struct ucred peer = {0};
   socklen_t size = sizeof peer;
   modm_notifier *n = modm_notifier_of (L);
   int fd = accept4 (n->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
   if (fd < 0)
      return fail (L, "the notifier's socket");
   if (getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid != getpid ()) {
      (void) close (fd);
      errno = EACCES;
      return fail (L, "the notifier's socket");
   }
   pthread_mutex_lock (&n->lock);
   close_one (&n->writer);
   close_one (&n->reader);
   n->writer = fd;
   n->told = false;
   tell (n);
   pthread_mutex_unlock (&n->lock);
   close_listener (n);
   lua_pushboolean (L, true);
   return 1;
}

/* The state ends: nobody drains any more. Its threads end by themselves; those that still talk to a
 * server are waited for, but not long. */
static int
mt_gc (lua_State *L)
{
   box *p = modm_check (L, 1, &class_notifier);
   modm_notifier *n = p->notifier;
   p->notifier = NULL;
   if (!n || n->process != modm_process ())
      return 0;
   struct timespec until = after (MODM_END_MS);
   pthread_mutex_lock (&n->lock);
   n->closed = true;
   modm_job *job = n->first;
   n->first = NULL;
   n->last = &n->first;
   pthread_mutex_unlock (&n->lock);
   while (job) {
      modm_job *next = job->next;
      modm_op_release (job->subject);
      job = next;
   }
   int status = 0;
   pthread_mutex_lock (&n->lock);
   while (n->threads > 0 && status == 0)
      status = pthread_cond_timedwait (&n->changed, &n->lock, &until);
   pthread_mutex_unlock (&n->lock);
   modm_notifier_release (n);
   return 0;
}

/* The box comes first, so that it is collected last: after the clients, whose pools then stop. */
void
modm_notifier_open (lua_State *L)
{
   static const luaL_Reg metamethods[] = {{"__gc", mt_gc}, {NULL, NULL}};
   static const luaL_Reg functions[] = {{"drain", l_drain},           {"wait", l_wait},
                                        {"listen", l_listen},         {"accept", l_accept},
                                        {"descriptor", l_descriptor}, {NULL, NULL}};
   modm_class_new (L, &class_notifier, metamethods, NULL);
   box *p = lua_newuserdata (L, sizeof *p);
   memset (p, 0, sizeof *p);
   p->tag.tag = &class_notifier;
   modm_class_push (L, &class_notifier);
   lua_setmetatable (L, -2);
   lua_rawsetp (L, LUA_REGISTRYINDEX, &the_box);
   modm_register (L, functions);
}
