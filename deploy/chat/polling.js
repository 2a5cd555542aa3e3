"use strict";

// HTTP polling (XEP-0025) as a protocol of Strophe.js 1.2, beside Strophe.Bosh and Strophe.Websocket. No browser library has one.
//
// The client's XML stream goes in the bodies of its requests, and the server's comes back in the answers, one request at a time.
// Before the XML a body has the session's identifier and a key. Only who made the chain of keys knows the next one, whose hash
// is the key before. A request that got no answer is sent again with the same key, so that the service sees that it is a repeat.
//
// An answer names the identifier in Set-Cookie, which no script may read. So a page needs a server of its own that passes the
// requests on and repeats the identifier in the field Polling-Identifier: serve.py.

Strophe.Polling = function (connection, keysAtOnce = 50) {
    this._conn = connection;
    this._keysAtOnce = keysAtOnce;
    this._reset();
    addEventListener("pagehide", () => this._leave());
};

Strophe.Polling.ERRORS = {
    "0:0": "the session is over", "-1:0": "the service cannot serve this now", "-2:0": "bad request", "-3:0": "wrong key",
};
Strophe.Polling.ATTEMPTS = 4;
// All in milliseconds: the pause before a repeat, and the shortest and longest one between two requests.
Strophe.Polling.REPEAT = 500;
Strophe.Polling.SOON = 200;
Strophe.Polling.LATE = 2000;

// What is not here is the same as over a WebSocket: there too a stream has no `<body/>` around it.
Strophe.Polling.prototype = Object.assign(Object.create(Strophe.Websocket.prototype), {

    // What Strophe.Connection calls

    _reset() {
        clearTimeout(this._timer);
        this._requests = [];  // the one that is open
        this._identifier = "0";
        this._keys = [];
        this._hasFeatures = false;
        this._isEnding = false;
        this._hasEnded = false;
        this._pause = Strophe.Polling.SOON;
        this._session = {};  // an answer that belongs to an older one is dropped
    },

    _connect() {
        this._reset();
        this._conn._data.unshift("restart");
        this._ask();
    },

    _disconnect(presence) {
        if (presence) {
            this._conn.send(presence);
        }
        this._isEnding = true;
        this._schedule(0);
    },

    _doDisconnect() { this._reset(); },
    _abortAllRequests() { this._reset(); },

    // Whether a disconnect is complete.
    _emptyQueue() { return this._hasEnded; },

    _send() { this._schedule(0); },
    _sendRestart() { this._schedule(0); },

    _onIdle() {
        if (this._conn._data.length > 0) {
            this._schedule(0);
        }
    },

    // Requests

    _schedule(pause) {
        clearTimeout(this._timer);
        this._timer = setTimeout(() => this._ask(), pause);
    },

    async _ask() {
        if (this._requests.length > 0) {
            return;  // what waits goes with the next one
        }
        clearTimeout(this._timer);
        const session = this._session;
        const body = `${this._identifier}${this._nextKeys()},${this._takeData()}`;
        this._requests = [body];
        const answer = await this._exchange(body);
        if (session !== this._session) {
            return;
        }
        this._requests = [];
        if (answer === null) {
            this._fail("no answer");
        } else if (answer.identifier in Strophe.Polling.ERRORS) {
            this._fail(Strophe.Polling.ERRORS[answer.identifier]);
        } else {
            this._identifier = answer.identifier;
            this._pause = answer.text === "" ? Math.min(this._pause * 1.5, Strophe.Polling.LATE) : Strophe.Polling.SOON;
            this._read(answer.text);
            if (session === this._session) {
                this._schedule(this._conn._data.length > 0 || this._isEnding ? 0 : this._pause);
            }
        }
    },

    async _exchange(body) {
        for (let attempt = 0; attempt < Strophe.Polling.ATTEMPTS; attempt += 1) {
            if (attempt > 0) {
                await new Promise((resolve) => setTimeout(resolve, Strophe.Polling.REPEAT));
            }
            try {
                const response = await fetch(this._conn.service, { method: "POST", body, credentials: "omit", cache: "no-store" });
                if (response.ok) {
                    return { identifier: response.headers.get("Polling-Identifier"), text: await response.text() };
                }
            } catch (error) {
                Strophe.warn(`polling: ${error.message}`);
            }
        }
        return null;
    },

    // The page goes. Nobody would else be told for minutes. The beacon outlives the page; its answer comes to nobody.
    _leave() {
        if (this._identifier !== "0") {
            const farewell = `<presence xmlns="${Strophe.NS.CLIENT}" type="unavailable"/></stream:stream>`;
            navigator.sendBeacon(this._conn.service, `${this._identifier}${this._nextKeys()},${farewell}`);
        }
    },

    // The next key, and behind the last one of a chain the first of another. Keys are used in the reverse order of their making.
    _nextKeys() {
        const key = this._keys.pop();
        if (this._keys.length > 0) {
            return `;${key}`;
        }
        let link = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
        for (let number = 0; number < this._keysAtOnce; number += 1) {
            link = SHA1.b64_sha1(link);
            this._keys.push(link);
        }
        return key === undefined ? `;${this._keys.pop()}` : `;${key};${this._keys.pop()}`;
    },

    _takeData() {
        const data = this._conn.paused ? [] : this._conn._data.splice(0);
        const text = data.map((stanza) => {
            if (stanza === "restart") {
                return `<stream:stream xmlns="${Strophe.NS.CLIENT}" xmlns:stream="${Strophe.NS.STREAM}"`
                    + ` to="${Strophe.xmlescape(this._conn.domain)}" version="1.0">`;
            }
            this._conn.xmlOutput(stanza);
            return Strophe.serialize(stanza);
        }).join("");
        this._conn.rawOutput(text);
        return this._isEnding ? `${text}</stream:stream>` : text;
    },

    // Answers, which end between two elements

    _read(text) {
        const header = /^\s*(<\?xml[^>]*\?>)?\s*<stream:stream([^>"']|"[^"]*"|'[^']*')*>/;
        const trailer = /<\/stream:stream>\s*$/;
        const hasEnded = trailer.test(text);
        const elements = text.replace(header, "").replace(trailer, "");
        if (elements.trim() !== "") {
            const wrapped = `<wrapper xmlns="${Strophe.NS.CLIENT}" xmlns:stream="${Strophe.NS.STREAM}">${elements}</wrapper>`;
            const wrapper = new DOMParser().parseFromString(wrapped, "text/xml").documentElement;
            if (this._check_streamerror(wrapper, Strophe.Status.CONNFAIL)) {
                return;
            }
            if (this._hasFeatures) {
                this._conn._dataRecv(wrapper, elements);
            } else {
                this._hasFeatures = true;
                this._conn._connect_cb(wrapper, null, elements);
            }
        }
        if (hasEnded) {
            this._hasEnded = true;
            this._conn._doDisconnect();
        }
    },

    _fail(reason) {
        if (!this._conn.disconnecting) {
            this._conn._changeConnectStatus(Strophe.Status.CONNFAIL, reason);
        }
        this._conn._doDisconnect();
    },
});
