/* What the files of driver share among themselves.
 *
 * A file that needs libmongoc takes it from compat/mongoc.h through this header; driver.h shows
 * none of it to the other rooms. What belongs to pools of threads is in pool_private.h.
 */
#ifndef MODM_DRIVER_PRIVATE_H
#define MODM_DRIVER_PRIVATE_H

#include "compat/mongoc.h"
#include "driver/driver.h"

#include <pthread.h>
#include <stdatomic.h>

#define MODM_VERSION "scm"

/* The domain of our own errors, beside libmongoc's, and their codes. */
#define MODM_ERROR_DOMAIN 0x6d6f646d
enum {
   MODM_ERROR_CLOSED = 1,
   MODM_ERROR_MEMORY,
   MODM_ERROR_BSON,
   MODM_ERROR_FORKED,
   MODM_ERROR_ENDED,
   MODM_ERROR_SESSION,
   MODM_ERROR_BUSY,      /* the pool's queue is full, or its clients are all taken */
   MODM_ERROR_TIMEOUT,   /* the caller's time was over first */
   MODM_ERROR_CANCELLED, /* the caller was told to stop */
   MODM_ERROR_THREAD     /* no thread could be started */
};

/* Fills in an error of ours, returns false. */
bool modm_driver_error (bson_error_t *error, uint32_t code, const char *format, ...)
   __attribute__ ((format (printf, 3, 4)));

/* The number of this process: 1, and another after each fork. */
unsigned modm_process (void);

/* ---- secrets and libmongoc's log ---- */

/* A buffer of texts, each ended by NUL, that must not show. */
void modm_secret_add (modm_buffer *secrets, const char *text, size_t len);
/* Writes stars over every secret in a text. */
void modm_secret_scrub (const modm_buffer *secrets, char *text);
/* True when three characters in a row of a secret are in the text. */
bool modm_secret_hinted (const modm_buffer *secrets, const char *text);

/* Takes libmongoc's log lines of this process into a ring. */
void modm_log_start (void);
/* Names the secrets that this thread's log lines could hold, or NULL. With `pieces`, a line that
 * has but a piece of one is withheld: a URI that is not valid may be taken apart anywhere. */
void modm_log_secrets (const modm_buffer *secrets, bool pieces);
/* Until it is called with false, this thread's log lines are dropped. */
void modm_log_mute (bool on);
int modm_l_log (lua_State *L);

/* ---- command events ---- */

typedef struct modm_event modm_event;

/* Events in their order. */
typedef struct modm_events {
   modm_event *first, **end; /* end: where the next is to hang; NULL before the first */
   size_t count, bytes, dropped;
} modm_events;

/* What libmongoc tells a client's events to. */
typedef struct modm_listener {
   pthread_mutex_t lock;       /* of events */
   modm_events events;         /* of what no thread of a pool was running */
   modm_events taken;          /* by Lua's thread, to be pushed */
   const modm_buffer *secrets; /* the client's */
} modm_listener;

void modm_listener_init (modm_listener *listener, const modm_buffer *secrets);
void modm_listener_free (modm_listener *listener);
/* The callbacks that are to be set, or with `on` false none of them; destroy them. */
mongoc_apm_callbacks_t *modm_listener_callbacks (bool on);
/* Until it is called with NULL, the events of this thread, which is one of a pool, are kept with
 * the operation. */
void modm_listener_begin (modm_op *op);
void modm_events_free (modm_events *events);
/* Pushes the events as a list and forgets them. */
void modm_events_push (lua_State *L, modm_events *events);
void modm_listener_push (lua_State *L, modm_listener *listener);

/* ---- lanes, cursors and sessions ---- */

/* What a thread of a pool does, on which lane. */
typedef struct modm_job {
   struct modm_job *next;
   enum { MODM_RUN, MODM_DROP_CURSOR, MODM_END_SESSION, MODM_CLEAR_LANE } work;
   void *subject;          /* the modm_op, modm_cursor, modm_session or modm_lane */
   struct modm_lane *lane; /* held; NULL: any will do, of this event loop: */
   int loop;               /* a number of lua/modm/transport/coroutine.lua; 0 for threads */
   uint64_t id;            /* of MODM_RUN: by which Lua knows it */
   int64_t since_us;       /* submitted; then begun */
   bool queued;
} modm_job;

/* A libmongoc client with the cursors and sessions that were made on it. A blocking client has one
 * for good. A pool lends one to each operation; cursors and sessions hold theirs. */
typedef struct modm_lane {
   mongoc_client_t *handle; /* NULL before the first use */
   struct modm_cursor *cursors;
   struct modm_session *sessions;
   mongoc_collection_t *collection; /* the one asked for last, or NULL, in... */
   char database[64];
   /* of a pool: */
   struct modm_pool *pool;
   struct modm_source *source;
   struct modm_fiber *fiber; /* that alone works on it, in place of threads; or NULL */
   atomic_size_t refs;
   struct modm_lane *next, **link; /* the pool's list; this and the next line under its lock */
   bool busy, counted;             /* counted: among those that have a client */
   modm_job job;                   /* MODM_CLEAR_LANE */
} modm_lane;

