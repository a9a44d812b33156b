/* Operators: values that only modm's constructors make, and THE table of them. */
#include "query/query_private.h"

static modm_class class_operator = "modm.Operator";

/* Its user value is the table of its operands. */
typedef struct operator_box {
   modm_tag tag;
   const modm_operator_row *row;
} operator_box;

static const modm_operator_row rows[] = {{"eq", "$eq", MODM_OF_VALUE},
                                         {"ne", "$ne", MODM_OF_VALUE},
                                         {"gt", "$gt", MODM_OF_VALUE},
                                         {"gte", "$gte", MODM_OF_VALUE},
                                         {"lt", "$lt", MODM_OF_VALUE},
                                         {"lte", "$lte", MODM_OF_VALUE},
                                         {"between", "$gte", MODM_OF_RANGE},
                                         {"one_of", "$in", MODM_OF_VALUES},
                                         {"not_in", "$nin", MODM_OF_VALUES},
                                         {"contains_all", "$all", MODM_OF_VALUES},
                                         {"exists", "$exists", MODM_OF_ARGUMENT},
                                         {"type_of", "$type", MODM_OF_ARGUMENT},
                                         {"size", "$size", MODM_OF_ARGUMENT},
                                         {"matches", "$regex", MODM_OF_PATTERN},
                                         {"mod", "$mod", MODM_OF_DIVISION},
                                         {"not_", "$not", MODM_OF_OPERATOR},
                                         {"elem_match", "$elemMatch", MODM_OF_ITEM},
                                         {"near", "$near", MODM_OF_PLACE},
                                         {"within", "$geoWithin", MODM_OF_REGION},
                                         {"intersects", "$geoIntersects", MODM_OF_REGION},
                                         {"all_of", "$and", MODM_OF_FILTERS},
                                         {"any_of", "$or", MODM_OF_FILTERS},
                                         {"none_of", "$nor", MODM_OF_FILTERS},
                                         {"text", "$text", MODM_OF_WORDS},
                                         {"each", "$each", MODM_OF_EACH},
                                         {NULL, NULL, MODM_OF_VALUE}};

static const operator_box *
test (lua_State *L, int idx)
{
   return modm_test (L, idx, &class_operator);
}

const modm_operator_row *
modm_operator_test (lua_State *L, int idx)
{
   const operator_box *o = test (L, idx);
   return o ? o->row : NULL;
}

void
modm_operator_push_operand (lua_State *L, int idx, int i)
{
   modm_getuservalue (L, idx);
   lua_rawgeti (L, -1, i);
   lua_remove (L, -2);
}

/* ---- arguments of the constructors ---- */

static void
check_value (lua_State *L, const modm_operator_row *row, int idx)
{
   if (lua_isnoneornil (L, idx))
      luaL_error (L, "modm.%s(nil): a condition cannot be nil (modm.null is the database's null)",
                  row->name);
   if (test (L, idx))
      luaL_error (L, "modm.%s takes a value, not an operator", row->name);
}

static void
check_list (lua_State *L, const modm_operator_row *row)
{
   if (lua_type (L, 1) != LUA_TTABLE || modm_mark_test (L, 1) == MODM_OBJECT)
      luaL_error (L, "modm.%s takes a list, not a %s", row->name,
                  lua_istable (L, 1) ? "document" : luaL_typename (L, 1));
}

static void
check_argument (lua_State *L, const modm_operator_row *row)
{
   int64_t n;
   int type = lua_type (L, 1);
   if (strcmp (row->name, "exists") == 0) {
      if (type == LUA_TNONE)
         lua_pushboolean (L, 1);
      luaL_argcheck (L, lua_isboolean (L, 1), 1, "true or false expected");
   } else if (strcmp (row->name, "size") == 0) {
      luaL_argcheck (L, type == LUA_TNUMBER && modm_isinteger (L, 1, &n) && n >= 0, 1,
                     "a number of items expected");
   } else {
      luaL_argcheck (L, type == LUA_TSTRING || type == LUA_TNUMBER || type == LUA_TTABLE, 1,
                     "the name or number of a BSON type expected, or a list of them");
   }
}

static void
check_pattern (lua_State *L)
{
   size_t len;
   const char *text = luaL_checklstring (L, 1, &len);
   luaL_argcheck (L, !memchr (text, '\0', len) && modm_utf8_check (text, len, NULL), 1,
                  "a pattern must be UTF-8 without NUL");
   text = luaL_optstring (L, 2, "");
   luaL_argcheck (L, strspn (text, "imsxu") == strlen (text), 2,
                  "options of a pattern are of i, m, s, x, u");
}

static void
check_division (lua_State *L)
{
   int64_t n;
   luaL_argcheck (L, lua_type (L, 1) == LUA_TNUMBER && modm_isinteger (L, 1, &n) && n != 0, 1,
                  "a divisor that is an integer and not 0 expected");
   luaL_argcheck (L, lua_type (L, 2) == LUA_TNUMBER && modm_isinteger (L, 2, &n), 2,
                  "a remainder that is an integer expected");
}

