"""The script of the readers' page: it plays, asks, keeps the answers, and saves them."""

SCRIPT = r"""
"use strict";
const content = JSON.parse(document.getElementById("content").textContent);
const { study, size, cases } = content;
const at = (id) => document.getElementById(id);
const questions = [...document.querySelectorAll("[data-question]")];
const names = questions.map((one) => one.dataset.question);
const kept = "medaug reader study " + study;

let reader = "";    // the code
let answers = [];   // of each case: {realism, consistency, guess, seconds}
let place = 0;      // the case that is shown
let active = 0;     // the question that digits answer
let since = null;   // when looking at this case began; null while nobody does

// ---- what the browser keeps, so that closing the page loses nothing

function stored() {
  try {
    return JSON.parse(localStorage.getItem(kept)) || { last: "", readers: {} };
  } catch {
    return { last: "", readers: {} };
  }
}

function store() {
  const all = stored();
  all.last = reader;
  if (reader) all.readers[reader] = { place, answers };
  try {
    localStorage.setItem(kept, JSON.stringify(all));
  } catch {
    say("This browser keeps nothing: save the CSV before you close the page.");
  }
}

function begin(code) {
  const { readers } = stored();
  const known = Object.hasOwn(readers, code) ? readers[code] : { place: 0, answers: [] };
  reader = code;
  answers = cases.map((_, index) => known.answers[index] || { seconds: 0 });
  open(Math.min(known.place, cases.length - 1));
}

// ---- time spent on a case, while the page is seen

function count() {
  if (since !== null) answers[place].seconds += (performance.now() - since) / 1000;
  since = null;
}

function watch() {
  since = at("case").hidden || document.hidden ? null : performance.now();
}

document.addEventListener("visibilitychange", () => {
  count();
  watch();
  if (reader) store();
});
addEventListener("pagehide", () => {
  count();
  if (reader) store();
});

// ---- playing

const canvas = at("picture");
canvas.width = canvas.height = size;
const context = canvas.getContext("2d");
let picture = new Image();
let frame = 0;
let playing = true;
let origin = 0;     // when frame 0 was, or would have been, shown

function load() {
  frame = 0;
  context.clearRect(0, 0, size, size);
  delete canvas.dataset.frame;
  const wanted = new Image();
  picture = wanted;
  wanted.onload = () => {
    origin = performance.now();
    if (picture === wanted) draw();
  };
  wanted.src = cases[place].picture;
  if (place + 1 < cases.length) new Image().src = cases[place + 1].picture;
}

function draw() {
  const { columns, frames } = cases[place];
  const x = (frame % columns) * size;
  const y = Math.floor(frame / columns) * size;
  context.drawImage(picture, x, y, size, size, 0, 0, size, size);
  canvas.dataset.frame = frame;
  if (at("frame")) at("frame").textContent = "frame " + (frame + 1) + " of " + frames;
}

function tick(now) {
  const { frames, ms } = cases[place];
  if (playing && "frame" in canvas.dataset && frames > 1) {
    const next = Math.floor(Math.max(0, now - origin) / ms) % frames;
    if (next !== frame) {
      frame = next;
      draw();
    }
  }
  requestAnimationFrame(tick);
}

function play(on) {
  if (!at("play")) return;
  playing = on;
  origin = performance.now() - frame * cases[place].ms;
  at("play").firstChild.textContent = playing ? "Pause" : "Play";
}

function step(by) {
  if (!at("play") || !("frame" in canvas.dataset)) return;
  play(false);
  const { frames } = cases[place];
  frame = (frame + by + frames) % frames;
  draw();
}

// ---- asking

const complete = (answer) => names.every((name) => answer[name] !== undefined);

function choose(name, value) {
  answers[place][name] = value;
  active = Math.min(names.indexOf(name) + 1, names.length - 1);
  count();
  watch();
  store();
  show();
}

function open(index) {
  count();
  place = index;
  const first = names.findIndex((name) => answers[place][name] === undefined);
  active = Math.max(0, first);
  turn("case");
  load();
  watch();
  store();
}

function forward() {
  if (!complete(answers[place])) return say("Please answer all three questions first.");
  if (place + 1 < cases.length) return open(place + 1);
  const left = answers.findIndex((answer) => !complete(answer));
  if (left >= 0) return open(left);
  count();
  store();
  turn("end");
}

function backward() {
  if (!at("end").hidden) return open(cases.length - 1);
  if (place > 0) open(place - 1);
}

function turn(view) {
  for (const id of ["start", "case", "end"]) at(id).hidden = id !== view;
  scrollTo({ top: 0, behavior: "instant" });
  show();
}

function show() {
  if (!reader) return;
  const done = answers.filter(complete).length;
  at("place").textContent = "Case " + (place + 1) + " of " + cases.length;
  at("who").textContent = "reader " + reader + ", " + done + " answered";
  at("bar").firstChild.style.width = (100 * done) / cases.length + "%";
  at("bar").setAttribute("aria-valuenow", Math.round((100 * done) / cases.length));
  for (const button of document.querySelectorAll("[data-name]")) {
    const chosen = answers[place][button.dataset.name] === button.dataset.value;
    button.setAttribute("aria-pressed", chosen);
  }
  questions.forEach((one, index) => one.classList.toggle("active", index === active));
  at("back").disabled = place === 0;
  at("next").disabled = !complete(answers[place]);
}

function leave() {
  count();
  store();
  reader = "";
  store();  // the next one to open the page is asked for a code
  at("code").value = "";
  turn("start");
  at("code").focus();
}

// ---- saving

function table() {
  const rows = answers.flatMap((answer, index) => {
    if (!complete(answer)) return [];
    const seconds = answer.seconds.toFixed(1);
    return [{ ...answer, study, reader, seconds, case: index + 1 }];
  });
  const lines = rows.map((row) => content.columns.map((name) => row[name]).join(","));
  return [content.columns.join(","), ...lines, ""].join("\n");
}

function save() {
  count();
  watch();
  store();
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([table()], { type: "text/csv" }));
  link.download = "reader_study_" + study + "_" + reader + ".csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  const done = answers.filter(complete).length;
  const rest = done < cases.length ? " It holds " + done + " of " + cases.length + " cases." : "";
  say("Saved as " + link.download + "." + rest);
}

let hiding = 0;
function say(text) {
  at("said").textContent = text;
  at("said").hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => { at("said").hidden = true; }, 6000);
}

// ---- hands

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (event.detail > 0) button.blur();  // else Space would press it again
  const { name, value } = button.dataset;
  if (name) choose(name, value);
});
const pressed = {
  play: () => play(!playing),
  "back-frame": () => step(-1),
  "next-frame": () => step(1),
  next: forward,
  back: backward, again: backward,
  save, "save-all": save,
  other: leave, another: leave,
};
for (const [id, work] of Object.entries(pressed)) {
  if (at(id)) at(id).addEventListener("click", work);
}
at("form").addEventListener("submit", (event) => {
  event.preventDefault();
  at("code").blur();
  begin(at("code").value.trim());
});

function focus(by) {
  active = Math.min(Math.max(active + by, 0), names.length - 1);
  show();
}

const keys = {
  " ": () => play(!playing),
  ArrowLeft: () => step(-1),
  ArrowRight: () => step(1),
  ArrowUp: () => focus(-1),
  ArrowDown: () => focus(1),
  Enter: forward,
  Backspace: backward,
  r: () => choose("guess", "real"),
  s: () => choose("guess", "synthetic"),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !reader) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.target.closest("button, input") && (key === " " || key === "Enter")) return;
  if (at("case").hidden) {
    if (key === "Backspace") backward();
    return;
  }
  const digit = document.querySelector(
    '[data-name="' + names[active] + '"][data-value="' + CSS.escape(key) + '"]');
  if (digit && /^\d$/.test(key)) choose(names[active], key);
  else if (keys[key] && !(event.repeat && !key.startsWith("Arrow"))) keys[key]();
  else return;
  event.preventDefault();
});

// ---- begin

if (matchMedia("(prefers-reduced-motion: reduce)").matches) play(false);
requestAnimationFrame(tick);
const last = stored().last;
if (last) begin(last);
else at("code").focus();
"""
