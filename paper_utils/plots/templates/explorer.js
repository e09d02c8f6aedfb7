const grid = document.querySelector(".grid"), cells = [...grid.querySelectorAll("button")];
const detail = document.getElementById("detail"), list = document.getElementById("list");
const option = name => document.querySelector(`input[name=${name}]:checked`).value;
const narrow = matchMedia("(max-width: 54rem)");
let chosen = data.first, beside = null, kept = null, query = null, sorting = { column: null, down: true };

function made(tag, content = "", attributes = {}) {
  const element = document.createElement(tag);
  if (Array.isArray(content)) element.append(...content); else element.textContent = content;
  Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
  return element;
}
const digits = value => String(Number(value.toPrecision(3)));  // three significant ones
const percent = value => digits(100 * value) + "\u00a0%";
const signed = value => (value > 0 ? "+" : "") + digits(value);

// colours and filter of the grid
function mix(from, to, part) { return `rgb(${from.map((a, i) => Math.round(a + (to[i] - a) * part)).join()})`; }
function shade(value, largest) {  // grey at nothing, red above, blue below, logarithmic
  const part = Math.min(1, Math.log1p(Math.abs(value)) / Math.log1p(largest));
  return mix([221, 221, 221], value > 0 ? [178, 24, 43] : [33, 102, 172], part);
}
const depth = times => mix([236, 231, 242], [4, 70, 120], Math.min(1, Math.log2(1 + times) / 6));
const groups = () => Object.entries(data.groups);
const palettes = {
  group: { of: h => data.groups[h.group], legend: groups },
  map: { of: h => data.groups[h.group], legend: groups },
  chirp: { of: h => depth(h.chirp[option("view")]), legend: () => [0, 1, 4, 16, 63].map(v => [`${v} times its mean`, depth(v)]) },
  effect: { of: h => shade(h.effect[0], data.largest_effect),
    legend: () => [-0.1, 0, 0.1, 1].map(part => part * data.largest_effect).map(v => [`${digits(v)} %`, shade(v, data.largest_effect)]) },
};
const filters = {
  "all heads": () => true,
  "named by the paper": h => h.paper !== "",
  "with a significant effect": h => h.significant,
  ...Object.fromEntries(Object.keys(data.groups).map(name => [name, h => h.group === name])),
};
const shown = head => filters[document.getElementById("filter").value](head);
function paint() {
  const palette = palettes[option("colour")], thumbnails = option("colour") === "map";
  grid.classList.toggle("thumbnails", thumbnails);
  cells.forEach((cell, i) => {
    const head = data.heads[i];
    cell.style.setProperty("--fill", palette.of(head));
    cell.classList.toggle("dimmed", !shown(head));
    cell.replaceChildren();
    if (thumbnails) {
      cell.append(made("canvas", "", { "aria-hidden": "true" }));
      thumbnail(cell.firstChild, scaled(attention(i, 0, option("view"), null), option("scale")));
    }
  });
  document.getElementById("legend").replaceChildren(...palette.legend().map(([name, fill]) =>
    made("li", [made("i", "", { style: `background: ${fill}`, "aria-hidden": "true" }), name])));
  document.getElementById("found").textContent = `${data.heads.filter(shown).length} of ${data.heads.length} heads`;
  tabulate();
}

// tables
function table(caption, head, rows) {
  const element = made("table"), body = element.createTBody();
  element.createCaption().textContent = caption;
  if (head) element.createTHead().insertRow().append(...head.map(name => made("th", name, { scope: "col" })));
  rows.forEach(row => body.insertRow().append(...row.map((value, i) => i ? made("td", value) : made("th", value, { scope: "row" }))));
  return element;
}
const columns = [  // of the list: title, what is shown, what is sorted by
  ["head", h => h.name, (h, i) => i],
  ["responds to", h => h.label, null],
  ["on the chirp, times its mean", h => digits(h.chirp[option("view")]), h => h.chirp[option("view")]],
  ["ablation, %", h => signed(h.effect[0]) + (h.significant ? "*" : ""), h => h.effect[0]],
  ...data.targets.map(([name], i) => [`${name}, %`, h => signed(h.by_target[i][0]), h => h.by_target[i][0]]),
  ...data.patched.map((name, i) => [`recovered, %: ${name}`, h => digits(h.recovered[i][0]), h => h.recovered[i][0]]),
  ["in the paper", h => h.paper, null],
];
function tabulate() {
  const rows = data.heads.map((head, i) => i).filter(i => shown(data.heads[i]));
  const key = sorting.column === null ? null : columns[sorting.column][2];
  if (key) rows.sort((a, b) => (sorting.down ? 1 : -1) * (key(data.heads[b], b) - key(data.heads[a], a)));
  list.tHead.rows[0].replaceChildren(...columns.map(([title, , by], number) => {
    const sorted = sorting.column === number, cell = made("th", by ? "" : title, { scope: "col" });
    if (sorted) cell.setAttribute("aria-sort", sorting.down ? "descending" : "ascending");
    if (by) cell.append(made("button", title + (sorted ? (sorting.down ? " \u2193" : " \u2191") : ""), { type: "button", "data-column": number }));
    return cell;
  }));
  list.tBodies[0].replaceChildren(...rows.map(i => made("tr", columns.map(([, text], number) =>
    number ? made("td", text(data.heads[i])) : made("th", [made("a", text(data.heads[i]), { href: "#" + data.heads[i].name })], { scope: "row" })))));
}
list.tHead.addEventListener("click", event => {
  const column = Number(event.target.dataset.column);
  if (!event.target.dataset.column) return;
  sorting = { column, down: sorting.column === column ? !sorting.down : column > 0 };
  tabulate();
  list.tHead.querySelector(`[data-column="${column}"]`).focus();
});