static void
check_place (lua_State *L, const modm_operator_row *row)
{
   if (lua_type (L, 1) != LUA_TTABLE)
      luaL_error (L, "modm.%s takes GeoJSON or coordinates, not a %s", row->name,
                  luaL_typename (L, 1));
   modm_settings_check (L, 2, row);
}

static void
check_words (lua_State *L, const modm_operator_row *row)
{
   size_t len;
   const char *text = luaL_checklstring (L, 1, &len);
   luaL_argcheck (L, len > 0 && modm_utf8_check (text, len, NULL), 1,
                  "words to look for, in UTF-8, expected");
   modm_settings_check (L, 2, row);
}

static bool
stands_alone (const modm_operator_row *row)
{
   return row->shape == MODM_OF_FILTERS || row->shape == MODM_OF_WORDS;
}

static void
check_nested (lua_State *L, const modm_operator_row *row)
{
   const modm_operator_row *inner = modm_operator_test (L, 1);
   bool fits = inner ? !stands_alone (inner) : row->shape == MODM_OF_ITEM && lua_istable (L, 1);
   if (!fits)
      luaL_error (L, "modm.%s takes an operator%s", row->name,
                  row->shape == MODM_OF_ITEM ? ", or a filter for the list's documents" : "");
}

static void
check_filters (lua_State *L, const modm_operator_row *row)
{
   if (lua_type (L, 1) != LUA_TTABLE || lua_rawlen (L, 1) == 0)
      luaL_error (L, "modm.%s takes a list of filters: modm.%s{ {name = value}, ... }", row->name,
                  row->name);
}

/* The options of modm.each; what sorts is looked at where the items are known. */
static void
check_each (lua_State *L, const modm_operator_row *row)
{
   check_list (L, row);
   if (lua_isnoneornil (L, 2))
      return;
   luaL_checktype (L, 2, LUA_TTABLE);
   for (lua_pushnil (L); lua_next (L, 2); lua_pop (L, 1)) {
      int64_t n;
      const char *name = lua_type (L, -2) == LUA_TSTRING ? lua_tostring (L, -2) : "";
      bool number = strcmp (name, "position") == 0 || strcmp (name, "slice") == 0;
      if (!number && strcmp (name, "sort") != 0)
         luaL_error (L, "modm.each has no option '%s'", name);
      luaL_argcheck (L, !number || (lua_type (L, -1) == LUA_TNUMBER && modm_isinteger (L, -1, &n)),
                     2, "position and slice are integers");
   }
}

static void
check_operands (lua_State *L, const modm_operator_row *row)
{
   switch (row->shape) {
   case MODM_OF_VALUE:
      check_value (L, row, 1);
      break;
   case MODM_OF_RANGE:
      check_value (L, row, 1);
      check_value (L, row, 2);
      break;
   case MODM_OF_VALUES:
      check_list (L, row);
      break;
   case MODM_OF_ARGUMENT:
      check_argument (L, row);
      break;
   case MODM_OF_PATTERN:
      check_pattern (L);
      break;
   case MODM_OF_DIVISION:
      check_division (L);
      break;
   case MODM_OF_OPERATOR:
   case MODM_OF_ITEM:
      check_nested (L, row);
      break;
   case MODM_OF_PLACE:
   case MODM_OF_REGION:
      check_place (L, row);
      break;
   case MODM_OF_FILTERS:
      check_filters (L, row);
      break;
   case MODM_OF_WORDS:
      check_words (L, row);
      break;
   case MODM_OF_EACH:
      check_each (L, row);
   }
}

/* modm.<name>(...): a closure over its row, so that what it raises is raised at the caller's line.
 */
static int
l_construct (lua_State *L)
{
   const modm_operator_row *row = lua_touserdata (L, lua_upvalueindex (1));
   check_operands (L, row);
   lua_settop (L, 2);
   operator_box *o = modm_newuserdata (L, sizeof *o, 1);
   o->tag.tag = &class_operator;
   o->row = row;
   modm_class_push (L, &class_operator);
   lua_setmetatable (L, 3);
   lua_createtable (L, 2, 0);
   lua_pushvalue (L, 1);
   lua_rawseti (L, 4, 1);
   lua_pushvalue (L, 2);
   lua_rawseti (L, 4, 2);
   modm_setuservalue (L, 3);
   return 1;
}

static int
mt_tostring (lua_State *L)
{
   const operator_box *o = modm_check (L, 1, &class_operator);
   lua_pushfstring (L, "modm.%s(...)", o->row->name);
   return 1;
}

int
modm_operator_l_all (lua_State *L)
{
   lua_newtable (L);
   for (const modm_operator_row *row = rows; row->name; row++) {
      lua_pushlightuserdata (L, (void *) (uintptr_t) row);
      lua_pushcclosure (L, l_construct, 1);
      lua_setfield (L, -2, row->name);
   }
   return 1;
}

void
modm_operator_open (lua_State *L)
{
   static const luaL_Reg metamethods[] = {{"__tostring", mt_tostring}, {NULL, NULL}};
   modm_class_new (L, &class_operator, metamethods, NULL);
}
