// Matches of a section, or between two: each pair of tiles in the colour of its residual; a chosen pair point by point.

import { drawLegend, residualColour } from "./colours.js";
import { collectionsOf } from "./lineage.js";
import { sideBySide } from "./pair_picture.js";
import { SectionView } from "./section_view.js";
import {
  Stack, byId, counted, element, fill, json, ownerUrl, pageUrl, parameters, setHeading, shortNumber,
} from "./service.js";
import { SectionChoice, drawMissing, extentOf, outlinesOf, showBar } from "./workplace.js";

const owner = parameters.get("owner") ?? "";
const project = parameters.get("project") ?? "";
const name = parameters.get("stack") ?? "";
const stack = new Stack(owner, project, name);

const LISTED_PAIRS = 200;
const PICKING_PIXELS = 12;
const MOST_OFFERED_TILES = 500;
const MANY_MATCHES = 100;
const UNMATCHED = "rgb(255 60 40 / 30%)";

const view = new SectionView(byId("view"), {
  move: () => showBar(byId("scale"), view, state.nanometres),
  hover: (place) => {
    state.pointer = place;
    showReadout();
  },
  pick: (place) => choose(pairAt(place), false),
  status: (text) => {
    state.status = text;
    showReadout();
  },
});

const state = {
  section: null, outlines: null, otherOutlines: null, pairs: null, order: [], chosen: -1, pair: null, pointer: null,
  status: "", problem: "", nanometres: null, missing: [], unmatched: [], asked: "", serial: 0,
};

function showReadout() {
  const parts = [];
  if (state.pointer) {
    parts.push(`x ${state.pointer[0].toFixed(0)}  y ${state.pointer[1].toFixed(0)}`);
    const pair = pairAt(state.pointer);
    if (pair >= 0) parts.push(describe(pair));
  }
  parts.push(...[state.problem, state.status].filter(Boolean));
  byId("readout").textContent = parts.join("   ");
  byId("readout").hidden = !parts.length;
}

function describe(pair) {
  const { tileIds, p, q, count, mean, greatest } = state.pairs;
  return `${tileIds[p[pair]]} - ${tileIds[q[pair]]}: ${count[pair]} matches, mean ${mean[pair]} px, worst ${greatest[pair]} px`;
}

function limit() {
  return Math.max(Number(byId("limit").value) || 5, 1e-3);
}

/** The pair whose middle is nearest to a place, if it is near; -1 otherwise. */
function pairAt([x, y]) {
  if (!state.pairs) {
    return -1;
  }
  let best = -1;
  let least = PICKING_PIXELS / view.scale;
  state.pairs.x.forEach((pairX, pair) => {
    const distance = Math.hypot(pairX - x, state.pairs.y[pair] - y);
    if (distance < least) [best, least] = [pair, distance];
  });
  return best;
}

function query(more = {}) {
  const chosen = { otherZ: byId("other").value, numLocalTransforms: byId("frame").value, ...more };
  return new URLSearchParams(Object.entries(chosen).filter(([, value]) => value !== "")).toString();
}

async function showSection(z) {
  Object.assign(state, {
    outlines: null, pairs: null, order: [], chosen: -1, pair: null, missing: [], unmatched: [], problem: "",
  });
  byId("pair").replaceChildren();
  byId("pairs").replaceChildren();
  offerOthers(z);
  try {
    const bounds = await extentOf(stack, z);
    if (z !== state.section.z) {
      return;
    }
    view.show((box, scale) => stack.picture(z, box, scale, {}), bounds, bounds.tileCount);
    view.fit(bounds);
    const outlines = await outlinesOf(stack, z);
    if (z !== state.section.z) {
      return;
    }
    state.outlines = outlines;
  } catch (error) {
    state.problem = error.message;
    showReadout();
    return;
  }
  byId("tiles").replaceChildren(
    ...state.outlines.tileIds.slice(0, MOST_OFFERED_TILES).map((value) => element("option", { value })),
  );
  view.draw();
  await Promise.all([showPairs(), findMissing(z)]);
}

