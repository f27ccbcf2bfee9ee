// Labelling by keys. What is decided is kept in this browser, an entry an item, so that neither a closed tab nor a
// second one loses it; nothing else leaves the page but the file that a person saves.
"use strict";
const at = (id) => document.getElementById(id);
const sheet = JSON.parse(at("sheet").textContent);
const items = sheet.items;
const names = new Map(sheet.codes);
const WORDS = { NONE: "none of these", SKIP: "skipped", WITHDRAW: "decision taken back" };
const MOST_FOUND = 50;
const BREAK_SECONDS = 120;

const kept = keeper(`labelmill review ${sheet.run} `);
const answers = items.map((item) => known(item, kept.read(item.id)));
let now = 0;
let shownAt = 0;
let unsaved = 0;
let found = [];
let active = 0;

// --- what is kept

function keeper(prefix) {
  const warn = () => {
    at("warning").textContent = "This browser keeps nothing for this page: save the file before you close it.";
    at("warning").hidden = false;
    addEventListener("beforeunload", (event) => unsaved && event.preventDefault());
  };
  let works = true;
  const safely = (action) => {
    try {
      return action();
    } catch {
      if (works) warn();
      works = false;
      return null;
    }
  };
  return {
    read: (id) => safely(() => localStorage.getItem(prefix + id)),
    write: (id, answer) => safely(() => localStorage.setItem(prefix + id, JSON.stringify(answer))),
    idOf: (key) => (key?.startsWith(prefix) ? key.slice(prefix.length) : null),
  };
}

// An answer: `code` (a code or a word, null as long as there is none), `why`, `seconds`, and `order` among answers.
function known(item, text) {
  const empty = { code: null, why: "", seconds: 0, order: 0 };
  if (!text) return empty;
  try {
    const answer = { ...empty, ...JSON.parse(text) };
    return names.has(answer.code) || answer.code in WORDS ? answer : { ...empty, why: String(answer.why) };
  } catch {
    return empty;
  }
}

function answer(number, changes) {
  Object.assign(answers[number], changes);
  kept.write(items[number].id, answers[number]);
  unsaved += 1;
}

// --- deciding

function decide(code) {
  const seconds = (performance.now() - shownAt) / 1000;
  const order = 1 + answers.reduce((most, each) => Math.max(most, each.order), 0);
  answer(now, { code, seconds, order });
  say(`${meaning(code)}: ${items[now].title}`);
  const next = [...answers.keys()].map((step) => (now + 1 + step) % items.length).find((number) => answers[number].code === null);
  if (next === undefined) finish();
  else show(next);
}

function undo() {
  const last = answers.reduce((best, each, number) => (each.code !== null && each.order > (answers[best]?.order ?? 0) ? number : best), -1);
  if (last < 0) return;
  say(`Taken back: ${meaning(answers[last].code)}: ${items[last].title}`);
  answer(last, { code: null, seconds: 0, order: 0 });
  show(last);
}

function meaning(code) {
  return names.has(code) ? `${code} ${names.get(code)}` : WORDS[code];
}

