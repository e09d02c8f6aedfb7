"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const cells = [...document.querySelectorAll(".grid button")];
const detail = document.getElementById("detail");
const option = name => document.querySelector(`input[name=${name}]:checked`).value;
const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));
const maps = Object.fromEntries(Object.entries(data.maps).map(([view, text]) => [view, bytes(text)]));
const inferno = bytes(data.colours), [layers, heads, count, side] = data.shape;
let chosen = 0, images = [];

function digits(value) { return String(Number(value.toPrecision(3))); }  // three significant ones
function mix(from, to, part) { return `rgb(${from.map((a, i) => Math.round(a + (to[i] - a) * part)).join()})`; }
function shade(value, largest) {  // grey at nothing, red above, blue below, logarithmic
  const part = Math.min(1, Math.log1p(Math.abs(value)) / Math.log1p(largest));
  return mix([221, 221, 221], value > 0 ? [178, 24, 43] : [33, 102, 172], part);
}
const palettes = {
  group: { of: h => data.groups[h.group], legend: () => Object.entries(data.groups) },
  chirp: { of: h => mix([236, 231, 242], [4, 70, 120], Math.min(1, Math.log2(1 + h.chirp) / 6)),
    legend: () => [0, 1, 4, 16, 63].map(v => [`${v} times its mean`, palettes.chirp.of({ chirp: v })]) },
  effect: { of: h => shade(h.effect[0], data.largest_effect),
    legend: () => [-1, 0, 1, data.largest_effect].map(v => [`${digits(v)} %`, shade(v, data.largest_effect)]) },
};
function paint() {
  const palette = palettes[option("colour")];
  cells.forEach((cell, i) => { cell.style.background = palette.of(data.heads[i]); });
  const legend = document.getElementById("legend");
  legend.replaceChildren(...palette.legend().map(([name, colour]) => {
    const item = document.createElement("li"), patch = document.createElement("i");
    patch.style.background = colour; patch.setAttribute("aria-hidden", "true");
    item.append(patch, name);
    return item;
  }));
}
function table(caption, head, rows) {
  const element = document.createElement("table");
  element.createCaption().textContent = caption;
  const line = (parent, values, tag) => {
    const row = parent.insertRow();
    values.forEach((value, i) => {
      const cell = document.createElement(tag || i === 0 ? "th" : "td");
      if (tag || i === 0) cell.scope = tag ? "col" : "row";
      cell.textContent = value; row.append(cell);
    });
  };
  if (head) line(element.createTHead(), head, true);
  const body = element.createTBody();
  rows.forEach(row => line(body, row));
  return element;
}
function overlay(canvas, index, map) {
  const size = images[index].width, patch = size / side, context = canvas.getContext("2d");
  canvas.width = canvas.height = size;
  context.drawImage(images[index], 0, 0);
  for (let i = 0; i < side * side; i++) {
    const value = map[i], colour = inferno.subarray(3 * value, 3 * value + 3);
    context.fillStyle = `rgba(${colour.join()},${0.75 * (1 + 2 * value / 255) / 3})`;
    context.fillRect(i % side * patch, Math.floor(i / side) * patch, patch, patch);
  }
}
function show(index, focus) {
  chosen = index;
  cells.forEach((cell, i) => { cell.tabIndex = i === index ? 0 : -1; cell.setAttribute("aria-selected", i === index); });
  if (focus) cells[index].focus();
  const head = data.heads[index], view = option("view"), title = document.createElement("h2"), row = document.createElement("div");
  title.textContent = `${head.name}: ${head.label}`;
  row.className = "maps";
  images.forEach((_, number) => {
    const figure = document.createElement("figure"), canvas = document.createElement("canvas"), text = document.createElement("figcaption");
    const start = (index * count + number) * side * side;
    overlay(canvas, number, maps[view].subarray(start, start + side * side));
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `Attention of ${head.name} over image ${number + 1}, ${data.captions[number]}`);
    text.textContent = data.captions[number];
    figure.append(canvas, text); row.append(figure);
  });
  const [effect, low, high] = head.effect;
  const about = document.createElement("p");
  about.textContent = `With its query, key and value weights zeroed, the loss changes by ${digits(effect)} % (95 % interval over images: ${digits(low)} to ${digits(high)}), `
    + (head.significant ? "significant" : "not significant") + " at a false discovery rate of 5 % over all heads.";
  const scores = table("Regions it attends to most" + (view === "cls" ? ", from CLS" : "") + " (in brackets: 95 % intervals over images)", ["region", ...data.score_names], head.scores[view]);
  const driven = head.driven.length ? table("Counterfactual control: the region moved or removed", ["region", "image compared with", "excess attention that stays", "the head is"], head.driven)
    : Object.assign(document.createElement("p"), { textContent: "It responds to no region, so no control applies." });
  detail.replaceChildren(title, about, row, scores, driven);
  history.replaceState(null, "", "#" + head.name);
}
document.querySelector(".grid").addEventListener("click", event => {
  const index = cells.indexOf(event.target.closest("button"));
  if (index >= 0) show(index, true);
});
document.querySelector(".grid").addEventListener("keydown", event => {
  const focused = cells.indexOf(document.activeElement), column = focused % heads;
  const step = { ArrowRight: column < heads - 1 ? 1 : 0, ArrowLeft: column ? -1 : 0, ArrowDown: heads, ArrowUp: -heads,
    Home: -column, End: heads - 1 - column }[event.key];
  if (focused < 0 || step === undefined) return;
  event.preventDefault();
  const next = focused + step;
  if (next >= 0 && next < layers * heads) show(next, true);
});
document.querySelector("form").addEventListener("change", () => { paint(); show(chosen); });
Promise.all(data.images.map(source => new Promise((done, failed) => {
  const image = new Image();
  image.onload = () => done(image); image.onerror = failed; image.src = source;
}))).then(loaded => {
  images = loaded;
  paint();
  const named = data.heads.findIndex(head => "#" + head.name === location.hash);
  show(named < 0 ? data.first : named);
});
