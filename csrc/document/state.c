/* What the methods of instances are built of: validating, converting, keys, resolving, refreshing.
 */
#include "document/document_private.h"

/* The slot of the field named by argument idx. */
static uint32_t
check_slot (lua_State *L, const modm_document *d, int idx)
{
   const modm_field *f = modm_schema_named (L, d->schema, idx);
   if (!f)
      luaL_error (L, "%s has no field '%s'", d->schema->name, luaL_checkstring (L, idx));
   return (uint32_t) f->id - 1;
}

/* core.validate(document, exclude (set of names) or nil, cascade, filled) -> errors or nil,
 * callbacks or nil. Unless the function defaults were filled in: where some are due, in it or in
 * documents embedded in it, it does nothing and gives nil, nil, {document, name, ...} */
static int
l_validate (lua_State *L)
{
   modm_document *d = modm_document_check (L, 1);
   bool cascade = lua_toboolean (L, 3), filled = lua_toboolean (L, 4);
   lua_settop (L, 2);
   if (!filled) {
      lua_pushnil (L);
      lua_pushnil (L);
      modm_document_defaults (L, 1, d);
      if (!lua_isnil (L, -1))
         return 3;
   }
   modm_document_validate (L, 1, d, lua_istable (L, 2) ? 2 : 0, cascade);
   return 2;
}

/* core.convert(document) */
static int
l_convert (lua_State *L)
{
   modm_document_convert (L, 1, modm_document_check (L, 1));
   return 0;
}

/* core.default(document, name) -> the function default of a field */
static int
l_default (lua_State *L)
{
   const modm_document *d = modm_document_check (L, 1);
   modm_field_push_env (L, &d->schema->fields[check_slot (L, d, 2)]);
   lua_getfield (L, -1, "default");
   return 1;
}

/* core.encode(document) -> BSON as a string | nil, "path: message", message,
 * path */
static int
l_encode (lua_State *L)
{
   const modm_document *d = modm_document_check (L, 1);
   modm_error err;
   modm_buffer *b = modm_scratch_acquire (L);
   bool ok = modm_encode_document (L, 1, d, b, 0, &err), failed = ok && b->failed;
   if (ok && !failed)
      lua_pushlstring (L, (const char *) b->data, b->len);
   modm_scratch_release (b);
   if (failed)
      return luaL_error (L, "not enough memory");
   if (ok)
      return 1;
   lua_pushnil (L);
   modm_error_push (L, &err);
   lua_pushstring (L, err.message);
   lua_pushstring (L, err.path);
   return 4;
}

/* core.files(document) -> {document, name, ...}: files that are not stored yet, also in embedded
 * documents */
static int
l_files (lua_State *L)
{
   modm_document_files (L, 1, modm_document_check (L, 1));
   return 1;
}

/* core.keep_file(document, name, object, value): what the field's file reads as, and, if given, the
 * id or modm.File that it stands for, which becomes the field's value */
static int
l_keep_file (lua_State *L)
{
   modm_document *d = modm_document_check (L, 1);
   uint32_t i = check_slot (L, d, 2);
   luaL_checkany (L, 3);
   lua_settop (L, 4);
   if (!lua_isnil (L, 4)) {
      modm_undo_touch (L, 1, d);
      modm_document_assign (L, 1, d, i);
      d->states[i] = (uint8_t) (MODM_CLEAN | (d->states[i] & MODM_PART));
   }
   lua_settop (L, 3);
   modm_document_values (L, 1, d);
   lua_insert (L, -2);
   lua_rawseti (L, -2, modm_resolved_at (d, i)); /* its model RESOLVES, so that is a table */
   return 0;
}

/* core.set_default(document, name, value): what a function default gave. An empty value is handed
 * out, but not stored. */
static int
l_set_default (lua_State *L)
{
   modm_document *d = modm_document_check (L, 1);
   uint32_t i = check_slot (L, d, 2);
   lua_settop (L, 3);
   bool blank = modm_isblank (L, 3);
   if (lua_isnil (L, 3)) {
      lua_pushlightuserdata (L, NULL); /* remembered as nil, and not called again */
      lua_replace (L, 3);
   }
   modm_document_assign (L, 1, d, i);
   if (blank)
      d->states[i] = (uint8_t) (MODM_DEFAULTED | (d->states[i] & MODM_PART));
   return 0;
}

static const uint8_t *
check_bytes (lua_State *L, int idx, size_t *len)
{
   const uint8_t *bytes = (const uint8_t *) luaL_checklstring (L, idx, len);
   luaL_argcheck (L, *len >= 5 && (size_t) modm_load_i32 (bytes) == *len, idx, "no BSON document");
   return bytes;
}

