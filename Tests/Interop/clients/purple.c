/* A chat client on libpurple (the library of Pidgin and Finch), driven by lines on standard input.
 *
 *   purple BOSH-URL JID PASSWORD DIRECTORY
 *
 * Reads  `send JID TEXT` and `quit`; writes `online`, `message JID TEXT`, `error TEXT`, `offline`.
 */
#include <glib.h>
#include <purple.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static GMainLoop *loop;
static PurpleAccount *account;
static int handle;

/* libpurple leaves the event loop to its user: this is the usual mapping to GLib. */
typedef struct {
    PurpleInputFunction function;
    gpointer data;
} Watch;

static gboolean watch_ready(GIOChannel *source, GIOCondition condition, gpointer data)
{
    Watch *watch = data;
    int ready = 0;
    if (condition & (G_IO_IN | G_IO_HUP | G_IO_ERR))
        ready |= PURPLE_INPUT_READ;
    if (condition & (G_IO_OUT | G_IO_HUP | G_IO_ERR | G_IO_NVAL))
        ready |= PURPLE_INPUT_WRITE;
    watch->function(watch->data, g_io_channel_unix_get_fd(source), ready);
    return TRUE;
}

static guint watch_add(gint descriptor, PurpleInputCondition wanted, PurpleInputFunction function, gpointer data)
{
    Watch *watch = g_new0(Watch, 1);
    GIOChannel *channel = g_io_channel_unix_new(descriptor);
    GIOCondition condition = 0;
    guint identifier;

    watch->function = function;
    watch->data = data;
    if (wanted & PURPLE_INPUT_READ)
        condition |= G_IO_IN | G_IO_HUP | G_IO_ERR;
    if (wanted & PURPLE_INPUT_WRITE)
        condition |= G_IO_OUT | G_IO_HUP | G_IO_ERR | G_IO_NVAL;
    identifier = g_io_add_watch_full(channel, G_PRIORITY_DEFAULT, condition, watch_ready, watch, g_free);
    g_io_channel_unref(channel);
    return identifier;
}

static PurpleEventLoopUiOps event_loop = {
    .timeout_add = g_timeout_add,
    .timeout_remove = g_source_remove,
    .input_add = watch_add,
    .input_remove = g_source_remove,
    .timeout_add_seconds = g_timeout_add_seconds,
};

static PurpleCoreUiOps core;

static void signed_on(PurpleConnection *connection, gpointer data)
{
    puts("online");
}

static void signed_off(PurpleConnection *connection, gpointer data)
{
    puts("offline");
    g_main_loop_quit(loop);
}

static void failed(PurpleConnection *connection, PurpleConnectionError reason, const char *text, gpointer data)
{
    printf("error %s\n", text);
}

static void received(PurpleAccount *to, char *from, char *text, PurpleConversation *talk, PurpleMessageFlags flags,
                     gpointer data)
{
    char *plain = purple_markup_strip_html(text);
    printf("message %s %s\n", from, plain);
    g_free(plain);
}

static gboolean command(GIOChannel *source, GIOCondition condition, gpointer data)
{
    gchar *line = NULL;
    GIOStatus status;
    gboolean quit = FALSE;

    /* Every line that is there: what the channel has buffered does not wake the loop again. */
    while (!quit && (status = g_io_channel_read_line(source, &line, NULL, NULL, NULL)) != G_IO_STATUS_AGAIN) {
        if (status != G_IO_STATUS_NORMAL) {
            quit = TRUE;
        } else if (g_str_has_prefix(line, "send ")) {
            gchar **words = g_strsplit(g_strchomp(line), " ", 3);
            PurpleConnection *connection = purple_account_get_connection(account);
            if (words[1] != NULL && words[2] != NULL && connection != NULL)
                serv_send_im(connection, words[1], words[2], 0);
            g_strfreev(words);
        } else {
            quit = TRUE;
        }
        g_free(line);
        line = NULL;
    }
    if (quit)
        purple_account_disconnect(account);
    return !quit;
}

int main(int count, char **arguments)
{
    PurpleSavedStatus *status;
    GIOChannel *input;
    void *connections;

    if (count != 5)
        return 64;
    setvbuf(stdout, NULL, _IOLBF, 0);
    loop = g_main_loop_new(NULL, FALSE);
    purple_util_set_user_dir(arguments[4]);
    purple_debug_set_enabled(FALSE);
    purple_core_set_ui_ops(&core);
    purple_eventloop_set_ui_ops(&event_loop);
    if (!purple_core_init("holdfast-interop"))
        return 70;
    purple_set_blist(purple_blist_new());
    /* Otherwise it asks the machine's name server for a STUN service; it never talks to this one. */
    purple_network_set_stun_server("127.0.0.1");

    account = purple_account_new(arguments[2], "prpl-jabber");
    purple_account_set_password(account, arguments[3]);
    purple_account_set_string(account, "bosh_url", arguments[1]);
    /* The URL is http: on loopback; the upstream has TLS or not, which is none of this client's business. */
    purple_account_set_string(account, "connection_security", "opportunistic_tls");
    purple_account_set_bool(account, "auth_plain_in_clear", TRUE);

    connections = purple_connections_get_handle();
    purple_signal_connect(connections, "signed-on", &handle, PURPLE_CALLBACK(signed_on), NULL);
    purple_signal_connect(connections, "signed-off", &handle, PURPLE_CALLBACK(signed_off), NULL);
    purple_signal_connect(connections, "connection-error", &handle, PURPLE_CALLBACK(failed), NULL);
    purple_signal_connect(purple_conversations_get_handle(), "received-im-msg", &handle, PURPLE_CALLBACK(received), NULL);

    purple_accounts_add(account);
    purple_account_set_enabled(account, "holdfast-interop", TRUE);
    status = purple_savedstatus_new(NULL, PURPLE_STATUS_AVAILABLE);
    purple_savedstatus_activate(status);
    input = g_io_channel_unix_new(STDIN_FILENO);
    g_io_channel_set_flags(input, G_IO_FLAG_NONBLOCK, NULL);
    g_io_add_watch(input, G_IO_IN | G_IO_HUP, command, NULL);
    g_main_loop_run(loop);
    return 0;
}