// one head: its maps, effects and scores
function inWords([value, low, high]) { return `${signed(value)} (${signed(low)} to ${signed(high)})`; }
function described(index) {
  const head = data.heads[index], view = option("view");
  const about = [made("p", head.paper ? `The paper says of ${head.name}: ${head.paper}.` : "The paper does not name this head.")];
  const effects = table(
    `Increase of the loss with its query, key and value weights zeroed, % (95 % interval over ${data.effect_images.toLocaleString("en")} images)`, null,
    [["all targets", inWords(head.effect) + (head.significant ? ", significant" : ", not significant") + " (FDR 5 %)"],
      ...data.targets.map(([name], i) => [name, inWords(head.by_target[i])])]);
  const recovered = table(`Recovered by its output alone, % (${data.patched_images} images)`, null,
    data.patched.map((name, i) => [`patched: ${name}`, `${digits(head.recovered[i][0])} ${head.recovered[i][1]}`]));
  const predicted = table(`Labelled; predicted by the intact model \u2192 without ${head.name}`, ["image", ...data.targets.map(([name, unit]) => `${name} (${unit})`)],
    data.captions.map((_, i) => [String(i + 1), ...data.targets.map((_, t) => `${data.labels[i][t].toFixed(1)}; ${data.intact[i][t].toFixed(1)} \u2192 ${head.ablated[i][t].toFixed(1)}`)]));
  const scores = table(`Regions it attends to most${view === "cls" ? ", from CLS" : ""} (95 % interval over ${data.mapped_images} images)`, ["region", ...data.score_names], head.scores[view]);
  const driven = head.driven.length ? table("Counterfactual control: the region moved or removed", ["region", "image compared with", "excess attention that stays", "the head is"], head.driven)
    : made("p", "It responds to no region, so no control applies.");
  return [...about, effects, recovered, predicted, scores, driven];
}
const KEPT = "Kept: choose another head";
let canvases = [];  // of the heads that are shown: canvas, caption, head, image
function mapsOf(index) {
  return made("div", data.captions.map((caption, image) => {
    const canvas = made("canvas", "", { role: "img", tabindex: queries[image] ? 0 : -1, "data-image": image }), text = made("figcaption");
    canvases.push({ canvas, text, head: index, image });
    return made("figure", [canvas, text]);
  }), { class: "maps" });
}
function draw() {
  const view = option("view"), scale = option("scale");
  canvases.forEach(({ canvas, text, head, image }) => {
    const at = queries[image] ? query : null, found = attention(head, image, view, at);
    overlay(canvas, image, scaled(found, scale), at);
    const from = at === null ? (view === "cls" ? "the CLS token" : "all patches") : `patch ${at % side + 1} of row ${Math.floor(at / side) + 1}`;
    text.textContent = `${image + 1}: ${data.captions[image]}. Of ${from}: ${percent(Math.min(...found))} to ${percent(Math.max(...found))} a patch`;
    canvas.setAttribute("aria-label", `Attention of ${data.heads[head].name} over image ${image + 1}, ${data.captions[image]}`);
  });
  const ends = scale === "raw" ? ["\u00bc of an even share", "64 times"] : ["least in its map", "most in its map"];
  document.getElementById("scale").replaceChildren(ends[0], made("i", "", { style: `background: linear-gradient(90deg, ${[0, .25, .5, .75, 1].map(p => `rgb(${colour(p)})`).join()})`, "aria-hidden": "true" }), ends[1]);
}
function show(index, { focus = false, scroll = false, other = kept ?? beside, link = true } = {}) {
  chosen = index; beside = other === index ? null : other; canvases = [];
  if (beside !== null) kept = null;
  cells.forEach((cell, i) => { cell.tabIndex = i === index ? 0 : -1; cell.setAttribute("aria-selected", i === index); cell.classList.toggle("beside", i === beside); });
  if (focus) cells[index].focus({ preventScroll: scroll && narrow.matches });
  const panel = (i, title, action) => made("article", [made("h2", `${data.heads[i].name}: ${data.heads[i].label}`), made("p", [made("button", title, { type: "button", "data-action": action })]), mapsOf(i), ...described(i)]);
  detail.replaceChildren(...(beside === null ? [panel(index, kept === index ? KEPT : "Keep it here beside the next", "keep")] : [panel(beside, "Take away", "drop"), panel(index, "Take away", "drop")]));
  detail.classList.toggle("two", beside !== null);
  document.getElementById("said").textContent = `${data.heads[index].name}: ${data.heads[index].label}`;
  draw();
  if (link) history.replaceState(null, "", "#" + [...(beside === null ? [] : [beside]), index].map(i => data.heads[i].name).join("+"));
  const { top, bottom } = detail.getBoundingClientRect();
  if (scroll && (narrow.matches || bottom < 0 || top > innerHeight)) detail.scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}
