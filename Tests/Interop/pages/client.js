"use strict";

// Driven by test_strophe.py, over BOSH or WebSocket, as the URL says: `client.connect(...)`, `client.restore(...)`, then its fields are read.
const client = {
    connection: null,
    status: null,
    statuses: [],
    jid: null,
    messages: [],
    httpErrors: 0,

    open(url) {
        this.connection = new Strophe.Connection(url, { keepalive: true });
        this.connection.addHandler((message) => {
            const body = message.getElementsByTagName("body")[0];
            if (body) {
                this.messages.push(Strophe.getText(body).replace(/&lt;/g, "<").replace(/&amp;/g, "&"));
            }
            return true;
        }, null, "message", null, null, null);
        const hit = this.connection._proto._hitError;
        if (!hit) {
            return;
        }
        this.connection._proto._hitError = (...rest) => {
            this.httpErrors += 1;
            return hit.apply(this.connection._proto, rest);
        };
    },

    changed(status, condition) {
        const name = Object.keys(Strophe.Status).find((key) => Strophe.Status[key] === status);
        this.status = name;
        this.statuses.push(condition ? `${name}: ${condition}` : name);
        if (name === "CONNECTED" || name === "ATTACHED") {
            this.jid = this.connection.jid;
            if (name === "CONNECTED") {
                this.connection.send($pres());
            }
        }
    },

    connect(url, jid, password, wait) {
        this.open(url);
        this.connection.connect(jid, password, (...change) => this.changed(...change), wait);
    },

    restore(url, jid, wait) {
        this.open(url);
        this.connection.restore(jid, (...change) => this.changed(...change), wait);
    },

    say(to, text) {
        this.connection.send($msg({ to, type: "chat" }).c("body").t(text));
    },

    // Ends the session as pages do that are closed: whoever leaves does not wait for an answer, nor for a preflight.
    leaveByBeacon(url) {
        addEventListener("pagehide", () => {
            const { sid, rid } = this.connection._proto;
            navigator.sendBeacon(url, new Blob([`<body xmlns='http://jabber.org/protocol/httpbind' sid='${sid}' rid='${rid}' `
                + "type='terminate'><presence type='unavailable' xmlns='jabber:client'/></body>"], { type: "text/plain" }));
        });
    },

    greet(to) {
        this.connection.send($pres({ to }));
    },
};
