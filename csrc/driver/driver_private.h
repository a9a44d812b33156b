/* What the files of driver share among themselves.
 *
 * A file that needs libmongoc takes it from compat/mongoc.h through this header; driver.h shows
 * none of it to the other rooms.
 */
#ifndef MODM_DRIVER_PRIVATE_H
#define MODM_DRIVER_PRIVATE_H

#include "compat/mongoc.h"
#include "driver/driver.h"

#define MODM_VERSION "scm"

/* The domain of our own errors, beside libmongoc's, and their codes. */
#define MODM_ERROR_DOMAIN 0x6d6f646d
enum {
   MODM_ERROR_CLOSED = 1,
   MODM_ERROR_MEMORY,
   MODM_ERROR_BSON,
   MODM_ERROR_FORKED,
   MODM_ERROR_ENDED,
   MODM_ERROR_SESSION
};

/* Fills in an error of ours, returns false. */
bool modm_driver_error (bson_error_t *error, uint32_t code, const char *format, ...)
   __attribute__ ((format (printf, 3, 4)));

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
int modm_l_log (lua_State *L);

/* ---- command events ---- */

typedef struct modm_event modm_event;

typedef struct modm_events {
   modm_event *first, **last;
   size_t count, bytes, dropped;
   const modm_buffer *secrets; /* the client's */
} modm_events;

void modm_events_init (modm_events *events, const modm_buffer *secrets);
void modm_events_free (modm_events *events);
/* Begins or ends to listen to the client. */
void modm_events_listen (modm_events *events, mongoc_client_t *handle, bool on);
/* Pushes the events as a list and forgets them. */
void modm_events_push (lua_State *L, modm_events *events);

/* ---- clients ---- */

/* A cursor is on its client's list as long as it has a libmongoc cursor, so that a client that is
 * closed can destroy it first. */
typedef struct modm_cursor {
   struct modm_cursor *next, **link;
   mongoc_cursor_t *handle;        /* NULL: exhausted, failed, or closed */
   mongoc_change_stream_t *stream; /* instead of it, for a change stream */
   struct modm_session *session;   /* the operation's, which holds it; or NULL */
   modm_buffer batch;              /* documents one after another */
   size_t at;                      /* the next one to hand out */
   uint32_t limit;                 /* documents to fetch in one run */
   bool fixed;                     /* the limit is the caller's batch size */
   size_t last;                    /* where the document begins that was handed out last */
   bool done;                      /* no further document will come */
} modm_cursor;

typedef enum modm_causal { MODM_CAUSAL_DEFAULT, MODM_CAUSAL, MODM_NOT_CAUSAL } modm_causal;

/* A session is on its client's list as long as it has a libmongoc session, as cursors are. */
typedef struct modm_session {
   struct modm_session *next, **link;
   size_t refs; /* its userdata and its operations */
   modm_client *client;
   mongoc_client_session_t *handle; /* NULL: before the first use, or ended */
   modm_causal causal;
   bool snapshot, ended;
} modm_session;

struct modm_client {
   size_t refs;
   pid_t pid;               /* of the process that opened the handle */
   mongoc_client_t *handle; /* NULL before the first use */
   mongoc_uri_t *uri;
   modm_cursor *cursors;
   modm_session *sessions;
   modm_events events;
   modm_buffer secrets;
   int32_t timeout_ms; /* 0: none */
   bool monitored, closed;
};

/* Lets go of a reference; the last one destroys the client. */
void modm_client_release (modm_client *client);
/* The handle to work with in this process, opened when need be; NULL and the error when it cannot
 * be. Every enter is followed by a leave. */
mongoc_client_t *modm_client_enter (modm_client *client, bson_error_t *error);
void modm_client_leave (void);
/* After a fork: lets go of handle and cursors of the parent, silently. Comes before anything that
 * could talk to a server. */
void modm_client_settle (modm_client *client);
/* Kills the cursors, ends the sessions, closes the sockets. Idempotent. */
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

/* ---- sessions ---- */

/* Lets go of a reference; the last one ends the session. */
void modm_session_release (modm_session *session);
/* Destroys the libmongoc session and the cursors in it; a transaction under way is aborted. */
void modm_session_end (modm_session *session);
modm_session *modm_session_check (lua_State *L, int idx);
bool modm_session_in_transaction (const modm_session *session);
/* Starts the operation's session, if it has one that was not used yet. */
bool modm_session_enter (const modm_op *op, mongoc_client_t *handle, bson_error_t *error);
/* Appends the operation's options that hold in its session, and the session itself. */
bool modm_session_options (const modm_op *op, bson_t *out, bson_error_t *error);
/* Starts, commits or aborts the transaction. */
bool modm_session_run (modm_op *op, bson_error_t *error);
void modm_session_open (lua_State *L);

/* ---- operations ---- */

/* Makes it part of a session, or of none; one that has its cursor stays where it is. */
void modm_op_join (modm_op *op, modm_session *session);
/* Fills a buffer with an argument's BSON: a string that is BSON, or a table. nil leaves it empty.
 */
void modm_op_fill (lua_State *L, int idx, modm_buffer *b);

/* Puts a cursor that has a handle or a stream on the client's list. */
void modm_cursor_attach (modm_cursor *cursor, modm_client *client);
/* Destroys the libmongoc cursor, and with it the server's, and leaves the client's list. */
void modm_cursor_kill (modm_cursor *cursor);
bool modm_cursor_run (modm_op *op, mongoc_client_t *handle, bson_error_t *error);
bool modm_watch_run (modm_op *op, mongoc_client_t *handle, bson_error_t *error);

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

bool modm_insert_run (modm_op *op, mongoc_client_t *handle, bson_error_t *error);
/* An update or delete command by way of libmongoc's bulk writes, which alone make them retryable.
 * False in *taken when the command has something that they cannot express. */
bool modm_bulk_run (modm_op *op, mongoc_client_t *handle, bool *taken, bson_error_t *error);
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

/* Opens the class and registers the helpers into the table at the top. */
void modm_op_open (lua_State *L);

#endif
