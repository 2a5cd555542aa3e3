extension StatusPage {
    /// The style of the page, in the colours that the browser prefers.
    static let styleText = """
        :root { --back: #f4f5f7; --paper: #fff; --ink: #1c2430; --faint: #5c6675; --line: #dde1e7; --good: #1a7f4b;
          --warn: #9a6200; --bad: #b3261e; --bar: #3b6fd4; }
        @media (prefers-color-scheme: dark) {
          :root { --back: #12161c; --paper: #1b212a; --ink: #e4e8ee; --faint: #97a2b1; --line: #2d3541; --good: #58c98b;
            --warn: #e0ac4a; --bad: #ff8a80; --bar: #6f9bf0; }
        }
        * { box-sizing: border-box; }
        body { margin: 0 auto; max-width: 1240px; padding: 1rem; background: var(--back); color: var(--ink);
          font: 15px/1.45 system-ui, sans-serif; }
        header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem 1rem; margin-bottom: 1rem;
          color: var(--faint); }
        h1 { margin: 0; font-size: 1.4rem; color: var(--ink); }
        h2 { margin: 0; font-size: .85rem; font-weight: 600; color: var(--faint); }
        a { color: inherit; }
        #state { font-weight: 600; }
        #state.good { color: var(--good); }
        #state.bad { color: var(--bad); }
        .cards { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: .75rem; }
        .card, .table { background: var(--paper); border: 1px solid var(--line); border-radius: 8px; padding: .75rem; }
        .card p { margin: .1rem 0 .3rem; font-size: 1.7rem; line-height: 1.2; font-variant-numeric: tabular-nums;
          white-space: nowrap; }
        .card ul { margin: 0; padding: 0; list-style: none; color: var(--faint); font-size: .8rem; }
        .card b { font-weight: 600; color: var(--ink); }
        .tables { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: .75rem;
          margin-top: .75rem; align-items: start; }
        .table div { overflow-x: auto; margin-top: .4rem; }
        table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
        th, td { padding: .25rem .6rem .25rem 0; text-align: right; border-top: 1px solid var(--line);
          white-space: nowrap; }
        th { color: var(--faint); font-weight: 500; border-top: 0; }
        th:first-child, td:first-child { text-align: left; }
        td:first-child { white-space: normal; overflow-wrap: break-word; }
        th:last-child, td:last-child { padding-right: 0; }
        td.good { color: var(--good); } td.warn { color: var(--warn); } td.bad { color: var(--bad); font-weight: 600; }
        meter { width: 6rem; height: .8rem; vertical-align: middle; }
        .note { background: var(--paper); border: 1px solid var(--line); border-radius: 8px; padding: .75rem; }
        footer { margin-top: 1rem; display: flex; gap: 1rem; color: var(--faint); font-size: .85rem; }
        @media (max-width: 40rem) {
          body { padding: .6rem; }
          .cards { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: .5rem; }
          .card p { font-size: 1.4rem; }
          #limits meter, #limits th:last-child { display: none; }
        }

        """
}