/* A collection, good until another is asked for. The lane has a handle, and the name of the
 * database was checked. */
mongoc_collection_t *modm_lane_collection (modm_lane *lane, const char *database, const char *name);
/* Kills the lane's cursors, ends its sessions, and lets go of its collection. */
void modm_lane_clear (modm_lane *lane);
/* Of a pool's lane; nothing happens to another. The last to let go gives its client back. */
void modm_lane_hold (modm_lane *lane);
void modm_lane_release (modm_lane *lane);

/* A cursor is on its lane's list, and holds the lane, as long as it has a libmongoc cursor, so that
 * a client that is closed can destroy it first. */
typedef struct modm_cursor {
   struct modm_cursor *next, **link;
   struct modm_pool *pool;         /* or NULL */
   modm_lane *lane;                /* NULL as handle and stream are; under the pool's lock */
   mongoc_cursor_t *handle;        /* NULL: exhausted, failed, or closed */
   mongoc_change_stream_t *stream; /* instead of it, for a change stream */
   struct modm_session *session;   /* the operation's, which holds it; or NULL */
   modm_buffer batch;              /* documents one after another */
   size_t at;                      /* the next one to hand out */
   uint32_t limit;                 /* documents to fetch in one run */
   bool fixed;                     /* the limit is the caller's batch size */
   size_t last;                    /* where the document begins that was handed out last */
   bool done;                      /* no further document will come */
   modm_job job;                   /* MODM_DROP_CURSOR */
} modm_cursor;

/* Puts a cursor that has a handle or a stream on the lane's list. */
void modm_cursor_attach (modm_cursor *cursor, modm_lane *lane);
/* Destroys the libmongoc cursor, and with it the server's, and leaves the lane's list. */
void modm_cursor_kill (modm_cursor *cursor);
void modm_cursor_free (modm_cursor *cursor);
/* Kills and frees it, in a pool by one of its threads, later. */
void modm_cursor_discard (modm_cursor *cursor, modm_client *client);

typedef enum modm_causal { MODM_CAUSAL_DEFAULT, MODM_CAUSAL, MODM_NOT_CAUSAL } modm_causal;

/* A session is on its lane's list as long as it has a libmongoc session, as cursors are. */
typedef struct modm_session {
   struct modm_session *next, **link;
   atomic_size_t refs; /* its userdata, its operations, and the job that ends it */
   modm_client *client;
   struct modm_pool *pool;          /* or NULL */
   modm_lane *lane;                 /* of a pool, held until the end; under its lock */
   mongoc_client_session_t *handle; /* NULL: before the first use, or ended */
   modm_causal causal;
   bool snapshot, used;            /* used: a thread has, or had, to do with it */
   atomic_bool ended, transaction; /* transaction: one is under way */
   modm_job job;                   /* MODM_END_SESSION */
} modm_session;

/* Lets go of a reference; the last one ends the session. */
void modm_session_release (modm_session *session);
/* Destroys the libmongoc session and the cursors in it; a transaction under way is aborted. */
void modm_session_end (modm_session *session);
modm_session *modm_session_check (lua_State *L, int idx);
bool modm_session_in_transaction (const modm_session *session);
/* After each operation: whether a transaction is under way. */
void modm_session_note (modm_session *session);
/* Starts the operation's session, if it has one that was not used yet. */
bool modm_session_enter (const modm_op *op, modm_lane *lane, bson_error_t *error);
/* Appends the operation's options that hold in its session, and the session itself. */
bool modm_session_options (const modm_op *op, bson_t *out, bson_error_t *error);
/* Starts, commits or aborts the transaction. */
bool modm_session_run (modm_op *op, bson_error_t *error);
void modm_session_open (lua_State *L);

/* ---- clients ---- */

struct modm_client {
   atomic_size_t refs;
   unsigned process; /* that opened the lane */
   modm_lane lane;   /* where there is no pool */
   mongoc_uri_t *uri;
   modm_listener listener;
   modm_buffer secrets;
   int32_t timeout_ms; /* 0: none */
   atomic_bool monitored;
   bool closed, pooled;
   bool suspends;          /* pooled, and fibers do the work of threads: see coroutine_private.h */
   struct modm_pool *pool; /* NULL before the first use */
   size_t max_threads, max_queue;
   uint64_t done, failed; /* operations, where there is no pool */
};

/* Lets go of a reference; the last one closes the client. */
void modm_client_release (modm_client *client);
/* Frees what was closed. */
void modm_client_free (modm_client *client);
/* The lane to work on in this process, opened when need be; NULL and the error when it cannot be.
 * Every enter is followed by a leave. Not where there is a pool. */
