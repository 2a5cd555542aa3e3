"use strict";

// A small chat on Strophe.js. `settings` (written by deploy/quickstart) names the services, the room and the accounts.
// Each tab is a client of its own. Over BOSH its session lives in sessionStorage, so a reload goes on with it (keepalive,
// restore); over WebSocket the session is the connection, over HTTP polling (polling.js) its keys are the page's, and a reload
// logs in again.

const nodes = {};
for (const id of ["state", "state-text", "messages", "say", "text", "people", "jid", "door", "service", "requests", "held", "login",
    "account", "way", "leave"]) {
    nodes[id] = document.getElementById(id);
}

const wait = 50;
let connection = null;
let way = null;  // the door that it uses, one of settings.services
let nickname = null;
let requests = 0;
let next = null;  // the account to log in with when the session that is ending has ended
const people = new Set();

function show(state, text) {
    nodes.state.className = state;
    nodes["state-text"].textContent = text;
    const connected = state === "connected";
    nodes.text.disabled = !connected;
    nodes.say.querySelector("button").disabled = !connected;
    nodes.leave.disabled = !connected;
    nodes.jid.textContent = connected ? connection.jid : "none";
    nodes.door.textContent = connected ? way.label : "none";
}

function line(kind, who, text) {
    const item = document.createElement("li");
    item.className = kind;
    if (who !== null) {
        const name = document.createElement("span");
        name.className = "who";
        name.textContent = who;
        item.append(name);
    }
    item.append(text);
    nodes.messages.append(item);
    item.scrollIntoView({ block: "end" });
}

function showPeople() {
    nodes.people.replaceChildren(...[...people].sort().map((name) => {
        const item = document.createElement("li");
        item.textContent = name === nickname ? `${name} (this tab)` : name;
        return item;
    }));
}

// Stanzas from the room

function onMessage(message) {
    const body = message.getElementsByTagName("body")[0];
    const who = Strophe.getResourceFromJid(message.getAttribute("from"));
    if (body && message.getAttribute("type") === "groupchat" && who !== null) {
        line(who === nickname ? "own" : "other", who, body.textContent);
    }
    return true;
}

function onPresence(presence) {
    const from = presence.getAttribute("from");
    if (Strophe.getBareJidFromJid(from) !== settings.room) {
        return true;
    }
    const who = Strophe.getResourceFromJid(from);
    const type = presence.getAttribute("type");
    if (type === "error") {
        if (presence.getElementsByTagName("conflict").length > 0) {
            join(`${nickname}-`);
        } else {
            line("note", null, "The room refused this tab.");
        }
    } else if (type === "unavailable") {
        if (people.delete(who)) {
            line("note", null, `${who} left`);
        }
    } else if (!people.has(who)) {
        people.add(who);
        line("note", null, who === nickname ? `You are ${who}` : `${who} is here`);
    }
    showPeople();
    return true;
}

// The session

function join(name) {
    nickname = name;
    sessionStorage.setItem("nickname", name);
    people.clear();
    const room = $pres({ to: `${settings.room}/${name}` }).c("x", { xmlns: "http://jabber.org/protocol/muc" });
    connection.send(room.c("history", { maxstanzas: "20" }));
}

function newName() {
    const local = Strophe.getNodeFromJid(connection.jid);
    const anonymous = Strophe.getDomainFromJid(connection.jid) === settings.anonymousDomain;
    return `${anonymous ? "guest" : local}-${Math.random().toString(36).slice(2, 5)}`;
}

function changed(status, condition) {
    switch (status) {
    case Strophe.Status.CONNECTING:
        show("waiting", "connecting");
        break;
    case Strophe.Status.AUTHENTICATING:
        show("waiting", "logging in");
        break;
    case Strophe.Status.CONNECTED:
        connection.send($pres());
        nodes.messages.replaceChildren();
        join(newName());
        show("connected", `connected over ${way.label}, a new session`);
        break;
    case Strophe.Status.ATTACHED:
        // The server never saw this tab go: asking the room again brings the people and the last messages.
        nodes.messages.replaceChildren();
        join(sessionStorage.getItem("nickname") || newName());
        show("connected", `connected over ${way.label}, the session from before the reload`);
        break;
    case Strophe.Status.CONNFAIL:
        show("ended", `no connection${condition ? `: ${condition}` : ""}`);
        break;
    case Strophe.Status.AUTHFAIL:
        show("ended", "the login was refused");
        break;
    case Strophe.Status.DISCONNECTING:
        show("waiting", "leaving");
        break;
    case Strophe.Status.DISCONNECTED:
        people.clear();
        showPeople();
        if (next !== null) {
            const account = next;
            next = null;
            logIn(account);
        } else if (nodes.state.className !== "ended") {
            show("ended", `not connected${condition ? `: ${condition}` : ""}`);
        }
        break;
    }
}

function open() {
    way = settings.services.find((candidate) => candidate.label === nodes.way.value);
    sessionStorage.setItem("way", way.label);
    nodes.service.textContent = way.url;
    requests = 0;
    connection = new Strophe.Connection(way.url, { keepalive: way.survivesReload });
    if (way.polls) {
        connection._proto = new Strophe.Polling(connection);
    }
    connection.addHandler(onMessage, null, "message");
    connection.addHandler(onPresence, null, "presence");
    connection.xmlOutput = () => {
        requests += 1;
    };
}

function logIn(account) {
    open();
    sessionStorage.setItem("account", account.jid);
    connection.connect(account.jid, account.password, changed, wait);
}

function start() {
    for (const service of settings.services) {
        nodes.way.append(new Option(service.label));
    }
    nodes.way.value = sessionStorage.getItem("way") || settings.services[0].label;
    for (const account of settings.accounts) {
        nodes.account.append(new Option(account.label, account.jid));
    }
    const jid = sessionStorage.getItem("account");
    const account = settings.accounts.find((candidate) => candidate.jid === jid) || settings.accounts[0];
    nodes.account.value = account.jid;
    open();
    try {
        connection.restore(account.jid, changed, wait);
    } catch (error) {
        // There is nothing to restore, or only BOSH could.
        if (error.name !== "StropheSessionError") {
            throw error;
        }
        logIn(account);
    }
}

nodes.say.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = nodes.text.value.trim();
    if (text !== "") {
        connection.send($msg({ to: settings.room, type: "groupchat" }).c("body").t(text));
        nodes.text.value = "";
    }
});

nodes.login.addEventListener("submit", (event) => {
    event.preventDefault();
    const account = settings.accounts.find((candidate) => candidate.jid === nodes.account.value);
    if (connection.connected) {
        next = account;
        connection.disconnect("switching");
    } else {
        logIn(account);
    }
});

nodes.leave.addEventListener("click", () => connection.disconnect("leaving"));

setInterval(() => {
    nodes.requests.textContent = String(requests);
    nodes.held.textContent = String(connection?._proto._requests?.length ?? 1);
}, 500);

start();
