#include "cmd/screen.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmd/output.h"

#define INTERVAL_MS  1000
#define ROWS         24 /* of a terminal that does not say */
#define HOME         "\033[H"
#define NO_WRAP      "\033[?7l"
#define WRAP         "\033[?7h"
#define CLEAR_LINE   "\033[K"
#define CLEAR_SCREEN "\033[2J"
#define CLEAR_BELOW  "\033[J"

/* The lines that fit; longer ones are cut at the edge by the terminal. */
static void show_in_place(const char *text)
{
    struct winsize size = {0};
    int rows = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : ROWS;

    fputs(HOME NO_WRAP, stdout);
    for (int row = 1; *text && row < rows; row++) {
        int n = (int)strcspn(text, "\n");
        printf("%.*s" CLEAR_LINE "\n", n, text);
        text += n + (text[n] == '\n');
    }
    fputs(WRAP CLEAR_BELOW, stdout);
}

static int paint_once(struct context *ctx, screen_paint_fn *paint, const void *arg, bool in_place,
                      struct err *e)
{
    char *text = NULL;
    size_t len = 0;
    FILE *memory = open_memstream(&text, &len);
    int status;

    if (!memory)
        return err_sys(e, "cannot write to memory");
    status = paint(ctx, arg, memory, e);
    fclose(memory);
    if (status == EXIT_DONE && in_place)
        show_in_place(text);
    else if (status == EXIT_DONE)
        fputs(text, stdout);
    free(text);
    return status;
}

int screen_watch(struct context *ctx, screen_paint_fn *paint, const void *arg, struct err *e)
{
    bool in_place = isatty(STDOUT_FILENO) && !ctx->options.json;
    int status;

    if (in_place)
        fputs(CLEAR_SCREEN, stdout);
    while ((status = paint_once(ctx, paint, arg, in_place, e)) == EXIT_DONE && output_flush()) {
        context_sleep(ctx, INTERVAL_MS);
        fputs(in_place || ctx->options.json ? "" : "\n", stdout);
    }
    return status;
}
