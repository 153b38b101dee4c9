#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "support/lua.h"

/* Data that another release laid out otherwise is refused by every script, before anything else is looked at. */
static void other_layout_is_refused(void **state)
{
    struct redis_server server;
    struct lua lua;

    (void)state;
    redis_server_start(&server, NULL);
    lua_open(&lua, &server);
    lua_cmd(&lua, "HSET @meta layout 3");
    for (int i = 0; i < SCRIPT_COUNT; i++) {
        if (strcmp(lua_run(&lua, (enum script_id)i, "1000", NULL), "LAYOUT 3") != 0)
            fail_msg("%s does not refuse", scripts[i].name);
        assert_string_equal(lua_cmd(&lua, "DBSIZE"), "1");
    }
    assert_string_equal(lua_cmd(&lua, "HGETALL @meta"), "layout 3");
    lua_close(&lua);
    redis_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_layout_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
