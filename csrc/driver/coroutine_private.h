/* Calls of libmongoc that suspend: a fiber is a C stack with one libmongoc client.
 *
 * A fiber does the jobs of its client's pool, as a thread of it would: those of its own lane, and,
 * while nobody else holds that lane, those that any lane will do. What libmongoc wants of a socket,
 * and its sleeps, become a request: control goes back to Lua, which does it in the manner of its
 * event loop, and resumes the fiber with the answer. No Lua runs on a fiber's stack, and no lock is
 * held across a request.
 *
 * The pool counts a fiber as it does a thread: so it and its client live until the last has gone.
 */
#ifndef MODM_COROUTINE_PRIVATE_H
#define MODM_COROUTINE_PRIVATE_H

#include "compat/context.h"
#include "driver/pool_private.h"

typedef enum modm_want {
   MODM_WANT_NOTHING, /* there is no further job */
   MODM_WANT_END,     /* a job has ended: who waits for it is to be woken */
   MODM_WANT_CONNECT,
   MODM_WANT_SEND,
   MODM_WANT_RECEIVE,
   MODM_WANT_POLL,
   MODM_WANT_CLOSE,
   MODM_WANT_SLEEP
} modm_want;

typedef enum modm_answer { MODM_ANSWER_OK, MODM_ANSWER_TIMEOUT, MODM_ANSWER_FAILED } modm_answer;

enum { MODM_MAX_POLL = 64 }; /* streams that are waited for at once */

/* A socket of Lua's, by its number. */
typedef struct modm_stream {
   mongoc_stream_t base; /* first: libmongoc knows no more */
   struct modm_fiber *fiber;
   int id;
   modm_buffer in; /* what was received... */
   size_t at;      /* ...and how much of it is read */
   bool dead, timed_out, again;
} modm_stream;

typedef struct modm_fiber {
   modm_pool *pool;
   modm_lane *lane; /* held */
   void *memory;    /* a guard page and the stack */
   size_t size;
   modm_context outside, inside;
   int loop;       /* the event loop that its sockets are of; see modm_job */
   int number;     /* by which Lua knows it */
   bool entered;   /* control is on its stack */
   bool closed;    /* it gets no libmongoc client any more */
   bool unwinding; /* nobody will answer any more */
   bool monitored; /* its libmongoc client tells of commands */
   modm_job *job;  /* that it is doing */
   int last_id;
   struct {
      modm_want want;
      int id, ids[MODM_MAX_POLL];
      size_t n;
      const char *host;
      int port;
      const mongoc_iovec_t *parts;
      size_t max;
      int32_t timeout_ms; /* negative: none */
   } request;
   struct { /* valid until the next request */
      modm_answer status;
      const char *data;
      size_t len;
      int id;
   } answer;
} modm_fiber;

/* NULL when there is no memory. Freed by who closed it, unless it still has its memory. */
modm_fiber *modm_fiber_new (modm_pool *pool, int loop, int number);
/* Lets it go on from its request, whose answer is set, to the next. */
void modm_fiber_enter (modm_fiber *fiber);
/* Has what it does fail, and lets go of all it has. Says nothing to a server. Idempotent. */
void modm_fiber_close (modm_fiber *fiber);
/* Hands the request over and waits for the answer. Only on the fiber's stack; elsewhere, and while
 * it is unwound, it fails at once. */
modm_answer modm_fiber_ask (modm_fiber *fiber, modm_want want);
/* Has a libmongoc client make such streams, and sleep so. */
void modm_stream_install (modm_fiber *fiber, mongoc_client_t *handle);

#endif
