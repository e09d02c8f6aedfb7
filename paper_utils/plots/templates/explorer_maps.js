"use strict";
// What the page holds, unpacked, and how a map is drawn. explorer.js follows in the same script.
const data = JSON.parse(document.getElementById("data").textContent);
const [layers, heads, count, side] = data.shape, patches = side * side;
const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));
const floats = text => new Float32Array(bytes(text).buffer);
const maps = Object.fromEntries(Object.entries(data.maps).map(([view, map]) => [view, { values: bytes(map.values), ends: floats(map.ends) }]));
const inferno = bytes(data.colours);
let images = [], queries = [];

async function unpack(packed) {
  const stream = new Blob([bytes(packed.values)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return { values: new Uint8Array(await new Response(stream).arrayBuffer()), largest: floats(packed.largest), levels: packed.levels };
}
const loaded = source => new Promise((done, failed) => {
  const image = new Image();
  image.onload = () => done(image); image.onerror = failed; image.src = source;
});

// attention on every patch of an image: of the view, or of one query patch where that is known
function attention(head, image, view, query) {
  const found = new Float32Array(patches);
  if (query !== null && queries[image]) {
    const { values, largest, levels } = queries[image], row = head * patches + query;
    for (let i = 0; i < patches; i++) found[i] = largest[row] * (values[row * patches + i] / levels) ** 2;
    return found;
  }
  const { values, ends } = maps[view], map = head * count + image, least = ends[2 * map], most = ends[2 * map + 1];
  for (let i = 0; i < patches; i++) found[i] = least + values[map * patches + i] / 255 * (most - least);
  return found;
}
// 0 to 1: within the map, or of attention over an even share, from a quarter to 64 times, by doublings
function scaled(found, scale) {
  if (scale === "raw") return found.map(value => Math.min(1, Math.max(0, (Math.log2(Math.max(value * patches, 1e-9)) + 2) / 8)));
  const least = Math.min(...found), most = Math.max(...found);
  return found.map(value => most > least ? (value - least) / (most - least) : 0);
}
function colour(part) {
  const index = 3 * Math.round(255 * part);
  return inferno.subarray(index, index + 3).join();
}
function overlay(canvas, image, parts, query) {
  const size = images[image].width, patch = size / side, context = canvas.getContext("2d");
  canvas.width = canvas.height = size;
  context.drawImage(images[image], 0, 0);
  parts.forEach((part, i) => {
    context.fillStyle = `rgba(${colour(part)},${0.75 * (1 + 2 * part) / 3})`;
    context.fillRect(i % side * patch, Math.floor(i / side) * patch, patch, patch);
  });
  if (query === null) return;
  for (const [width, ink] of [[4, "#000"], [2, "#fff"]]) {
    context.lineWidth = width; context.strokeStyle = ink;
    context.strokeRect(query % side * patch, Math.floor(query / side) * patch, patch, patch);
  }
}
function thumbnail(canvas, parts) {
  const context = canvas.getContext("2d"), pixels = new ImageData(side, side);
  canvas.width = canvas.height = side;
  parts.forEach((part, i) => pixels.data.set([...inferno.subarray(3 * Math.round(255 * part)).slice(0, 3), 255], 4 * i));
  context.putImageData(pixels, 0, 0);
}
