/* driver: the only room that knows libmongoc. Clients, operations, cursors, command events.
 *
 * An operation (modm_op) is one exchange with the server: BSON in, BSON out, no lua_State. Another
 * room makes it (modm_op_push), writes its body and options, and Lua's transport runs it:
 * `op:run()` runs it here and now (the blocking transport); `op:submit()` hands the same struct to
 * a thread of the client's pool, and the notifier says when it has ended. Whoever asked then reads
 * the reply or the error. A cursor operation can be run again and again: each run fetches what
 * modm_op_document then hands out, until it says done.
 *
 * Ownership: an operation owns its buffers and its cursor and holds a reference on its client and
 * on the session that it is part of, as a session does on its client; a client is freed when its
 * last holder lets go, so the order in which Lua collects them does not matter. What a pool works
 * on, it holds: Lua may forget an operation that is under way. A client remembers its process:
 * after a fork it is opened anew from its own URI and options.
 *
 * Threads: between submit and the drain that tells of its end, an operation belongs to the pool,
 * and Lua is kept from it (modm_op_check). A lane, which is one libmongoc client with its cursors
 * and sessions, is worked on by one thread at a time. Counts of references are atomic; everything
 * else that is shared is under the pool's, the notifier's or the listener's lock.
 */
#ifndef MODM_DRIVER_H
#define MODM_DRIVER_H

#include "base/base.h"
#include "bson/bson.h"

typedef struct modm_client modm_client;

typedef enum modm_op_kind {
   MODM_OP_COMMAND_READ,  /* body: the command. Retryable read, honours the read preference and
                             readConcern */
   MODM_OP_COMMAND_WRITE, /* body: the command (update, delete, findAndModify, createIndexes...).
                             Retryable */
   MODM_OP_INSERT,        /* body: documents one after another. Split at the server's limits */
   MODM_OP_FIND,      /* body: the filter; options: those of find (sort, limit, projection, ...) */
   MODM_OP_AGGREGATE, /* body: {pipeline: [...]}; options: those of aggregate */
   MODM_OP_WATCH,     /* body: {pipeline: [...]}; options: those of $changeStream. The first run
                         opens it, each other waits for a change; the resume token is in reply */
   MODM_OP_INDEXES,   /* a collection's indexes; no body */
   /* Of the operation's session, without a body: */
   MODM_OP_START,  /* options: readConcern, writeConcern, maxCommitTimeMS. Sends nothing yet */
   MODM_OP_COMMIT, /* may be run again where its result is unknown */
   MODM_OP_ABORT
} modm_op_kind;

typedef struct modm_op {
   modm_op_kind kind;
   modm_client *client;
   struct modm_session *session; /* or NULL */
   modm_buffer body;
   modm_buffer options; /* one document, or empty: readConcern, writeConcern, collation, ... */
   modm_buffer
      read_preference; /* {mode, tags, maxStalenessSeconds, hedge}, or empty for the client's */
   char *database, *collection;
   int32_t timeout_ms; /* for the server's work; 0: the client's */
   /* results */
   bool ok;
   modm_buffer
      reply; /* the server's reply (commands, insert), also on failure where there is one */
   uint32_t domain, code;
   struct modm_cursor *cursor; /* find, aggregate, indexes */
   struct modm_op_held *held;  /* the driver's own part */
   char message[640];          /* on failure; the last member: see op_new */
} modm_op;

/* Pushes a new operation on the client at client_idx (a modm.Client). The caller fills in body and
 * options. */
modm_op *modm_op_push (lua_State *L, int client_idx, modm_op_kind kind, const char *database,
                       const char *collection);
modm_op *modm_op_check (lua_State *L, int idx);

/* Runs it to its end, or for a cursor until a document is at hand or there are no more. Calls no
 * Lua. Any thread. Returns op->ok. */
bool modm_op_run (modm_op *op);
/* The next document that a run fetched, borrowed until the next run; false when a run is needed. */
bool modm_op_document (modm_op *op, const uint8_t **document, size_t *len);
/* The one that was handed out last, until the next run. */
bool modm_op_last (modm_op *op, const uint8_t **document, size_t *len);
/* True when a cursor has no further document. */
bool modm_op_done (const modm_op *op);
/* Kills the cursor and frees what was to be sent; it cannot be run again. Idempotent. */
void modm_op_close (modm_op *op);

/* Opens the room: modm.Client, modm.Session, modm.Op, modm.Notifier and, into the table at the top,
 * their constructors. */
void modm_driver_open (lua_State *L);

#endif
