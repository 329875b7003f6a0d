"""How the page looks: on a phone, at a desk, on paper, by day and by night."""

STYLE = """
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #fff; --text: #1b2430; --soft: #566373; --edge: #d9dee5;
  --accent: #14568c; --band: #cfd8e3; --mark: #56677a;
  --bad: #a3171d; --bad-tint: #fdecec; --good: #11643c; --good-tint: #e6f5ec;
  --open: #7a5200; --open-tint: #fdf3dc;
  --c0: #0b62a8; --c1: #c2410c; --c2: #0b7a55; --c3: #8b3a9e; --c4: #75808c; --c5: #8a6d00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #11161d; --card: #1a212b; --text: #e6ebf1; --soft: #a3b0bf; --edge: #323d4b;
    --accent: #7fbdf0; --band: #3a4a5e; --mark: #a3b4c8;
    --bad: #ff9c98; --bad-tint: #3d1c1f; --good: #7fdcaa; --good-tint: #14332380;
    --open: #f3c969; --open-tint: #3a2e12;
    --c0: #6cb6f5; --c1: #ff9a5c; --c2: #52d3a2; --c3: #dc9bee; --c4: #8593a3; --c5: #e0c04a;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
body {
  margin: 0 auto; max-width: 72rem; padding: 0 1rem 3rem; background: var(--page);
  color: var(--text); font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  overflow-wrap: break-word;
}
header { padding: 2rem 0 .5rem; }
h1 { margin: 0 0 .5rem; font-size: 1.75rem; line-height: 1.2; text-wrap: balance; }
h2 { margin: 0 0 .5rem; font-size: 1.3rem; line-height: 1.25; }
h3 { margin: 0; font-size: 1.05rem; line-height: 1.3; }
p { margin: .4rem 0; }
a { color: var(--accent); }
main > section { margin: 2.25rem 0 0; }
.lead { max-width: 46rem; color: var(--soft); margin: 0 0 1rem; }
.soft { color: var(--soft); }
.summary { font-size: 1.1rem; max-width: 46rem; }
.hidden {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap;
}
.notice {
  margin: 1rem 0 0; padding: .6rem .9rem; border: 1px solid var(--open); border-radius: .5rem;
  background: var(--open-tint);
}
nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1rem; margin: 1rem 0 0; padding: 0;
  list-style: none; }
nav a { display: inline-block; padding: .2rem 0; }

.cards { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 26rem), 1fr)); }
.cards.narrow { grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr)); }
.card { background: var(--card); border: 1px solid var(--edge); border-radius: .6rem;
  padding: 1rem 1.1rem; min-width: 0; }
.card.bad { border-left: .45rem solid var(--bad); }
.card.good { border-left: .45rem solid var(--good); }
.card.open { border-left: .45rem dashed var(--open); }
.badge { display: inline-block; float: right; margin: 0 0 .3rem .8rem; padding: .1rem .7rem;
  border-radius: 1rem; font-weight: 700; border: 1.5px solid; }
.badge.bad { color: var(--bad); background: var(--bad-tint); }
.badge.good { color: var(--good); background: var(--good-tint); }
.badge.open { color: var(--open); background: var(--open-tint); }
.question { color: var(--soft); }
.answer { font-weight: 600; }
.reasons { margin: .5rem 0 0; padding: 0 0 0 1.1rem; font-size: .9rem; color: var(--soft); }
.big { font-size: 1.05rem; margin: 0 0 .3rem; }
.big .value { font-size: 2rem; font-weight: 700; line-height: 1.1; }
.gauge { display: block; width: 100%; max-width: 26rem; height: auto; overflow: visible; }
.gauge text { font-size: 12px; fill: var(--soft); }
.rail { fill: var(--band); } .fill { fill: var(--c0); }
.gauge .mark { stroke: var(--text); stroke-width: 1.5; fill: none; }
.goal { stroke: var(--text); stroke-width: 2; stroke-dasharray: 3 2; }

table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding: 0 0 .4rem; color: var(--soft); }
th, td { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0;
  border-bottom: 1px solid var(--edge); }
thead th { color: var(--soft); font-weight: 600; font-size: .875rem; }
tbody th { font-weight: 400; }
table.figures { width: 100%; table-layout: fixed; }
.figures thead th:first-child { width: 34%; }
.figures th.plot { width: 10.5rem; }
.kind th, .kind td { padding-top: .9rem; padding-bottom: .1rem; border-bottom: 0; }
.better { display: inline-block; margin-left: .3rem; padding: 0 .5rem; border-radius: .8rem;
  border: 1px solid var(--edge); font-size: .8rem; color: var(--soft); white-space: nowrap; }
.meaning { display: block; max-width: 46rem; color: var(--soft); font-size: .9rem; }
.scope { font-weight: 600; margin-right: .3rem; }
code { font: .8rem/1.3 ui-monospace, "SF Mono", Menlo, Consolas, monospace; color: var(--soft); }
.figures .soft { font-size: .8rem; white-space: nowrap; }
.value { font-weight: 600; } .interval { color: var(--soft); white-space: nowrap; }
.figures td .interval { font-size: .9rem; }
.whiskers { display: block; width: 100%; max-width: 10rem; }
.band { fill: var(--band); } .whiskers .mark { stroke: var(--mark); stroke-width: 2; }
.whisker { stroke: var(--c1); stroke-width: 2.5; } .dot { fill: var(--c1); }

details { border: 1px solid var(--edge); border-radius: .6rem; background: var(--card);
  padding: .7rem 1.1rem; margin: 0 0 1rem; }
details.more { margin-top: 1rem; }
summary { cursor: pointer; }
summary h3 { display: inline; }
summary:focus-visible, a:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }

.charts { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); }
figure { margin: 0; min-width: 0; }
.chart { background: var(--card); border: 1px solid var(--edge); border-radius: .6rem;
  padding: .8rem .9rem; break-inside: avoid; }
details .chart { border: 0; padding: .8rem 0 0; }
.chart figcaption { font-weight: 600; overflow-wrap: anywhere; }
.chart svg { display: block; width: 100%; height: auto; }
.chart text { font-size: 11px; fill: var(--soft); }
.grid { stroke: var(--edge); stroke-width: 1; }
.line { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
.dashed { stroke-dasharray: 5 3; }
.area { stroke: none; opacity: .18; }
.area.c0 { fill: var(--c0); } .area.c1 { fill: var(--c1); }
.dots { fill: none; stroke-width: 6; stroke-linecap: round; }
.dots.small { stroke-width: 4; opacity: .55; }
.crosses { fill: none; stroke-width: 1.5; }
.c0 { stroke: var(--c0); } .c1 { stroke: var(--c1); } .c2 { stroke: var(--c2); }
.c3 { stroke: var(--c3); } .c4 { stroke: var(--c4); } .c5 { stroke: var(--c5); }
.legend { display: flex; flex-wrap: wrap; gap: .1rem 1rem; list-style: none; margin: .4rem 0 0;
  padding: 0; font-size: .85rem; overflow-wrap: anywhere; }
.chart .legend .swatch { display: inline-block; width: 28px; height: 12px; }

.class { margin: 0 0 1.25rem; }
.sides { display: grid; gap: .5rem 1.5rem; margin-top: .3rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); }
.sides figcaption { color: var(--soft); font-size: .9rem; margin-bottom: .2rem; }
.sheet { display: grid; gap: 4px; grid-template-columns: repeat(5, 1fr); }
.sheet img, .pair img { display: block; width: 100%; height: auto; background: #000; }
.squares { image-rendering: pixelated; }
.pairs { display: grid; gap: 1.1rem; margin: 0; padding: 0; list-style: none;
  grid-template-columns: repeat(auto-fill, minmax(min(46%, 12rem), 1fr)); }
.pairs li { break-inside: avoid; min-width: 0; }
.pairs p { margin: .15rem 0 0; font-size: .85rem; }
.pair, .sidewords { display: grid; grid-template-columns: 1fr 1fr; gap: 4px; }
.sidewords { color: var(--soft); }

dl { margin: .3rem 0 1.2rem; }
dl div { display: grid; grid-template-columns: 9rem 1fr; gap: 0 1rem; padding: .25rem 0;
  border-bottom: 1px solid var(--edge); }
dt { color: var(--soft); overflow-wrap: anywhere; }
dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
#method h3, #hyperscore h3 { margin-top: 1.2rem; }
footer { margin-top: 2.5rem; color: var(--soft); font-size: .875rem; }

@media (max-width: 40rem) {
  body { padding: 0 .9rem 2rem; }
  header { padding-top: 1.2rem; }
  h1 { font-size: 1.4rem; }
  .figures .plot, .plotwords { display: none; }
  .figures .kind th { padding-right: 0; }
  .figures thead th:first-child { width: 34%; }
  .figures th, .figures td { padding-right: .5rem; font-size: .9rem; }
  .figures td .interval, .figures td .value, .scope { display: block; white-space: normal; }
  .figures .better { white-space: normal; }
  details { padding: .6rem .7rem; }
  dl div { grid-template-columns: 1fr; }
}
@media print {
  :root {
    color-scheme: light;
    --page: #fff; --card: #fff; --text: #000; --soft: #444; --edge: #bbb; --accent: #14568c;
    --band: #cfd8e3; --mark: #56677a;
    --bad: #a3171d; --bad-tint: #fdecec; --good: #11643c; --good-tint: #e6f5ec;
    --open: #7a5200; --open-tint: #fdf3dc;
    --c0: #0b62a8; --c1: #c2410c; --c2: #0b7a55; --c3: #8b3a9e; --c4: #75808c; --c5: #8a6d00;
  }
  @page { margin: 14mm; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  body { max-width: none; padding: 0 1px; font-size: 10pt; }
  details { border: 0; padding: 0; }
  .figures td .interval { white-space: normal; }
  header { padding-top: 0; }
  nav { display: none; }
  details::details-content { content-visibility: visible; block-size: auto; }
  summary { list-style: none; }
  h2, h3, summary, .kind, figcaption, thead { break-after: avoid; }
  .card, .class, .chart, tr, dl div, .notice { break-inside: avoid; }
  main > section { margin-top: 1.4rem; }
  .cards { grid-template-columns: 1fr 1fr; }
  .pairs { grid-template-columns: repeat(4, 1fr); }
  .charts, .sides { grid-template-columns: 1fr 1fr; }
}
"""