async function findMissing(z) {
  const { outlines } = state;
  const { missing } = await json(stack.section(z, "missing-images"));
  if (outlines === state.outlines) {
    state.missing = missing;
    view.draw();
  }
}

function offerOthers(z) {
  const { zValues, index } = state.section;
  const chosen = byId("other").value;
  const near = zValues.slice(Math.max(0, index - 5), index + 6).filter((value) => value !== z);
  byId("other").replaceChildren(
    element("option", { value: "" }, "the section itself"),
    ...near.map((value) => element("option", { value, selected: String(value) === chosen }, `z ${value}`)),
  );
}

async function showPairs() {
  const collection = byId("collection").value;
  const z = state.section.z;
  state.chosen = -1;
  state.pair = null;
  byId("pair").replaceChildren();
  rememberPlace();
  const asked = `${stack.section(z, "matches", collection)}?${query()}`;
  state.asked = asked;
  let pairs;
  try {
    pairs = await json(asked);
  } catch (error) {
    state.pairs = null;
    byId("summary").replaceChildren(element("p", { class: "message error" }, error.message));
    byId("pairs").replaceChildren();
    view.draw();
    return;
  }
  if (asked !== state.asked) {
    return;
  }
  state.pairs = pairs;
  const { mean } = pairs;
  pairs.serial = state.serial += 1;
  state.unmatched = byId("other").value ? [] : unmatchedTiles();
  state.order = mean.map((_, pair) => pair).sort((a, b) => mean[b] - mean[a]);
  showSummary();
  listPairs();
  view.draw();
  document.body.dataset.pairs = String(mean.length);
}

/** Tiles of the section that nothing but the stage has placed. */
function unmatchedTiles() {
  const matched = new Set(state.pairs.tileIds);
  const tileIds = state.outlines?.tileIds ?? [];
  return matched.size ? [...tileIds.keys()].filter((tile) => !matched.has(tileIds[tile])) : [];
}

function showSummary() {
  const { count, mean, greatest, unplaced } = state.pairs;
  byId("legend-end").textContent = `${limit()} px, red beyond`;
  if (!count.length) {
    const where = byId("other").value ? `between z ${state.section.z} and z ${byId("other").value}` : "in this section";
    byId("summary").replaceChildren(element("p", { class: "message" }, `No matches ${where} in this collection.`));
    return;
  }
  const matches = count.reduce((sum, one) => sum + one, 0);
  const average = mean.reduce((sum, one, pair) => sum + one * count[pair], 0) / matches;
  const bad = mean.filter((one) => one > limit()).length;
  const facts = element("dl", { class: "facts" });
  for (const [term, value] of [
    ["pairs", shortNumber(count.length)],
    ["matches", shortNumber(matches)],
    ["mean", `${average.toFixed(2)} px`],
    ["worst", `${Math.max(...greatest).toFixed(2)} px`],
    [`above ${limit()} px`, counted(bad, "pair")],
    ...(state.unmatched.length ? [["without matches", `${counted(state.unmatched.length, "tile")}, in red`]] : []),
    ...(unplaced ? [["of absent tiles", counted(unplaced, "pair")]] : []),
  ]) {
    facts.append(element("dt", {}, term), element("dd", {}, value));
  }
  byId("summary").replaceChildren(facts);
}

/** Length of what all ids begin with, up to the last mark that is neither letter nor figure. */
function commonPrefixLength(ids) {
  let length = ids.length > 1 ? ids[0].length : 0;
  for (const id of ids) {
    while (!id.startsWith(ids[0].slice(0, length))) length -= 1;
  }
  return (ids[0] ?? "").slice(0, length).search(/[^_.-]*$/);
}

