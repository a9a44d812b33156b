/* Regex: a pattern and its options. */
#include "bson/bson_private.h"

/* Checks the options and writes them sorted, each once. */
static bool
sort_options (const char *options, size_t len, char out[8])
{
   static const char known[] = "ilmsux";
   size_t n = 0;
   for (size_t i = 0; i < len; i++)
      if (options[i] == '\0' || !strchr (known, options[i]))
         return false;
   for (const char *p = known; *p; p++)
      if (memchr (options, *p, len))
         out[n++] = *p;
   out[n] = '\0';
   return true;
}

static int
l_new (lua_State *L)
{
   size_t pattern_len, options_len;
   char options[8];
   const char *pattern = modm_check_text (L, 1, false, &pattern_len);
   const char *given = luaL_optlstring (L, 2, "", &options_len);
   luaL_argcheck (L, sort_options (given, options_len, options), 2,
                  "options from \"ilmsux\" expected");
   options_len = strlen (options);
   uint8_t *p = modm_value_new (L, MODM_BSON_REGEX, (uint32_t) (pattern_len + options_len + 2));
   memcpy (p, pattern, pattern_len + 1);
   memcpy (p + pattern_len + 1, options, options_len + 1);
   return 1;
}

static const char *
self (lua_State *L, const char **options)
{
   const char *pattern = (const char *) modm_value_check (L, 1, MODM_CLASS_REGEX)->bytes;
   *options = pattern + strlen (pattern) + 1;
   return pattern;
}

static int
l_pattern (lua_State *L)
{
   const char *options;
   lua_pushstring (L, self (L, &options));
   return 1;
}

static int
l_options (lua_State *L)
{
   const char *options;
   (void) self (L, &options);
   lua_pushstring (L, options);
   return 1;
}

static int
mt_tostring (lua_State *L)
{
   const char *options, *pattern = self (L, &options);
   lua_pushfstring (L, "/%s/%s", pattern, options);
   return 1;
}

void
modm_regex_open (lua_State *L)
{
   static const luaL_Reg metamethods[] = {
      {"__eq", modm_value_eq}, {"__tostring", mt_tostring}, {NULL, NULL}};
   static const luaL_Reg methods[] = {{"pattern", l_pattern}, {"options", l_options}, {NULL, NULL}};
   modm_class_new (L, &modm_value_classes[MODM_CLASS_REGEX], metamethods, methods);
   modm_value_constructor (L, "Regex", l_new, NULL);
}
