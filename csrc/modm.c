/* luaopen_modm_core: gathers the rooms, nothing else. */
#include "codec/codec.h"
#include "document/document.h"
#include "driver/driver.h"
#include "query/query.h"
#include "relation/relation.h"

__attribute__ ((visibility ("default"))) int luaopen_modm_core (lua_State *L);

int
luaopen_modm_core (lua_State *L)
{
   lua_newtable (L);
   modm_base_open (L);
   modm_bson_open (L);
   modm_field_open (L);
   modm_schema_open (L);
   modm_codec_open (L);
   modm_document_open (L);
   modm_driver_open (L);
   modm_query_open (L);
   modm_relation_open (L);
   return 1;
}