function listPairs() {
  const { tileIds, p, q, count, mean, greatest } = state.pairs;
  const prefix = commonPrefixLength(tileIds);
  const rows = state.order.slice(0, LISTED_PAIRS).map((pair) => {
    const swatch = element("span", { class: "swatch", "aria-hidden": "true" });
    swatch.style.background = residualColour(mean[pair], limit());
    const [first, second] = [tileIds[p[pair]], tileIds[q[pair]]];
    const button = element(
      "button",
      { type: "button", title: `${first} and ${second}`, "aria-label": `${first} and ${second}` },
      swatch,
      ` ${first.slice(prefix)}`,
      element("br"),
      second.slice(prefix),
    );
    return element(
      "tr",
      { class: "pair", "data-pair": pair, onclick: () => choose(pair, true) },
      element("td", { class: "id" }, button),
      element("td", { class: "number" }, String(count[pair])),
      element("td", { class: "number" }, mean[pair].toFixed(2)),
      element("td", { class: "number" }, greatest[pair].toFixed(2)),
    );
  });
  if (state.order.length > LISTED_PAIRS) {
    const text = `and ${shortNumber(state.order.length - LISTED_PAIRS)} better ones`;
    rows.push(element("tr", {}, element("td", { colspan: "4", class: "quiet" }, text)));
  }
  byId("pairs").replaceChildren(...rows);
}

async function choose(pair, move) {
  state.chosen = pair;
  state.pair = null;
  for (const row of byId("pairs").querySelectorAll("tr.pair")) {
    row.classList.toggle("chosen", Number(row.dataset.pair) === pair);
  }
  view.draw();
  if (pair < 0) {
    byId("pair").replaceChildren();
    return;
  }
  const { tileIds, p, q } = state.pairs;
  await showPair(tileIds[p[pair]], tileIds[q[pair]], move);
}

async function showPair(first, second, move) {
  const collection = byId("collection").value;
  try {
    state.pair = await json(
      `${stack.section(state.section.z, "matches", collection, "pair")}?${query({ p: first, q: second })}`,
    );
  } catch (error) {
    byId("pair").replaceChildren(element("p", { class: "message error" }, error.message));
    return;
  }
  if (move) {
    const points = [...state.pair.p.world, ...state.pair.q.world];
    const xs = points.map(([x]) => x);
    const ys = points.map(([, y]) => y);
    view.fit({ minX: Math.min(...xs), minY: Math.min(...ys), maxX: Math.max(...xs), maxY: Math.max(...ys) }, 0.2);
  }
  view.draw();
  await showSideBySide();
}

async function showSideBySide() {
  const { pair } = state;
  const { canvas, step } = await sideBySide(stack, pair, limit());
  if (pair !== state.pair) {
    return;
  }
  const worst = Math.max(...pair.residuals).toFixed(2);
  const shown = step > 1 ? `, every ${step}th drawn` : "";
  byId("pair").replaceChildren(
    element("h2", {}, `${pair.p.tileId} and ${pair.q.tileId}`),
    element("p", { class: "quiet" }, `${pair.residuals.length} matches, the worst ${worst} px${shown}`),
    element("div", { class: "side-by-side" }, canvas),
  );
  document.body.dataset.pair = `${pair.p.tileId} ${pair.q.tileId}`;
}

function rememberPlace() {
  const place = { owner, project, stack: name, z: state.section.z, collection: byId("collection").value };
  history.replaceState(null, "", pageUrl("matches", { ...place, with: byId("other").value, frame: byId("frame").value }));
}

function drawPairs(context) {
  const { x, y, p, q, tileIds, mean, count } = state.pairs;
  const place = (tileId) => {
    const tile = state.outlines.indexOf.get(tileId);
    return tile === undefined ? null : view.toScreen(state.outlines.centre(tile));
  };
  // the worst last, so that they are on top
  for (const pair of [...state.order].reverse()) {
    const middle = view.toScreen([x[pair], y[pair]]);
    context.strokeStyle = residualColour(mean[pair], limit());
    context.lineWidth = Math.min(1.5 + Math.log10(1 + count[pair]), 4);
    const ends = [place(tileIds[p[pair]]), place(tileIds[q[pair]])].filter(Boolean);
    context.beginPath();
    for (const end of ends) {
      context.moveTo(...middle);
      context.lineTo(middle[0] + (end[0] - middle[0]) * 0.7, middle[1] + (end[1] - middle[1]) * 0.7);
    }
    context.stroke();
    context.beginPath();
    context.arc(...middle, pair === state.chosen ? 6 : 3, 0, 2 * Math.PI);
    context.fillStyle = context.strokeStyle;
    context.fill();
  }
}

