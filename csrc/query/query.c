/* What the files of query share, and the room's functions for Lua. */
#include "query/query_private.h"

modm_op *
modm_query_op (lua_State *L, modm_op_kind kind)
{
   return modm_op_push (L, 1, kind, luaL_checkstring (L, 2), luaL_checkstring (L, 3));
}

bool
modm_query_options (lua_State *L, int idx, modm_buffer *b, modm_error *err)
{
   return lua_isnoneornil (L, idx) || modm_append_document (L, idx, b, 1, err);
}

int
modm_query_fail (lua_State *L, const modm_error *err)
{
   lua_pushnil (L);
   modm_error_push (L, err);
   return 2;
}

void
modm_query_push_row (lua_State *L, const uint8_t *document, size_t len)
{
   modm_error err;
   if (!modm_texts_check (document, len, &err)) {
      modm_error_push (L, &err);
      (void) lua_error (L);
   }
   modm_push_document (L, document, len);
}

/* Commands may have 16 KiB more than documents, for what stands around these. */
bool
modm_query_size (const modm_op *op, modm_error *err)
{
   size_t len = op->body.len + op->options.len;
   return len <= MODM_MAX_DOCUMENT + 16 * 1024 ||
          modm_error_set (
             err, "an operation of %zu bytes is larger than the %d bytes of MongoDB's limit", len,
             MODM_MAX_DOCUMENT);
}

const uint8_t *
modm_query_bytes (lua_State *L, int idx, size_t *len)
{
   const uint8_t *bytes = (const uint8_t *) luaL_checklstring (L, idx, len);
   if (*len < 5 || (size_t) modm_load_i32 (bytes) != *len)
      luaL_error (L, "these bytes are no BSON document");
   return bytes;
}

int64_t
modm_query_reply_int (const modm_op *op, const char *key)
{
   modm_element e;
   if (!op->reply.len || !modm_reader_find (op->reply.data, op->reply.len, key, strlen (key), &e))
      return 0;
   switch (e.type) {
   case MODM_BSON_INT32:
      return modm_load_i32 (e.value);
   case MODM_BSON_INT64:
      return modm_load_i64 (e.value);
   case MODM_BSON_DOUBLE:
      return (int64_t) modm_load_double (e.value);
   default:
      return 0;
   }
}

void
modm_query_open (lua_State *L)
{
   static const luaL_Reg functions[] = {{"operators", modm_operator_l_all},
                                        {"filter", modm_filter_l_filter},
                                        {"raw_filter", modm_filter_l_raw},
                                        {"stored_name", modm_filter_l_stored_name},
                                        {"class_filter", modm_join_l_class},
                                        {"class_name", modm_join_l_name},
                                        {"join", modm_join_l_join},
                                        {"query_find", modm_find_l_find},
                                        {"queryset_find", modm_find_l_queryset},
                                        {"query_aggregate", modm_find_l_aggregate},
                                        {"token", modm_token_l_make},
                                        {"token_bytes", modm_token_l_read},
                                        {"query_watch", modm_find_l_watch},
                                        {"watch_match", modm_watch_l_match},
                                        {"change", modm_watch_l_change},
                                        {"batch", modm_find_l_batch},
                                        {"typed", modm_typed_l_typed},
                                        {"ids", modm_find_l_ids},
                                        {"distinct_values", modm_distinct_l_values},
                                        {"update", modm_write_l_update},
                                        {"delete", modm_write_l_delete},
                                        {"write_result", modm_write_l_result},
                                        {"changes", modm_change_l_changes},
                                        {"find_and_modify", modm_modify_l_modify},
                                        {"modified", modm_modify_l_modified},
                                        {"statement", modm_statement_l_statement},
                                        {"statements", modm_statement_l_statements},
                                        {"plan", modm_save_l_plan},
                                        {"save", modm_save_l_save},
                                        {"saved", modm_save_l_saved},
                                        {"unsure", modm_save_l_unsure},
                                        {"save_new", modm_bulk_l_save_new},
                                        {"bulk_insert", modm_bulk_l_insert},
                                        {"bulk_inserted", modm_bulk_l_inserted},
                                        {NULL, NULL}};
   modm_operator_open (L);
   modm_register (L, functions);
}
