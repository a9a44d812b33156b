/* Saving one document: what has to be sent, and what follows when the server has it. */
#include "query/query_private.h"

/* ---- what bulk.c needs too ---- */

bool
modm_save_size (size_t len, modm_error *err)
{
   if (len <= MODM_MAX_DOCUMENT)
      return true;
   return modm_error_set (err,
                          "a document of %zu bytes is larger than the %d bytes of MongoDB's limit",
                          len, MODM_MAX_DOCUMENT);
}

modm_document *
modm_save_check (lua_State *L, int idx)
{
   modm_document *d = modm_document_check (L, idx);
   if (d->schema->primary < 0)
      (void) luaL_argerror (L, idx, "a document of a model with a collection expected");
   return d;
}

bool
modm_save_needs_key (const modm_document *d)
{
   return modm_state_of (d->states[d->schema->primary]) == MODM_UNSET;
}

bool
modm_save_key (const modm_document *d, modm_error *err)
{
   const modm_field *f = &d->schema->fields[d->schema->primary];
   if (strcmp (f->kind->name, "ObjectIdField") == 0)
      return true;
   modm_error_set (err, "the primary key is not set");
   return modm_error_at_key (err, f->name, f->name_len);
}

void
modm_save_new_id (uint8_t out[MODM_ID_ELEMENT])
{
   out[0] = MODM_BSON_OBJECTID;
   memcpy (out + 1, "_id", 4);
   modm_objectid_new (out + 5);
}

/* ---- one document ---- */

typedef enum plan { NOTHING, INSERT, REPLACE, CHANGE } plan;

/* A save under way. The scratch holds the document as it is now. */
typedef struct save {
   modm_document *d;
   modm_buffer *now;
   uint8_t id[MODM_ID_ELEMENT]; /* a new key, when it needs one */
   bool new_key;
   const uint8_t *guard; /* a document that must hold on the server, or NULL */
   size_t guard_len;
   bool elsewhere; /* it goes to another collection than it came from */
   plan plan;
   modm_error err;
} save;

static bool
same_key (const save *s)
{
   modm_element before, after;
   return modm_reader_find (s->d->bytes, s->d->len, "_id", 3, &before) &&
          modm_reader_find (s->now->data, s->now->len, "_id", 3, &after) &&
          before.type == after.type && before.size == after.size &&
          memcmp (before.value, after.value, after.size) == 0;
}

static bool
make_plan (save *s, bool force)
{
   bool loaded = s->d->flags & MODM_DOC_LOADED && !s->elsewhere;
   s->new_key = modm_save_needs_key (s->d);
   if (s->new_key || force)
      s->plan = INSERT;
   else
      s->plan = loaded && same_key (s) ? CHANGE : REPLACE;
   if (s->new_key)
      modm_save_new_id (s->id);
   if (s->plan != CHANGE && s->d->flags & MODM_DOC_PARTIAL)
      return modm_error_set (
         &s->err, "only some of its fields were loaded, so it cannot be stored as a whole, "
                  "under another key or elsewhere");
   return !s->new_key || modm_save_key (s->d, &s->err);
}

static bool
encode (lua_State *L, int idx, save *s)
{
   if (!modm_encode_document (L, idx, s->d, s->now, 0, &s->err))
      return false;
   if (s->now->failed)
      return modm_error_set (&s->err, "not enough memory");
   return true;
}

/* The document as it will be stored, with a new key in front. */
static void
write_whole (const save *s, modm_buffer *b)
{
   size_t start = modm_write_begin (b);
   if (s->new_key)
      modm_buffer_write (b, s->id, MODM_ID_ELEMENT);
   modm_buffer_write (b, s->now->data + 4, s->now->len - 5);
   modm_write_end (b, start);
}

/* The key, and the guard. */
static void
write_filter (const save *s, modm_buffer *b)
{
   modm_element e;
   modm_write_key (b, MODM_BSON_DOCUMENT, "q", 1);
   size_t start = modm_write_begin (b);
   if (modm_reader_find (s->now->data, s->now->len, "_id", 3, &e))
      modm_write_element (b, &e);
   if (s->guard)
      modm_buffer_write (b, s->guard + 4, s->guard_len - 5);
   modm_write_end (b, start);
}