function drawChosen(context) {
  const { pair } = state;
  for (const [side, colour] of [["p", "#ffd23f"], ["q", "#ff9ff3"]]) {
    const tile = state.outlines.indexOf.get(pair[side].tileId);
    if (tile !== undefined) {
      context.strokeStyle = colour;
      context.lineWidth = 2;
      state.outlines.draw(context, view, { tiles: [tile] });
    }
  }
  const many = pair.residuals.length > MANY_MATCHES;
  context.lineWidth = many ? 1.2 : 2;
  pair.residuals.forEach((residual, match) => {
    const from = view.toScreen(pair.p.world[match]);
    const to = view.toScreen(pair.q.world[match]);
    context.strokeStyle = residualColour(residual, limit());
    context.beginPath();
    context.moveTo(...from);
    context.lineTo(...to);
    context.stroke();
    context.beginPath();
    context.arc(...from, many ? 2 : 3.5, 0, 2 * Math.PI);
    context.stroke();
  });
}

function drawMatches(context) {
  if (!state.outlines) {
    return;
  }
  drawMissing(context, view, state.outlines, state.missing);
  context.strokeStyle = `rgb(200 210 220 / ${state.outlines.opacity(view) / 1.6})`;
  context.lineWidth = 1;
  state.outlines.draw(context, view);
  if (state.unmatched.length) {
    context.fillStyle = UNMATCHED;
    state.outlines.draw(context, view, { tiles: state.unmatched, fill: true });
  }
  if (state.pair) {
    drawChosen(context);
  } else if (state.pairs) {
    drawPairs(context);
  }
}

view.addLayer(drawMatches, () => [
  state.section?.z, state.outlines?.count, state.missing, state.pairs?.serial, state.chosen, state.pair?.p.tileId,
  state.pair?.q.tileId, limit(),
]);

function listenToControls() {
  for (const id of ["collection", "other", "frame"]) {
    byId(id).addEventListener("change", showPairs);
  }
  byId("limit").addEventListener("change", () => {
    if (state.pairs) {
      showSummary();
      listPairs();
      view.draw();
    }
  });
  for (const id of ["first", "second"]) {
    byId(id).addEventListener("change", () => {
      const tiles = [byId("first").value.trim(), byId("second").value.trim()];
      if (tiles.every(Boolean)) showPair(...tiles, true);
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") choose(-1, false);
  });
}

await fill(byId("content"), async () => {
  setHeading("Matches", [
    [project, pageUrl("project", { owner, project })],
    [name, pageUrl("stack", { owner, project, stack: name, z: parameters.get("z") })],
  ]);
  const [metadata, zValues, collections, stacks] = await Promise.all([
    json(stack.url()), json(stack.url("zValues")), json(ownerUrl(owner, "matchCollections")),
    json(ownerUrl(owner, "project", project, "stacks")),
  ]);
  if (!zValues.length) {
    throw new Error(`The stack ${name} holds no tile yet. It is ${metadata.state}.`);
  }
  if (!collections.length) {
    throw new Error(`${owner} has no match collection yet. How to make one: rendermodules next ${owner}/${project}`);
  }
  state.nanometres = metadata.currentVersion?.stackResolutionX ?? null;
  drawLegend(byId("legend"));
  const names = collections.map(({ collectionId }) => collectionId.name);
  const wanted = parameters.get("collection") ?? collectionsOf(name, stacks, names)[0];
  byId("collection").append(
    ...collections.map(({ collectionId, pairCount }) =>
      element(
        "option",
        { value: collectionId.name, selected: collectionId.name === wanted },
        `${collectionId.name} (${counted(pairCount, "pair")})`,
      ),
    ),
  );
  byId("frame").value = parameters.get("frame") ?? "";
  const z = parameters.get("z");
  state.section = new SectionChoice(zValues.sort((a, b) => a - b), z === null ? null : Number(z), showSection);
  if (parameters.get("with")) {
    byId("other").append(element("option", { value: parameters.get("with"), selected: true }, ""));
  }
  listenToControls();
  await showSection(state.section.z);
});
