/* What the files of field share. */
#ifndef MODM_FIELD_PRIVATE_H
#define MODM_FIELD_PRIVATE_H

#include "field/field.h"

/* Read an option of the table at `options`; false when it is not given. The types were checked when
 * the constructor was called (lua/modm/fields.lua). */
bool modm_option_integer (lua_State *L, int options, const char *name, int64_t *out);
bool modm_option_number (lua_State *L, int options, const char *name, double *out);
bool modm_option_boolean (lua_State *L, int options, const char *name);

/* "not a ..., got <value>". Returns MODM_REFUSED. */
modm_outcome modm_refuse (lua_State *L, int idx, const char *expected, modm_error *err);

/* For describe: a keyword of the table at the top. */
void modm_rule_text (lua_State *L, const char *keyword, const char *text);
void modm_rule_integer (lua_State *L, const char *keyword, int64_t n);
/* The value at the top (popped), or NaN, is refused. */
void modm_rule_not (lua_State *L);
void modm_rule_not_nan (lua_State *L);
/* What the schema cannot say, into the list below the table. */
void modm_rule_unsaid (lua_State *L, const char *rule, const char *why);

/* The string at idx; NULL for what is none (a number does not become one). */
static inline const char *
modm_text_at (lua_State *L, int idx, size_t *len)
{
   return lua_type (L, idx) == LUA_TSTRING ? lua_tolstring (L, idx, len) : NULL;
}

/* The kinds' functions, for the table in kinds.c. */
void modm_char_compile (lua_State *L, int options, modm_field *f);
modm_outcome modm_char_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v,
                                modm_error *err);
void modm_char_check (lua_State *L, int idx, const modm_field *f, modm_validation *v);
bool modm_char_accepts (const modm_field *f, const modm_element *e);
bool modm_char_fits (lua_State *L, int idx, const modm_field *f);
bool modm_char_put (lua_State *L, int idx, const modm_field *f, modm_buffer *b, const char *key,
                    size_t key_len);
void modm_email_compile (lua_State *L, int options, modm_field *f);
modm_outcome modm_email_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v,
                                 modm_error *err);
void modm_email_check (lua_State *L, int idx, const modm_field *f, modm_validation *v);
bool modm_email_accepts (const modm_field *f, const modm_element *e);
bool modm_email_fits (lua_State *L, int idx, const modm_field *f);
bool modm_email_put (lua_State *L, int idx, const modm_field *f, modm_buffer *b, const char *key,
                     size_t key_len);
bool modm_string_append (lua_State *L, int idx, const modm_field *f, modm_buffer *b,
                         const char *key, size_t key_len, int depth, modm_error *err);

modm_outcome modm_address_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v,
                                   modm_error *err);
void modm_url_check (lua_State *L, int idx, const modm_field *f, modm_validation *v);
bool modm_url_accepts (const modm_field *f, const modm_element *e);
bool modm_url_fits (lua_State *L, int idx, const modm_field *f);
void modm_ip_compile (lua_State *L, int options, modm_field *f);
void modm_ip_check (lua_State *L, int idx, const modm_field *f, modm_validation *v);
bool modm_ip_accepts (const modm_field *f, const modm_element *e);
bool modm_ip_fits (lua_State *L, int idx, const modm_field *f);

void modm_integer_compile (lua_State *L, int options, modm_field *f);
modm_outcome modm_integer_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v,
                                   modm_error *err);
void modm_integer_check (lua_State *L, int idx, const modm_field *f, modm_validation *v);
bool modm_integer_accepts (const modm_field *f, const modm_element *e);
bool modm_integer_fits (lua_State *L, int idx, const modm_field *f);
bool modm_integer_append (lua_State *L, int idx, const modm_field *f, modm_buffer *b,
                          const char *key, size_t key_len, int depth, modm_error *err);
bool modm_biginteger_accepts (const modm_field *f, const modm_element *e);
bool modm_biginteger_append (lua_State *L, int idx, const modm_field *f, modm_buffer *b,
                             const char *key, size_t key_len, int depth, modm_error *err);
void modm_float_compile (lua_State *L, int options, modm_field *f);
modm_outcome modm_float_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v,
                                 modm_error *err);
void modm_float_check (lua_State *L, int idx, const modm_field *f, modm_validation *v);
bool modm_float_accepts (const modm_field *f, const modm_element *e);
bool modm_float_fits (lua_State *L, int idx, const modm_field *f);
bool modm_float_append (lua_State *L, int idx, const modm_field *f, modm_buffer *b, const char *key,
                        size_t key_len, int depth, modm_error *err);

modm_outcome modm_boolean_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v,
                                   modm_error *err);
bool modm_boolean_accepts (const modm_field *f, const modm_element *e);
bool modm_boolean_fits (lua_State *L, int idx, const modm_field *f);
modm_outcome modm_objectid_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v,
                                    modm_error *err);
