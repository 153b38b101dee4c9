/*
 * queue: a queue on a private server, under a frozen clock, driven by lines of text, so that a test is a
 * table of what is said and what is answered.
 *
 *   at 2000                        sets the clock, in ms; a test begins at 1000
 *   submit A --priority=5 team=a   run/submit of one run with these fields and tags; from here on it is
 *                                  called A (up to three letters and digits), in lines and in answers
 *   admit --batch=2                run/admit; each option has a default, see queue.c
 *   limits team=5 env=prod=3       sets tag limits, lets the queue follow them, and empties the bell
 *   events                         what was told since the last time
 *   same LINE                      LINE; the test fails when it changed anything in the server
 *   rows LINE                      the number of arrays within the answer to LINE
 *   repeat 3 LINE                  LINE three times, `#` in it is 1, 2, 3; the last answer counts
 *   run/start $A 1 host:7 30000    any script; the prefix and the clock go before its arguments
 *   ZRANGE @ready 0 -1             any command; `@` at the start of a word is the prefix
 *
 * In a word, '...' keeps blanks, $A is the id of run A and %A its token, and a word like x*300 is 300 times
 * that character.
 */
#ifndef RIVERS_TESTS_QUEUE_H
#define RIVERS_TESTS_QUEUE_H

struct row {
    const char *say, *want;
};

/* The fixtures of the group, and one test of a group: an array of rows that ends with {0}. */
int queue_open(void **state);
int queue_close(void **state);
#define QUEUE_TEST(rows)                                                                                     \
    {                                                                                                        \
        .name = #rows, .test_func = queue_test, .setup_func = queue_clear, .initial_state = (rows)           \
    }

int queue_clear(void **state);
void queue_test(void **state);

#endif
