#!/usr/bin/python3
"""A client of nbxmpp, Gajim's library, over WebSocket (RFC 7395, with libsoup's WebSocket): nbxmpp_client.py URL JID PASSWORD.

Reads lines: `send JID TEXT`, `leave`, `quit`. Writes `online`, `message JID TEXT`, `offline`; when its connection was cut and the
library has resumed the stream (XEP-0198), `resumed`.
"""

import sys

import gi

gi.require_version("Soup", "3.0")

from gi.repository import GLib  # noqa: E402
from nbxmpp.client import Client  # noqa: E402
from nbxmpp.const import ConnectionProtocol, ConnectionType  # noqa: E402
from nbxmpp.protocol import JID, Message, Presence  # noqa: E402
from nbxmpp.structs import StanzaHandler  # noqa: E402


def say(*words):
    print(*words, flush=True)


class Chat:
    def __init__(self, url, jid, password):
        jid = JID.from_string(jid)
        self.loop = GLib.MainLoop()
        self.client = Client()
        self.client.set_domain(jid.domain)
        self.client.set_username(jid.localpart)
        self.client.set_resource(jid.resource)
        self.client.set_password(password)
        self.client.set_custom_host(url, ConnectionProtocol.WEBSOCKET, ConnectionType.PLAIN)
        self.client.set_connection_types([ConnectionType.PLAIN])
        self.client.set_protocols([ConnectionProtocol.WEBSOCKET])
        self.client.register_handler(StanzaHandler(name="message", callback=self.message))
        self.client.subscribe("connected", self.connected)
        self.client.subscribe("resume-successful", lambda *_: say("resumed"))
        self.client.subscribe("resume-failed", lambda *_: say("error the stream is not resumed"))
        self.client.subscribe("connection-failed", lambda *_: say("error no connection"))
        self.client.subscribe("disconnected", self.disconnected)
        GLib.io_add_watch(sys.stdin, GLib.PRIORITY_DEFAULT, GLib.IO_IN, self.command)
        self.client.connect()

    def connected(self, *_):
        self.client.send_stanza(Presence())
        say("online")

    def disconnected(self, *_):
        if self.client.resumeable:
            GLib.idle_add(self.client.connect)
            return
        say("offline")
        self.loop.quit()

    def message(self, _client, _stanza, properties):
        if properties.body is not None:
            say("message", properties.jid, properties.body)

    def command(self, source, _condition):
        word, _, rest = source.readline().rstrip("\n").partition(" ")
        if word == "send":
            to, _, text = rest.partition(" ")
            self.client.send_stanza(Message(to=to, body=text, typ="chat"))
        elif word == "leave":
            self.client.send_stanza(Presence(typ="unavailable"))
        else:
            self.client.disconnect()
        return True


if __name__ == "__main__":
    Chat(*sys.argv[1:]).loop.run()