bool modm_objectid_accepts (const modm_field *f, const modm_element *e);
bool modm_objectid_fits (lua_State *L, int idx, const modm_field *f);
modm_outcome modm_datetime_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v,
                                    modm_error *err);
bool modm_datetime_accepts (const modm_field *f, const modm_element *e);
bool modm_datetime_fits (lua_State *L, int idx, const modm_field *f);
bool modm_datetime_put (lua_State *L, int idx, const modm_field *f, modm_buffer *b, const char *key,
                        size_t key_len);
void modm_decimal_compile (lua_State *L, int options, modm_field *f);
modm_outcome modm_decimal_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v,
                                   modm_error *err);
void modm_decimal_check (lua_State *L, int idx, const modm_field *f, modm_validation *v);
bool modm_decimal_accepts (const modm_field *f, const modm_element *e);
void modm_binary_compile (lua_State *L, int options, modm_field *f);
modm_outcome modm_binary_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v,
                                  modm_error *err);
bool modm_binary_accepts (const modm_field *f, const modm_element *e);
bool modm_binary_append (lua_State *L, int idx, const modm_field *f, modm_buffer *b,
                         const char *key, size_t key_len, int depth, modm_error *err);
void modm_uuid_compile (lua_State *L, int options, modm_field *f);
modm_outcome modm_uuid_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v,
                                modm_error *err);
bool modm_uuid_accepts (const modm_field *f, const modm_element *e);
modm_outcome modm_regex_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v,
                                 modm_error *err);
bool modm_regex_accepts (const modm_field *f, const modm_element *e);
modm_outcome modm_code_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v,
                                modm_error *err);
bool modm_code_accepts (const modm_field *f, const modm_element *e);
modm_outcome modm_timestamp_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v,
                                     modm_error *err);
bool modm_timestamp_accepts (const modm_field *f, const modm_element *e);
bool modm_any_append (lua_State *L, int idx, const modm_field *f, modm_buffer *b, const char *key,
                      size_t key_len, int depth, modm_error *err);
void modm_any_push (lua_State *L, const modm_field *f, const modm_element *e);

modm_outcome modm_dict_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v,
                                modm_error *err);
void modm_dict_check (lua_State *L, int idx, const modm_field *f, modm_validation *v);
bool modm_dict_accepts (const modm_field *f, const modm_element *e);
bool modm_dict_append (lua_State *L, int idx, const modm_field *f, modm_buffer *b, const char *key,
                       size_t key_len, int depth, modm_error *err);

modm_outcome modm_geo_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v,
                               modm_error *err);
modm_outcome modm_file_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v,
                                modm_error *err);
bool modm_file_accepts (const modm_field *f, const modm_element *e);
void modm_file_describe (lua_State *L, const modm_field *f);
int modm_file_l_class (lua_State *L);
int modm_file_l_image (lua_State *L);

void modm_geo_check (lua_State *L, int idx, const modm_field *f, modm_validation *v);
bool modm_geo_accepts (const modm_field *f, const modm_element *e);
bool modm_geo_append (lua_State *L, int idx, const modm_field *f, modm_buffer *b, const char *key,
                      size_t key_len, int depth, modm_error *err);

modm_outcome modm_list_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v,
                                modm_error *err);
bool modm_list_accepts (const modm_field *f, const modm_element *e);
bool modm_list_append (lua_State *L, int idx, const modm_field *f, modm_buffer *b, const char *key,
                       size_t key_len, int depth, modm_error *err);
void modm_list_push (lua_State *L, const modm_field *f, const modm_element *e);

modm_outcome modm_embedded_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v,
                                    modm_error *err);
bool modm_embedded_accepts (const modm_field *f, const modm_element *e);
bool modm_embedded_append (lua_State *L, int idx, const modm_field *f, modm_buffer *b,
                           const char *key, size_t key_len, int depth, modm_error *err);
void modm_embedded_push (lua_State *L, const modm_field *f, const modm_element *e);
modm_outcome modm_reference_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v,
                                     modm_error *err);
bool modm_reference_accepts (const modm_field *f, const modm_element *e);
bool modm_reference_append (lua_State *L, int idx, const modm_field *f, modm_buffer *b,
                            const char *key, size_t key_len, int depth, modm_error *err);
void modm_reference_push (lua_State *L, const modm_field *f, const modm_element *e);

void modm_char_describe (lua_State *L, const modm_field *f);
void modm_email_describe (lua_State *L, const modm_field *f);
void modm_url_describe (lua_State *L, const modm_field *f);
void modm_ip_describe (lua_State *L, const modm_field *f);
void modm_integer_describe (lua_State *L, const modm_field *f);
void modm_float_describe (lua_State *L, const modm_field *f);
void modm_decimal_describe (lua_State *L, const modm_field *f);
void modm_binary_describe (lua_State *L, const modm_field *f);
void modm_uuid_describe (lua_State *L, const modm_field *f);
void modm_dict_describe (lua_State *L, const modm_field *f);
void modm_geo_describe (lua_State *L, const modm_field *f);

#endif