function say(text) {
  at("last").textContent = text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

// --- showing

function show(number) {
  now = number;
  const item = items[now];
  at("work").hidden = false;
  at("end").hidden = true;
  at("place").textContent = `Item ${now + 1} of ${items.length}`;
  at("id").textContent = item.id;
  at("title").textContent = item.title;
  at("title").classList.toggle("long", item.title.length > 150);
  at("title").scrollTop = 0;
  at("facts").replaceChildren(...apart(item.facts.map((fact) => element("bdi", fact)), " · "));
  const many = item.same_text > 1 ? `${item.same_text} items here have this text. ` : "";
  const family = item.stands_for > 1 ? `Decides on ${item.stands_for} items` + (item.variants ? ` that differ in ${item.variants}. ` : ". ") : "";
  at("reason").textContent = family + (family ? "" : many) + (item.reason ?? "");
  at("offered").replaceChildren(...item.offered.map(([code, why], place) => offered(code, why, String(place + 1))));
  // A page of which no item has any, such as a blind sample's, has no place for them.
  at("alike")?.replaceChildren(...item.alike.map(alike));
  if (at("no-alike")) at("no-alike").textContent = item.alike.length ? "" : "None are known for this item.";
  at("skip").lastElementChild.textContent = item.waits ? "Skip" : "Leave as it is";
  at("withdraw").hidden = !item.decided;
  at("why").value = answers[now].why;
  at("back").disabled = now === 0;
  at("on").disabled = now === items.length - 1;
  shut();
  at("search").value = "";
  mark();
  count();
  shownAt = performance.now();
}

function mark() {
  const { code } = answers[now];
  for (const button of at("offered").querySelectorAll("button")) button.setAttribute("aria-pressed", button.dataset.code === code);
  for (const [id, word] of [["none", "NONE"], ["skip", "SKIP"], ["withdraw", "WITHDRAW"]]) at(id).setAttribute("aria-pressed", code === word);
  const shown = items[now].offered.some(([each]) => each === code);
  at("search").placeholder = names.has(code) && !shown ? `decided: ${meaning(code)}` : "code or words";
}

function count() {
  const decided = answers.filter((each) => each.code !== null);
  const times = decided.map((each) => each.seconds).filter((each) => each > 0 && each < BREAK_SECONDS).sort((a, b) => a - b);
  const left = items.length - decided.length;
  const middle = times[times.length >> 1];
  const pace = times.length ? [`${middle.toFixed(1)} s an item`] : [];
  if (times.length && left) pace.push(`about ${Math.max(1, Math.round((left * middle) / 60))} min to go`);
  at("progress").value = decided.length;
  at("counts").textContent = [`${decided.length} of ${items.length} done`, ...pace].join(" · ");
  at("undo").disabled = !decided.length;
}

function finish() {
  count();
  at("work").hidden = true;
  at("end").hidden = false;
  at("save").focus();
}

function offered(code, why, key) {
  const button = element("button", element("kbd", key), element("b", element("bdi", code)), element("bdi", names.get(code)), element("small", why));
  button.children[2].className = "named";
  button.title = names.get(code);
  button.type = "button";
  button.dataset.code = code;
  button.setAttribute("aria-keyshortcuts", key);
  button.addEventListener("click", () => decide(code));
  return element("li", button);
}

function alike([title, code, similarity]) {
  const text = element("bdi", title);
  text.className = "text";
  const called = names.has(code) ? ` ${names.get(code)}` : "";
  return element("li", text, element("small", element("b", element("bdi", code)), `${called} · ${Math.round(100 * similarity)} % alike`));
}

function element(name, ...children) {
  const made = document.createElement(name);
  made.append(...children);
  return made;
}

function apart(nodes, between) {
  return nodes.flatMap((node, place) => (place ? [between, node] : [node]));
}

// --- any code

const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
const searched = sheet.codes.map(([code, name]) => [code, plain(`${code} ${name}`)]);

function lookUp() {
  const words = plain(at("search").value).split(/\s+/).filter(Boolean);
  const all = searched.filter(([, text]) => words.every((word) => text.includes(word))).map(([code]) => code);
  // A code that begins as what is written comes first: 1 before 10, and before a description with a 1 in it.
  const rank = (code) => (plain(code) === words[0] ? 0 : plain(code).startsWith(words[0] ?? "") ? 1 : 2);
  all.sort((a, b) => rank(a) - rank(b));
  found = all.slice(0, MOST_FOUND);
  active = 0;
  const options = found.map((code, place) => {
    const option = element("li", element("b", element("bdi", code)), " ", element("bdi", names.get(code)));
    option.id = `found-${place}`;
    option.setAttribute("role", "option");
    option.addEventListener("pointerdown", (event) => event.preventDefault());
    option.addEventListener("click", () => pick(place));
    return option;
  });
  if (all.length !== found.length || !all.length) {
    const more = element("li", all.length ? `and ${all.length - found.length} more: write more of it` : "no code in force has these words");
    more.className = "more";
    more.setAttribute("role", "option");
    more.setAttribute("aria-disabled", "true");
    options.push(more);
  }
  at("found").replaceChildren(...options);
  at("found").hidden = false;
  at("search").setAttribute("aria-expanded", "true");
  activate(0);
}

function activate(place) {
  if (!found.length) return at("search").removeAttribute("aria-activedescendant");
  active = (place + found.length) % found.length;
  for (const option of at("found").children) option.setAttribute("aria-selected", option.id === `found-${active}`);
  at("search").setAttribute("aria-activedescendant", `found-${active}`);
  at(`found-${active}`).scrollIntoView({ block: "nearest" });
}

function pick(place) {
  if (found[place] === undefined) return;
  const code = found[place];
  at("item").focus();
  decide(code);
}

function shut() {
  found = [];
  at("found").hidden = true;
  at("found").replaceChildren();
  at("search").setAttribute("aria-expanded", "false");
  at("search").removeAttribute("aria-activedescendant");
}

at("search").addEventListener("input", lookUp);
at("search").addEventListener("focus", lookUp);
at("search").addEventListener("blur", shut);
at("search").addEventListener("keydown", (event) => {
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  if (event.key in steps) activate(active + steps[event.key]);
  else if (event.key === "Enter") pick(active);
  else if (event.key === "Escape") at("item").focus();
  else return;
  event.preventDefault();
});

// --- the comment

at("why").addEventListener("input", () => answer(now, { why: printable(at("why").value) }));
at("why").addEventListener("keydown", (event) => {
  if (event.key === "Enter" || event.key === "Escape") at("item").focus();
});

// What the import takes: on one line, and nothing in it that cannot be seen.
function printable(text) {
  return text.replace(/[\p{Z}\p{Cc}]+/gu, " ").replace(/\p{C}/gu, "").trim();
}

// --- the file

function save() {
  const rows = items.map((item, number) => {
    const { code, why } = answers[number];
    // An item that waits for nobody cannot be skipped: left as it is, it has no answer in the file.
    const said = code === "SKIP" && !item.waits ? "" : code ?? "";
    return [sheet.run, item.id, item.title, item.family ?? "", said, why];
  });
  const lines = [["run", "item_id", "title", "family", "code", "why"], ...rows].map((row) => row.map(cell).join(",") + "\r\n");
  const link = element("a");
  link.href = URL.createObjectURL(new Blob(["\ufeff", ...lines], { type: "text/csv" }));
  link.download = sheet.file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  unsaved = 0;
  const decided = answers.filter((each) => each.code !== null).length;
  say(`Saved: ${decided} of ${items.length} items decided.`);
}

// As processing/labels/csv_guard.py does it; the import undoes it.
function cell(text) {
  const guarded = text.replace(new RegExp(sheet.formula, "g"), "$1'$2");
  return /[",\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}

function printOut() {
  const rows = items.map((item, number) => {
    const { code, why } = answers[number];
    const cells = [item.title, item.offered.map(([each]) => each).join(", "), code === null ? "" : meaning(code), why];
    return element("tr", ...cells.map((text) => element("td", element("bdi", text))));
  });
  at("printed").tBodies[0].replaceChildren(...rows);
}

// --- keys and clicks

const does = {
  none: () => decide("NONE"),
  skip: () => decide("SKIP"),
  withdraw: () => items[now].decided && decide("WITHDRAW"),
  undo,
  back: () => show(Math.max(0, now - 1)),
  on: () => show(Math.min(items.length - 1, now + 1)),
  save,
};
for (const [id, action] of Object.entries(does)) at(id).addEventListener("click", action);

const keys = {
  n: does.none, s: does.skip, x: does.withdraw, u: undo, ArrowLeft: does.back, ArrowRight: does.on,
  "/": () => at("search").focus(),
  w: () => at("why").focus(),
};
const whileEnded = new Set(["u", "ArrowLeft", "ArrowRight"]);

addEventListener("keydown", (event) => {
  if (event.target.matches("input")) return;
  const undoing = (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "z";
  if (event.repeat || (!undoing && (event.ctrlKey || event.metaKey || event.altKey))) return;
  const key = undoing ? "u" : event.key.length === 1 ? event.key.toLowerCase() : event.key;
  // The key's place counts for digits: a French keyboard has them under shift.
  const digit = key in keys ? null : /^[1-5]$/.exec(key)?.[0] ?? /^(?:Digit|Numpad)([1-5])$/.exec(event.code)?.[1];
  const action = digit ? () => items[now].offered[digit - 1] && decide(items[now].offered[digit - 1][0]) : keys[key];
  if (!action || (at("work").hidden && !whileEnded.has(key))) return;
  event.preventDefault();
  action();
});

// Another tab with this page has decided: take it over.
addEventListener("storage", (event) => {
  const number = items.findIndex((item) => item.id === kept.idOf(event.key));
  if (number < 0) return;
  answers[number] = known(items[number], event.newValue);
  count();
  if (number === now) mark();
});
document.addEventListener("visibilitychange", () => {
  shownAt = performance.now();
});
addEventListener("beforeprint", printOut);

const first = answers.findIndex((each) => each.code === null);
if (first < 0) {
  now = items.length - 1;
  finish();
} else {
  show(first);
  at("item").focus();
}
