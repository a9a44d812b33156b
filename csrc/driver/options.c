/* The options that connect takes: which there are, and of which type. */
#include "driver/driver_private.h"

#include <ctype.h>

typedef enum kind { UNKNOWN, INTEGER, BOOLEAN, STRING, LIST, W } kind;

static const char *const expected[] = {"",
                                       "an integer",
                                       "a boolean",
                                       "a string",
                                       "a string or a list of strings",
                                       "an integer or a string"};

/* Options that libmongoc does not tell by mongoc_uri_option_is_..., and ours: timeout_ms. */
static const struct {
   const char *name;
   kind kind;
} others[] = {
   {"authmechanism", STRING},
   {"authmechanismproperties", STRING},
   {"authsource", STRING},
   {"compressors", LIST},
   {"gssapiservicename", STRING},
   {"password", STRING},
   {"readconcernlevel", STRING},
   {"readpreferencetags", LIST},
   {"timeoutms", INTEGER},
   {"username", STRING},
   {"w", W},
};

static kind
kind_of (const char *name)
{
   for (size_t i = 0; i < sizeof others / sizeof *others; i++)
      if (strcmp (others[i].name, name) == 0)
         return others[i].kind;
   if (mongoc_uri_option_is_int32 (name) || mongoc_uri_option_is_int64 (name))
      return INTEGER;
   if (mongoc_uri_option_is_bool (name))
      return BOOLEAN;
   return mongoc_uri_option_is_utf8 (name) ? STRING : UNKNOWN;
}

void
modm_option_name (char out[MODM_OPTION_NAME], const char *name, size_t len)
{
   size_t n = 0;
   for (size_t i = 0; i < len && n < MODM_OPTION_NAME - 1; i++)
      if (name[i] != '_')
         out[n++] = (char) tolower ((unsigned char) name[i]);
   out[n] = '\0';
}

static bool
is_text (lua_State *L, int idx)
{
   return lua_type (L, idx) == LUA_TSTRING && strlen (lua_tostring (L, idx)) == lua_rawlen (L, idx);
}

static bool
is_text_list (lua_State *L, int idx)
{
   int n = lua_istable (L, idx) ? (int) lua_rawlen (L, idx) : 0;
   bool ok = n > 0;
   for (int i = 1; ok && i <= n; i++) {
      lua_rawgeti (L, idx, i);
      ok = is_text (L, -1);
      lua_pop (L, 1);
   }
   return ok;
}

static bool
fits (lua_State *L, int idx, kind k)
{
   int64_t n;
   bool integer = lua_type (L, idx) == LUA_TNUMBER && modm_int64_test (L, idx, &n);
   switch (k) {
   case INTEGER:
      return integer;
   case BOOLEAN:
      return lua_isboolean (L, idx);
   case STRING:
      return is_text (L, idx);
   case LIST:
      return is_text (L, idx) || is_text_list (L, lua_absindex (L, idx));
   default: /* W */
      return integer || is_text (L, idx);
   }
}

/* Looks at the option whose name and value are at the top; false with the message pushed. */
static bool
check_option (lua_State *L, char name[MODM_OPTION_NAME])
{
   if (lua_type (L, -2) != LUA_TSTRING) {
      lua_pushfstring (L, "the options must have names (got a %s as key)", luaL_typename (L, -2));
      return false;
   }
   const char *given = lua_tostring (L, -2);
   modm_option_name (name, given, lua_rawlen (L, -2));
   kind k = kind_of (name);
   if (k == UNKNOWN) {
      lua_pushfstring (L, "unknown option '%s'", given);
      return false;
   }
   if (!fits (L, -1, k)) {
      lua_pushfstring (L, "option '%s' must be %s (got a %s)", given, expected[k],
                       luaL_typename (L, -1));
      return false;
   }
   return true;
}

bool
modm_options_check (lua_State *L, int options)
{
   char name[MODM_OPTION_NAME];
   lua_newtable (L);
   int checked = lua_gettop (L);
   if (lua_isnoneornil (L, options))
      return true;
   if (!lua_istable (L, options)) {
      lua_pushfstring (L, "the options must be a table (got a %s)", luaL_typename (L, options));
      return false;
   }
   lua_pushnil (L);
   while (lua_next (L, options)) {
      if (!check_option (L, name))
         return false;
      lua_setfield (L, checked, name);
   }
   return true;
}

void
modm_options_weakened (lua_State *L, const mongoc_uri_t *uri)
{
   static const char *const names[] = {
      "tlsInsecure", "tlsAllowInvalidCertificates", "tlsAllowInvalidHostnames",
      "tlsDisableCertificateRevocationCheck", "tlsDisableOCSPEndpointCheck"};
   int n = 0;
   lua_newtable (L);
   for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
      if (!mongoc_uri_get_option_as_bool (uri, names[i], false))
         continue;
      lua_pushstring (L, names[i]);
      lua_rawseti (L, -2, ++n);
   }
}
