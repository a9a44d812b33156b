/* Inserting new documents: many with few operations, or one; validated in the same walk. */
#include "query/query_private.h"

/* Appends the encoding of the document at idx, validated in the same walk with `validate`. */
static bool
encode (lua_State *L, int idx, modm_document *d, bool validate, modm_buffer *b, modm_error *err)
{
   if (!validate)
      return modm_encode_document (L, idx, d, b, 0, err);
   modm_document_defaults (L, idx, d);
   bool due = !lua_isnil (L, -1);
   lua_pop (L, 1);
   return (!due && modm_document_write_valid (L, idx, d, b)) ||
          modm_error_set (err, "needs another look");
}

/* Appends the document at idx as it will be stored, with a new key in front where it has none. */
static bool
append_one (lua_State *L, int idx, modm_document *d, bool validate, modm_buffer *b, modm_error *err)
{
   size_t start = b->len;
   if (d->flags & MODM_DOC_PARTIAL)
      return modm_error_set (err, "only some of its fields were loaded, so it cannot be inserted");
   if (!encode (L, idx, d, validate, b, err))
      return false;
   if (modm_save_needs_key (d)) {
      if (!modm_save_key (d, err))
         return false;
      if (modm_buffer_reserve (b, MODM_ID_ELEMENT)) {
         uint8_t *at = b->data + start + 4;
         memmove (at + MODM_ID_ELEMENT, at, b->len - start - 4);
         modm_save_new_id (at);
         b->len += MODM_ID_ELEMENT;
         modm_store_i32 (b->data + start, (int32_t) (b->len - start));
      }
   }
   if (b->failed)
      return modm_error_set (err, "not enough memory");
   return modm_save_size (b->len - start, err);
}

/* core.bulk_insert(client, database, collection, documents, first, bytes, options, validate) -> op,
 * the last that is in it | nil, message, path, index. Takes documents from `first` on until they
 * are more than `bytes` bytes. With `validate` new documents are validated as they are encoded; the
 * first that is not valid, or not without Lua, ends it, and is for core.validate_list. */
int
modm_bulk_l_insert (lua_State *L)
{
   modm_error err;
   luaL_checktype (L, 4, LUA_TTABLE);
   lua_Integer i = luaL_checkinteger (L, 5), n = (lua_Integer) lua_rawlen (L, 4);
   size_t most = (size_t) luaL_checkinteger (L, 6);
   bool validate = lua_toboolean (L, 8);
   lua_settop (L, 7);
   modm_op *op = modm_query_op (L, MODM_OP_INSERT);
   bool ok = modm_query_options (L, 7, &op->options, &err);
   for (; ok && i <= n && op->body.len < most; i++) {
      lua_rawgeti (L, 4, (int) i);
      modm_document *d = modm_save_check (L, -1);
      ok = append_one (L, lua_gettop (L), d, validate, &op->body, &err);
      d->flags &= ~(uint32_t) MODM_DOC_ASSIGNED;
      lua_pop (L, 1);
   }
   if (ok) {
      lua_pushinteger (L, i - 1);
      return 2;
   }
   if (op->options.failed || op->body.failed)
      return luaL_error (L, "not enough memory"); /* no fault of a document's */
   lua_pushnil (L);
   lua_pushstring (L, err.message);
   lua_pushstring (L, err.path);
   lua_pushinteger (L, i - 1);
   return 4;
}

/* core.save_new(client, document, database, collection, options) -> op, encoding | nil. What
 * core.save is for a new document without a key that is not validated yet: nil for any other, and
 * for one that is not valid, or not without Lua. */
int
modm_bulk_l_save_new (lua_State *L)
{
   modm_error err;
   modm_document *d = modm_save_check (L, 2);
   lua_settop (L, 5);
   if (d->bytes || !modm_save_needs_key (d))
      return 0;
   modm_op *op =
      modm_op_push (L, 1, MODM_OP_INSERT, luaL_checkstring (L, 3), luaL_checkstring (L, 4));
   if (!append_one (L, 2, d, true, &op->body, &err) ||
       !modm_query_options (L, 5, &op->options, &err))
      return 0;
   d->flags &= ~(uint32_t) MODM_DOC_ASSIGNED;
   memcpy (lua_newuserdata (L, op->body.len), op->body.data, op->body.len);
   return 2;
}

/* How many of the bytes at `at` documents take that share a block: one or more. Each keeps the
 * whole block in memory, so it is a small one. */
static size_t
block_size (const uint8_t *at, const uint8_t *end)
{
   enum { BLOCK = 8 * 1024 };
   size_t size = (size_t) modm_load_i32 (at);
   while (at + size < end) {
      size_t next = (size_t) modm_load_i32 (at + size);
      if (size + next > BLOCK)
         break;
      size += next;
   }
   return size;
}

/* What became of document i of the list at 1, sent as the bytes, which lie in the block at 8; its
 * key goes into the table at 7, where one is wanted. */
static void
note_inserted (lua_State *L, lua_Integer i, const uint8_t *bytes, bool unsure)
{
   bool failed = false;
   if (lua_istable (L, 5)) {
      lua_rawgeti (L, 5, (int) i);
      failed = lua_toboolean (L, -1);
   }
   lua_rawgeti (L, 1, (int) i);
   int idx = lua_gettop (L);
   if (failed && unsure) {
      modm_save_unsure (L, idx, modm_save_check (L, idx), bytes, (size_t) modm_load_i32 (bytes));
   } else if (!failed) {
      lua_pushvalue (L, 8);
      modm_document_rebase (L, idx, modm_save_check (L, idx), bytes);
   }
   if (!failed && lua_istable (L, 7)) {
      modm_document_push_pk (L, idx, modm_save_check (L, idx));
      lua_rawseti (L, 7, (int) i);
   }
   lua_settop (L, 8);
}

/* core.bulk_inserted(documents, first, last, op, failed or nil, unsure, keys or nil): those that
 * are not in the set `failed` (by their place in the list) are what the server has now, and their
 * keys go into `keys`, at their places; with `unsure` it may have the others. */
int
modm_bulk_l_inserted (lua_State *L)
{
   luaL_checktype (L, 1, LUA_TTABLE);
   lua_Integer i = luaL_checkinteger (L, 2), last = luaL_checkinteger (L, 3);
   const modm_op *op = modm_op_check (L, 4);
   bool unsure = lua_toboolean (L, 6);
   const uint8_t *at = op->body.data, *end = at + op->body.len;
   while (i <= last && at < end) {
      size_t size = block_size (at, end);
      lua_settop (L, 7);
      const uint8_t *block = memcpy (lua_newuserdata (L, size), at, size), *bytes = block;
      for (; i <= last && bytes < block + size; i++) {
         note_inserted (L, i, bytes, unsure);
         bytes += modm_load_i32 (bytes);
      }
      at += size;
   }
   return 0;
}