/* core.diff(schema, before, after) -> the update that leads from one encoding to the other, a
 * table; nil when nothing differs */
static int
l_diff (lua_State *L)
{
   const modm_schema *s = modm_schema_check (L, 1);
   size_t before_len, after_len;
   const uint8_t *before = check_bytes (L, 2, &before_len), *after = check_bytes (L, 3, &after_len);
   modm_buffer *b = modm_buffer_push (L);
   bool same;
   if (!modm_diff (s, before, before_len, after, after_len, b, &same))
      return luaL_error (L, "not enough memory, or no BSON document");
   if (same)
      lua_pushnil (L);
   else
      modm_push_document (L, b->data, b->len);
   return 1;
}

/* core.key(document) -> the value of its primary key, or nil */
static int
l_key (lua_State *L)
{
   modm_document_push_pk (L, 1, modm_document_check (L, 1));
   return 1;
}

/* Replaces documents by their keys in the value at the top, one of field f: a document, or a list.
 */
static void
push_keys (lua_State *L, const modm_field *f)
{
   modm_document *d = modm_document_referred (L, -1);
   if (d && f->kind->role == MODM_REFERENCE) {
      modm_document_push_pk (L, -1, d);
      lua_remove (L, -2);
   } else if (f->inner && lua_type (L, -1) == LUA_TTABLE) {
      int list = lua_gettop (L);
      luaL_checkstack (L, 6, "keys");
      lua_newtable (L);
      for (int i = 1; lua_rawgeti (L, list, i) != LUA_TNIL; i++) {
         push_keys (L, f->inner);
         lua_rawseti (L, list + 1, i);
      }
      lua_pop (L, 1);
      lua_remove (L, list);
   }
}

/* Reads slot i, so that what was assigned is converted and what was not loaded raises; what was not
 * set stays so. */
static void
settle_slot (lua_State *L, modm_document *d, uint32_t i)
{
   if (modm_state_of (d->states[i]) == MODM_UNSET)
      return;
   (void) modm_document_read (L, 1, d, i);
   lua_pop (L, 1);
}

/* core.id_of(document, name) -> the key (or list of keys) that a reference holds, without a query
 */
static int
l_id_of (lua_State *L)
{
   modm_document *d = modm_document_check (L, 1);
   uint32_t i = check_slot (L, d, 2);
   const modm_field *f = &d->schema->fields[i], *inner = f;
   while (inner->inner)
      inner = inner->inner;
   if (inner->kind->role != MODM_REFERENCE)
      luaL_error (L, "%s.%s is no reference", d->schema->name, f->name);
   settle_slot (L, d, i);
   modm_document_peek (L, 1, d, i);
   push_keys (L, f);
   if (modm_isnull (L, -1))
      lua_pushnil (L);
   return 1;
}

/* core.is_loaded(document) -> whether it is in the database as far as it knows */
static int
l_is_loaded (lua_State *L)
{
   lua_pushboolean (L, modm_document_check (L, 1)->flags & MODM_DOC_LOADED);
   return 1;
}

/* core.schema_of(document) -> its schema; core.model_of(document) -> its class;
 * core.meta_of(document) -> what Lua knows of its model. The latter two: nil for another value. */
static int
l_schema_of (lua_State *L)
{
   modm_schema_push_env (L, modm_document_check (L, 1)->schema);
   lua_rawgeti (L, -1, MODM_ENV_SCHEMA);
   return 1;
}

static int
push_of_model (lua_State *L, int key)
{
   const modm_document *d = modm_document_test (L, 1);
   if (!d) {
      lua_pushnil (L);
      return 1;
   }
   modm_schema_push_env (L, d->schema);
   lua_rawgeti (L, -1, key);
   return 1;
}

static int
l_model_of (lua_State *L)
{
   return push_of_model (L, MODM_ENV_MODEL);
}

static int
l_meta_of (lua_State *L)
{
   return push_of_model (L, MODM_ENV_META);
}

const luaL_Reg modm_document_state_functions[] = {
   {"validate", l_validate}, {"convert", l_convert},        {"default", l_default},
   {"files", l_files},       {"keep_file", l_keep_file},    {"set_default", l_set_default},
   {"diff", l_diff},         {"encode_document", l_encode}, {"key", l_key},
   {"id_of", l_id_of},       {"is_loaded", l_is_loaded},    {"schema_of", l_schema_of},
   {"model_of", l_model_of}, {"meta_of", l_meta_of},        {NULL, NULL}};