modm_lane *modm_client_enter (modm_client *client, bson_error_t *error);
void modm_client_leave (void);
/* After a fork: lets go of handle and cursors of the parent, silently. Comes before anything that
 * could talk to a server. */
void modm_client_settle (modm_client *client);
/* Kills the cursors, ends the sessions, closes the sockets; a pool does so by itself. Idempotent.
 */
void modm_client_close (modm_client *client);
/* Pushes a modm.Client with a fresh client without a URI. */
modm_client *modm_client_push (lua_State *L);
modm_client *modm_client_check (lua_State *L, int idx);
/* Fills in uri, secrets and timeout from the text at index 1 and the options at index 2. False with
 * the message pushed. May throw. */
bool modm_uri_read (lua_State *L, modm_client *client);
enum { MODM_OPTION_NAME = 64 };
/* Lower case without underscores: camelCase and snake_case come to the same. */
void modm_option_name (char out[MODM_OPTION_NAME], const char *name, size_t len);
/* Looks at connect's options and pushes a table of them by these names; false with the message
 * pushed. May throw. */
bool modm_options_check (lua_State *L, int options);
/* Pushes a list of the names of those of the URI's options that make TLS weaker. */
void modm_options_weakened (lua_State *L, const mongoc_uri_t *uri);
/* Opens the class and registers the constructor into the table at the top. */
void modm_client_open (lua_State *L);

/* ---- operations ---- */

/* What an operation has for the driver alone. */
struct modm_op_held {
   atomic_size_t refs; /* its userdata and the pool */
   bool under_way;     /* submitted: set and unset by Lua's thread alone */
   bool closed;        /* it cannot be run again */
   modm_events events;
   modm_job job; /* MODM_RUN */
};

/* Lets go of a reference; the last one frees it. Any thread. */
void modm_op_release (modm_op *op);
/* Runs it on an open lane, or gives it the error where lane is NULL. */
void modm_op_perform (modm_op *op, modm_lane *lane, bson_error_t *error);
/* Gives it an error without running it. */
void modm_op_fail (modm_op *op, const bson_error_t *error);
/* Makes it part of a session, or of none; one that has its cursor stays where it is. */
void modm_op_join (modm_op *op, modm_session *session);
/* Fills a buffer with an argument's BSON: a string that is BSON, or a table. nil leaves it empty.
 */
void modm_op_fill (lua_State *L, int idx, modm_buffer *b);

bool modm_cursor_run (modm_op *op, modm_lane *lane, bson_error_t *error);
bool modm_watch_run (modm_op *op, modm_lane *lane, bson_error_t *error);
/* A find of one or two documents, by a plain command. Without an error and without a cursor of the
 * operation's, nothing was found out: one of libmongoc's has to do it. */
bool modm_few_run (modm_op *op, mongoc_client_t *handle, const bson_t *options,
                   const mongoc_read_prefs_t *prefs, bson_error_t *error);

/* The parts of an operation as libmongoc wants them. False with the error. */
bool modm_op_bson (const modm_buffer *b, bson_t *out, bson_error_t *error);
/* The document or array that an element holds, by reference. False when it is neither. */
bool modm_bson_borrow (const bson_iter_t *iter, bson_t *out);
/* The options with the session, and with the client's maxTimeMS where nothing sets one;
 * bson_destroy it. NULL with the error. */
bson_t *modm_op_options (const modm_op *op, bson_error_t *error);
/* The read preference, or NULL for the client's. False with the error. */
bool modm_op_prefs (const modm_op *op, mongoc_read_prefs_t **out, bson_error_t *error);
void modm_op_reply (modm_op *op, const bson_t *reply);

bool modm_insert_run (modm_op *op, modm_lane *lane, bson_error_t *error);
/* An update or delete command by way of libmongoc's bulk writes, which alone make them retryable.
 * False in *taken when the command has something that they cannot express. */
bool modm_bulk_run (modm_op *op, modm_lane *lane, bool *taken, bson_error_t *error);
/* True when the key is in the list, which NULL ends. */
bool modm_is_one_of (const char *key, const char *const *names);
/* Turns the reply of libmongoc's insert and bulk functions into that of the server's commands. */
void modm_op_bulk_reply (modm_op *op, const bson_t *reply, bool update);
/* Finds the first write error or write concern error in a reply of a command that has ok: 1. */
bool modm_reply_check (const bson_t *reply, bson_error_t *error);

/* Pushes op->message and the rest as a table. */
void modm_op_error_push (lua_State *L, const modm_op *op);
/* A list of what a bulk write could not do, as tables: index (from 0), code, message, and of a
 * duplicate key key, value and key_pattern. */
void modm_op_write_errors_push (lua_State *L, const modm_op *op);

/* Opens the class. */
void modm_op_open (lua_State *L);
/* Registers the constructors into the table at the top. */
void modm_simple_open (lua_State *L);

#endif
