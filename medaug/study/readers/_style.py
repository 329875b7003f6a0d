"""What the readers' page adds to the style of the evaluation report."""

READERS_STYLE = """
[hidden] { display: none !important; }
body { padding-bottom: .75rem; max-width: max(72rem, calc(100vh + 19rem)); }
main > section { margin: 0 auto; padding: 1.5rem 0 0; }
#start, #end { max-width: 46rem; }
#start form { margin: 1.2rem 0; } #start h2 { margin-top: 1.6rem; }
#start .lead, #end .line { margin-top: 1rem; }
label { font-weight: 600; }
input { font: inherit; width: 9rem; padding: .55rem .7rem; border: 1.5px solid var(--mark);
  border-radius: .5rem; background: var(--page); color: var(--text); }
button { font: inherit; color: var(--text); background: var(--card); cursor: pointer;
  border: 1.5px solid var(--edge); border-radius: .5rem; padding: .55rem .9rem;
  min-height: 2.75rem; touch-action: manipulation; }
button:hover:enabled { border-color: var(--accent); }
button:focus-visible, input:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
button:disabled { opacity: .45; cursor: default; }
button.main { font-weight: 600; color: var(--card); background: var(--accent);
  border-color: var(--accent); }
button.plain { border-color: transparent; background: none; color: var(--accent);
  padding-left: 0; font-size: .9rem; }
kbd { font: 600 .8rem/1 ui-monospace, "SF Mono", Menlo, Consolas, monospace; padding: .2rem .4rem;
  border: 1px solid currentColor; border-radius: .3rem; opacity: .75; white-space: nowrap; }
button kbd { margin-left: .55rem; }
dt kbd { margin-right: .3rem; }
.keys { margin: .4rem 0 0; } .keys div { grid-template-columns: 8rem 1fr; }
.line { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem; }

#case header { padding: 0 0 .8rem; }
#case header p { margin: 0 0 .4rem; display: flex; justify-content: space-between; gap: 1rem; }
.bar { height: .4rem; border-radius: .2rem; background: var(--band); overflow: hidden; }
.bar i { display: block; height: 100%; width: 0; background: var(--accent); }
.desk { display: grid; gap: 1.25rem; align-items: start;
  grid-template-columns: minmax(0, 1fr) minmax(19rem, 25rem); }
canvas { display: block; width: min(100%, max(16rem, calc(100vh - 9.5rem))); aspect-ratio: 1;
  margin: 0 auto .7rem; background: #000; border-radius: .5rem; }
figure .line { justify-content: center; }
#frame { min-width: 8.5rem; font-variant-numeric: tabular-nums; }
#play { min-width: 8.2rem; }
fieldset.card { margin: 0 0 .8rem; padding: .7rem 1rem .8rem; border-left-width: .3rem; }
fieldset.active { border-color: var(--accent); }
legend { float: left; width: 100%; font-weight: 600; margin: 0 0 .55rem; padding: 0; }
legend + div { clear: both; }
.five, .two { display: grid; gap: .4rem; grid-template-columns: repeat(5, 1fr); }
.two { grid-template-columns: 1fr 1fr; }
.five button { padding: .55rem 0; font-weight: 600; font-size: 1.1rem; }
[aria-pressed="true"] { color: var(--card); background: var(--accent);
  border-color: var(--accent); font-weight: 600; }
.ends { display: flex; justify-content: space-between; margin-top: .25rem; font-size: .8rem;
  color: var(--soft); }
.steps { margin-top: 1rem; } .steps .main { flex: 1; }
.toast { position: fixed; left: 50%; bottom: 1rem; transform: translateX(-50%); margin: 0;
  width: max-content; max-width: calc(100vw - 2rem); padding: .6rem 1rem; border-radius: .5rem;
  background: var(--text); color: var(--page); z-index: 2; }

@media (max-width: 52rem) {
  main > section { padding-top: .9rem; }
  .desk { grid-template-columns: minmax(0, 1fr); gap: .8rem; }
  canvas { width: min(100%, 56vh); margin-bottom: .5rem; }
  fieldset.card { padding: .55rem .8rem .65rem; margin-bottom: .6rem; }
  .steps { position: sticky; bottom: 0; margin: 0 -.9rem; padding: .6rem .9rem;
    background: var(--page); border-top: 1px solid var(--edge); }
}
@media (hover: none) and (max-width: 52rem) {
  button kbd, .keys, #start h2 { display: none; }
  #play { min-width: 5.5rem; }
}
"""