/* A document that is to replace one of a known state must not be made where there is none. */
static bool
may_upsert (const save *s)
{
   modm_reader r;
   modm_element e;
   return !s->guard || (modm_reader_init (&r, s->guard, s->guard_len) &&
                        modm_reader_next (&r, &e) && e.type == MODM_BSON_NULL);
}

/* {update: collection, updates: [{q: {_id}, u, multi: false}], ordered: true} */
static bool
write_update (save *s, modm_op *op)
{
   modm_buffer *b = &op->body;
   bool same = false;
   size_t start = modm_write_begin (b);
   modm_write_string (b, "update", op->collection, strlen (op->collection));
   modm_write_key (b, MODM_BSON_ARRAY, "updates", 7);
   size_t list = modm_write_begin (b);
   modm_write_index_key (b, MODM_BSON_DOCUMENT, 0);
   size_t statement = modm_write_begin (b);
   write_filter (s, b);
   modm_write_key (b, MODM_BSON_DOCUMENT, "u", 1);
   if (s->plan == REPLACE)
      write_whole (s, b);
   else if (!(s->d->flags & MODM_DOC_UNSURE ? modm_diff_again : modm_diff) (
               s->d->schema, s->d->bytes, s->d->len, s->now->data, s->now->len, b, &same))
      return modm_error_set (&s->err, "not enough memory");
   if (same)
      s->plan = NOTHING;
   modm_write_bool (b, "multi", false);
   if (s->plan == REPLACE && may_upsert (s))
      modm_write_bool (b, "upsert", true);
   modm_write_end (b, statement);
   modm_write_end (b, list);
   modm_write_bool (b, "ordered", true);
   modm_write_end (b, start);
   return true;
}

/* Fills in the operation. Phase E: nothing here throws. */
static bool
prepare (lua_State *L, save *s, modm_op *op, bool force)
{
   if (!encode (L, 2, s) || !make_plan (s, force) ||
       !modm_save_size (s->now->len + (s->new_key ? MODM_ID_ELEMENT : 0), &s->err))
      return false;
   op->kind = s->plan == INSERT ? MODM_OP_INSERT : MODM_OP_COMMAND_WRITE;
   if (s->plan == INSERT)
      write_whole (s, &op->body);
   else if (!write_update (s, op))
      return false;
   if (op->body.failed)
      return modm_error_set (&s->err, "not enough memory");
   return modm_query_options (L, 6, &op->options, &s->err);
}

static int
fail (lua_State *L, const modm_error *err)
{
   lua_pushnil (L);
   lua_pushstring (L, err->message);
   lua_pushstring (L, err->path);
   return 3;
}

/* Whether the document at idx holds a file that is not stored yet. */
static bool
has_files (lua_State *L, int idx, modm_document *d)
{
   modm_document_files (L, idx, d);
   bool any = lua_rawlen (L, -1) > 0;
   lua_pop (L, 1);
   return any;
}

/* The key alone. */
static bool
encode_key (lua_State *L, int idx, save *s)
{
   const modm_field *f = &s->d->schema->fields[s->d->schema->primary];
   size_t start = modm_write_begin (s->now);
   modm_document_push_pk (L, idx, s->d);
   bool ok = lua_isnil (L, -1) || modm_encode_field (L, lua_gettop (L), f, s->now, f->mongo_name,
                                                     f->mongo_len, 0, &s->err);
   lua_pop (L, 1);
   modm_write_end (s->now, start);
   return ok;
}

/* core.plan(document, force_insert, elsewhere) -> "insert" (as a whole, if need be over what has
 * its key), "update" (what differs) or "nothing" | nil, message, path. A file that is not stored
 * yet is a change, though nobody knows its id. */
int
modm_save_l_plan (lua_State *L)
{
   save s = {.d = modm_save_check (L, 1)};
   bool same = false;
   s.elsewhere = lua_toboolean (L, 3);
   lua_settop (L, 2);
   modm_buffer *update = modm_buffer_push (L);
   s.now = modm_scratch_acquire (L);
   bool waits = has_files (L, 1, s.d);
   bool ok =
      (waits ? encode_key (L, 1, &s) : encode (L, 1, &s)) && make_plan (&s, lua_toboolean (L, 2));
   if (ok && s.plan == CHANGE && !waits &&
       !modm_diff (s.d->schema, s.d->bytes, s.d->len, s.now->data, s.now->len, update, &same))
      ok = modm_error_set (&s.err, "not enough memory");
   modm_scratch_release (s.now);
   modm_buffer_free (update);
   if (!ok)
      return fail (L, &s.err);
   lua_pushstring (L, same ? "nothing" : s.plan == CHANGE ? "update" : "insert");
   return 1;
}

