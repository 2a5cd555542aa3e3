extension StatusPage {
    /// The script of the page. It writes text only, never markup.
    static let scriptText = #"""
        "use strict";
        (() => {
          const period = 2000, kept = 31;
          const history = [];
          const get = (stats, path) => path.split("/").reduce((node, name) => node && node[name], stats);
          const sum = (object) => Object.values(object || {}).reduce((total, value) => total + value, 0);
          const count = (value) => typeof value === "number" ? Math.round(value).toLocaleString("en") : "–";
          const rate = (value) => value === null ? "–" : value < 10 ? value.toFixed(1) : count(value);
          const bytes = (value) => {
            if (value === null || value === undefined) return "–";
            const units = ["B", "KiB", "MiB", "GiB", "TiB"];
            let unit = 0;
            while (value >= 1024 && unit < units.length - 1) { value /= 1024; unit += 1; }
            return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
          };
          const time = (seconds) => seconds < 1 ? `${+(seconds * 1000).toPrecision(3)} ms` : `${+seconds.toPrecision(3)} s`;
          const span = (seconds) => {
            const days = Math.floor(seconds / 86400), hours = Math.floor(seconds / 3600) % 24;
            const minutes = Math.floor(seconds / 60) % 60;
            if (days) return `${days} d ${hours} h`;
            if (hours) return `${hours} h ${minutes} min`;
            return minutes ? `${minutes} min ${Math.floor(seconds) % 60} s` : `${Math.floor(seconds)} s`;
          };

          // How much a number has grown for each second, over the last samples.
          const grown = (read, samples) => {
            const newest = history[history.length - 1], oldest = history[Math.max(0, history.length - 1 - samples)];
            if (newest === oldest) return null;
            return Math.max(0, read(newest.stats) - read(oldest.stats)) / ((newest.at - oldest.at) / 1000);
          };
          const perSecond = (path) => grown((stats) => get(stats, path) || 0, 3);
          const lately = (read) => history.length < 2 ? null
            : Math.max(0, read(history[history.length - 1].stats) - read(history[0].stats));

          const computed = {
            "=requests": () => rate(perSecond("http/requests")),
            "=stanzas_in": () => rate(perSecond("upstream/stanzas_in")),
            "=stanzas_out": () => rate(perSecond("upstream/stanzas_out")),
            "=bytes_out": () => `${bytes(perSecond("http/bytes_out"))}/s`,
            "=bytes_in": () => `${bytes(perSecond("http/bytes_in"))}/s`,
            "=ended": () => count(lately((stats) => sum(get(stats, "sessions/ended")))),
            "=refused": () => count(lately((stats) =>
              sum(get(stats, "sessions/refused")) + get(stats, "sessions/refused_without_descriptor"))),
            "=aborted": () => count(lately((stats) => get(stats, "sessions/aborted_polls"))),
            "=repeats": () => count(lately((stats) => get(stats, "sessions/repeats"))),
            "=connects": () => count(lately((stats) => get(stats, "upstream/connects"))),
            "=uptime": (stats) => span(stats.uptime_seconds),
          };

          // The bound that a part of the durations of the last minute is within.
          const part = (path, share) => {
            const at = (stats) => get(stats, `${path}/at_most`) || {};
            const now = at(history[history.length - 1].stats);
            const before = history.length > 1 ? at(history[0].stats) : {};
            const bounds = Object.keys(now).sort((a, b) => (a === "inf") - (b === "inf") || a - b);
            const total = (now.inf || 0) - (before.inf || 0);
            if (total <= 0) return "–";
            const bound = bounds.find((name) => now[name] - (before[name] || 0) >= share * total);
            return bound === "inf" ? `> ${time(Number(bounds[bounds.length - 2]))}` : `≤ ${time(Number(bound))}`;
          };
          const seen = (path) => {
            const first = history.length > 1 ? get(history[0].stats, `${path}/count`) : 0;
            return get(history[history.length - 1].stats, `${path}/count`) - first;
          };

          const cell = (content, kind) => {
            const node = document.createElement("td");
            if (content instanceof Node) node.append(content); else node.textContent = content;
            if (kind) node.className = kind;
            return node;
          };
          const fill = (id, heads, rows) => {
            const section = document.getElementById(id);
            section.hidden = rows.length === 0;
            if (section.hidden) return;
            const table = document.createElement("table");
            const head = table.createTHead().insertRow();
            for (const title of heads) {
              const node = document.createElement("th");
              node.scope = "col";
              node.textContent = title;
              head.append(node);
            }
            const body = table.createTBody();
            for (const row of rows) body.insertRow().append(...row);
            section.querySelector("table").replaceWith(table);
          };
          const gauge = (used, limit) => {
            const node = document.createElement("meter");
            Object.assign(node, { min: 0, max: 1, low: 0.8, high: 0.95, optimum: 0, value: limit ? used / limit : 0 });
            return node;
          };
          const level = (used, limit) => !limit || used < 0.8 * limit ? "" : used < 0.95 * limit ? "warn" : "bad";
          const limit = (name, used, most, shown) => [
            cell(name), cell(shown(used)), cell(shown(most)), cell(most ? `${Math.round(100 * used / most)} %` : "–", level(used, most)),
            cell(gauge(used, most)),
          ];
          const limitNames = {
            descriptors: "open files for sessions", "memory-limit": "memory for peers (memory-limit)",
            "upstream-connections": "streams to one server (upstream-connections)",
            "local-ports": "local ports to one server", "login-sessions": "without login (login-sessions)",
            "max-sessions": "sessions (max-sessions)",
          };
          const counted = (object, earlier) => Object.entries(object || {}).filter(([, value]) => value > 0)
            .sort((a, b) => b[1] - a[1]).map(([name, value]) => [
              cell(name), cell(count(value)), cell(count(value - ((earlier || {})[name] || 0))),
            ]);

          const show = (stats) => {
            for (const node of document.querySelectorAll("[data-v]")) {
              const path = node.dataset.v;
              const value = computed[path] ? computed[path](stats) : get(stats, path);
              node.textContent = typeof value === "number" ? count(value) : value ?? "–";
            }
            const first = history[0].stats, limits = stats.limits || {};
            fill("limits", ["", "in use", "limit", "", ""], [
              ...Object.entries(stats.capacity || {}).map(([name, { used, limit: most }]) =>
                limit(limitNames[name] || name, used, most, name === "memory-limit" ? bytes : count)),
              [cell("memory of the processes"), cell(bytes(stats.process.resident_bytes)), cell(""), cell(""), cell("")],
              ...Object.entries(limits).filter(([, value]) => value > 0).sort((a, b) => b[1] - a[1]).map(([name, value]) => [
                cell(name), cell(`reached ${count(value)} ×`), cell(""), cell(""),
                cell(value > (first.limits[name] || 0) ? "now" : "", "warn"),
              ]),
            ]);
            const names = {
              forward: "forwarding", turn: "loop turn", hold: "held request", fetch: "client's wait",
              login: "login",
            };
            fill("latency", ["", "count", "50 %", "95 %", "99 %"], Object.entries(names).map(([name, title]) => [
              cell(title), cell(count(seen(`latency/${name}`))),
              ...[0.5, 0.95, 0.99].map((share) => cell(part(`latency/${name}`, share))),
            ]));
            const states = [["works", "good"], ["being probed", "warn"], ["left alone", "bad"]];
            const state = (server) => {
              if (server.breaker === undefined) return cell("");
              if (server.breaker === 0 && server.streams_opened === 0) {
                return sum(server.failures) > 0 ? cell("no stream yet", "warn") : cell("not used yet");
              }
              const [words, kind] = states[server.breaker];
              return cell(server.left_alone_seconds ? `${words}, ${server.left_alone_seconds} s` : words, kind);
            };
            const servers = Object.entries(stats.servers || {}).filter(([name, server]) =>
              name !== "other" || server.connects > 0 || sum(server.failures) > 0);
            fill("servers", ["", "state", "streams", "opened", "failures", "connect 95 %"], servers.map(([name, server]) => [
              cell(name), state(server), cell(count(server.streams_now)), cell(count(server.streams_opened)),
              cell(count(sum(server.failures))), cell(part(`servers/${name}/connect_time`, 0.95)),
            ]));
            fill("domains", ["", "streams", "opened", "failures"], Object.entries(stats.sites || {}).map(([name, site]) => [
              cell(name === "*" ? "all others" : name), cell(count(site.streams_now)), cell(count(site.streams_opened)),
              cell(count(sum(site.failures))),
            ]));
            fill("ends", ["", "ever", "last minute"], counted(stats.sessions.ended, first.sessions.ended));
            fill("failures", ["", "ever", "last minute"], counted(stats.upstream.failures, first.upstream.failures));
            fill("workers", ["", "process", "generation", "sessions", "connections", "streams", "memory"],
              Object.entries(stats.workers || {}).map(([tag, worker]) => [
                cell(worker.retired ? `${tag} (retired)` : tag), cell(String(worker.pid)), cell(String(worker.generation)),
                cell(count(worker.sessions)), cell(count(worker.connections)), cell(count(worker.streams)),
                cell(bytes(worker.held_bytes)),
              ]));
          };

          const state = document.getElementById("state");
          const tell = (words, kind) => { state.textContent = words; state.className = kind; };
          const ask = async () => {
            try {
              const answer = await fetch(`${location.origin}/stats`, { cache: "no-store", signal: AbortSignal.timeout(5 * period) });
              if (!answer.ok) throw new Error(`status ${answer.status}`);
              const stats = await answer.json();
              // Another program has begun to count at zero.
              const last = history[history.length - 1];
              if (last && last.stats.process.pid !== stats.process.pid) history.length = 0;
              history.push({ at: performance.now(), stats });
              if (history.length > kept) history.shift();
              show(stats);
              if (stats.process.stopping) tell("stopping", "bad"); else tell("live", "good");
            } catch (error) {
              tell(`no answer (${error.message})`, "bad");
            }
            setTimeout(ask, period);
          };
          ask();
        })();

        """#
}