detail.addEventListener("click", event => {
  const action = event.target.dataset.action;
  if (action === "keep") { kept = kept === chosen ? null : chosen; show(chosen); detail.querySelector("button").focus(); }
  if (action === "drop") { show(event.target.closest("article") === detail.firstChild ? chosen : beside, { other: null }); detail.querySelector("button").focus(); }
});

// a query patch: pointed at, tapped, or by arrow keys on a map
function ask(patch) { if (patch !== query) { query = patch; draw(); } }
function pointed(event) {
  const canvas = event.target.closest("canvas[tabindex='0']");
  if (!canvas) return null;
  const box = canvas.getBoundingClientRect(), at = (value, size) => Math.min(side - 1, Math.max(0, Math.floor(value / size * side)));
  return at(event.clientY - box.top, box.height) * side + at(event.clientX - box.left, box.width);
}
detail.addEventListener("pointermove", event => { if (event.pointerType !== "touch") ask(pointed(event)); });
detail.addEventListener("click", event => ask(pointed(event)));  // a tap, not the beginning of scrolling
detail.addEventListener("pointerleave", event => { if (event.pointerType === "mouse") ask(null); });
detail.addEventListener("keydown", event => {
  if (!event.target.matches("canvas[tabindex='0']") || event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === "Escape") return ask(null);
  const start = query ?? Math.floor(side / 2) * (side + 1), row = Math.floor(start / side), column = start % side;
  const next = { ArrowRight: [row, column + 1], ArrowLeft: [row, column - 1], ArrowDown: [row + 1, column], ArrowUp: [row - 1, column] }[event.key];
  if (!next) return;
  event.preventDefault();
  ask(query === null ? start : Math.min(side - 1, Math.max(0, next[0])) * side + Math.min(side - 1, Math.max(0, next[1])));
  document.getElementById("said").textContent = canvases.find(one => one.canvas === event.target).text.textContent;
});

grid.addEventListener("click", event => {
  const index = cells.indexOf(event.target.closest("button"));
  if (index >= 0) show(index, { focus: true, scroll: true });
});
grid.addEventListener("keydown", event => {
  const focused = cells.indexOf(document.activeElement), column = focused % heads;
  const step = { ArrowRight: column < heads - 1 ? 1 : 0, ArrowLeft: column ? -1 : 0, ArrowDown: heads, ArrowUp: -heads,
    Home: -column, End: heads - 1 - column }[event.key];
  if (focused < 0 || step === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const next = focused + step;
  if (next >= 0 && next < layers * heads) show(next, { focus: true });
});
document.querySelector("form").addEventListener("change", () => { paint(); show(chosen); });
list.tBodies[0].addEventListener("click", event => {
  const index = data.heads.findIndex(head => head.name === event.target.closest("a")?.textContent);
  if (index < 0) return;
  event.preventDefault();
  show(index, { scroll: true });
});
function linked(otherwise) {  // #L1H5, or #L1H5+L6H4 for two, from left to right
  const [first, second] = location.hash.slice(1).split("+").map(name => data.heads.findIndex(head => head.name === name));
  if (second >= 0 && first >= 0) show(second, { other: first, scroll: true });
  else show(first >= 0 ? first : otherwise, { other: null, scroll: first >= 0, link: first >= 0 });
}
addEventListener("hashchange", () => linked(chosen));
document.getElementById("filter").append(...Object.keys(filters).map(name => made("option", name)));
Promise.all(data.images.map(loaded)).then(all => {
  images = all;
  paint();
  linked(data.first);
  return Promise.all(data.queries.map(unpack)).then(unpacked => { queries = unpacked; },
    error => { document.getElementById("pointing").textContent = `This browser cannot show how single patches attend: ${error.message}`; });
}).then(() => { show(chosen, { link: location.hash.length > 1 }); document.body.dataset.ready = "yes"; });