/* core.save(client, document, database, collection, force_insert, options, elsewhere, guard) ->
 * op, encoding | false when nothing differs | nil, message, path. The guard is what must hold on
 * the server, in BSON, or nil. The encoding is what core.saved takes once the operation has run. */
int
modm_save_l_save (lua_State *L)
{
   save s = {.d = modm_save_check (L, 2)};
   bool force = lua_toboolean (L, 5);
   s.elsewhere = lua_toboolean (L, 7);
   lua_settop (L, 8);
   if (!lua_isnil (L, 8))
      s.guard = modm_query_bytes (L, 8, &s.guard_len);
   modm_op *op =
      modm_op_push (L, 1, MODM_OP_COMMAND_WRITE, luaL_checkstring (L, 3), luaL_checkstring (L, 4));
   s.now = modm_scratch_acquire (L);
   bool ok = prepare (L, &s, op, force);
   uint8_t *copy = NULL;
   size_t len = s.now->len + (s.new_key ? MODM_ID_ELEMENT : 0);
   if (ok && s.plan != NOTHING) {
      lua_pushvalue (L, 9);
      copy = lua_newuserdata (L, len);
      size_t head = s.new_key ? MODM_ID_ELEMENT : 0;
      memcpy (copy + 4, s.id, head);
      memcpy (copy + 4 + head, s.now->data + 4, s.now->len - 4);
      modm_store_i32 (copy, (int32_t) len);
   }
   modm_scratch_release (s.now);
   if (!ok)
      return fail (L, &s.err);
   s.d->flags &= ~(uint32_t) MODM_DOC_ASSIGNED;
   if (copy)
      return 2;
   lua_pushboolean (L, 0);
   return 1;
}

/* The encoding at idx, a userdata of just the document's bytes. */
static const uint8_t *
check_encoding (lua_State *L, int idx, size_t *len)
{
   const uint8_t *bytes = lua_touserdata (L, idx);
   *len = lua_rawlen (L, idx);
   if (!bytes || *len < 5 || (size_t) modm_load_i32 (bytes) != *len)
      (void) luaL_argerror (L, idx, "the encoding of a document expected");
   return bytes;
}

/* core.saved(document, op, encoding) -> whether the server had a document to change; then the
 * document is what it has. */
int
modm_save_l_saved (lua_State *L)
{
   modm_document *d = modm_save_check (L, 1);
   const modm_op *op = modm_op_check (L, 2);
   size_t len;
   luaL_checktype (L, 3, LUA_TUSERDATA);
   const uint8_t *bytes = check_encoding (L, 3, &len);
   lua_settop (L, 3);
   bool found = op->kind == MODM_OP_INSERT || modm_query_reply_int (op, "n") > 0;
   if (found)
      modm_document_rebase (L, 1, d, bytes);
   lua_pushboolean (L, found);
   return 1;
}

void
modm_save_unsure (lua_State *L, int idx, modm_document *d, const uint8_t *bytes, size_t len)
{
   modm_element e;
   if (modm_save_needs_key (d) && modm_reader_find (bytes, len, "_id", 3, &e)) {
      modm_undo_touch (L, idx, d);
      modm_push_value (L, &e);
      modm_document_assign (L, idx, d, (uint32_t) d->schema->primary);
   }
   d->flags |= MODM_DOC_UNSURE;
}

/* core.unsure(document, encoding): what core.saved is when nobody knows what became of a save. */
int
modm_save_l_unsure (lua_State *L)
{
   modm_document *d = modm_save_check (L, 1);
   size_t len;
   luaL_checktype (L, 2, LUA_TUSERDATA);
   const uint8_t *bytes = check_encoding (L, 2, &len);
   modm_save_unsure (L, 1, d, bytes, len);
   return 0;
}
