// A stack: its sections drawn live, tile outlines over them, channel and intensities, and what else can be opened.

import { isInstalled, neuroglancerUrl } from "./neuroglancer.js";
import { SectionView } from "./section_view.js";
import { Stack, byId, counted, element, fill, json, pageUrl, parameters, setHeading, shortNumber } from "./service.js";
import { SectionChoice, drawMissing, extentOf, listMissing, outlinesOf, showBar } from "./workplace.js";

const owner = parameters.get("owner") ?? "";
const project = parameters.get("project") ?? "";
const name = parameters.get("stack") ?? "";
const stack = new Stack(owner, project, name);

const CLIPPED_SHARE = 0.005;
const PAUSE_MILLISECONDS = 200;
const MOST_OFFERED_TILES = 500;

const view = new SectionView(byId("view"), {
  move: () => {
    showBar(byId("scale"), view, state.nanometres);
    rememberPlace();
  },
  hover: (place) => {
    state.pointer = place;
    showReadout();
  },
  pick: (place) => choose(state.outlines?.at(place) ?? -1),
  status: (text) => {
    state.status = text;
    showReadout();
  },
});

const state = {
  metadata: null, outlines: null, missing: [], chosen: -1, pointer: null, status: "", problem: "", nanometres: null,
  section: null, stored: { low: 0, high: 255 },
};

function showReadout() {
  const parts = [];
  if (state.pointer) {
    parts.push(`x ${state.pointer[0].toFixed(0)}  y ${state.pointer[1].toFixed(0)}`);
    const tile = state.outlines?.at(state.pointer) ?? -1;
    if (tile >= 0) parts.push(state.outlines.tileIds[tile]);
  }
  parts.push(...[state.problem, state.status].filter(Boolean));
  byId("readout").textContent = parts.join("   ");
  byId("readout").hidden = !parts.length;
}

function options() {
  const channel = byId("channel").value;
  const given = (id, stored) => {
    const value = byId(id).value;
    return value === "" || Number(value) === stored ? null : value;
  };
  return {
    channels: channel || null,
    minIntensity: given("low", state.stored.low),
    maxIntensity: given("high", state.stored.high),
  };
}

function showPictures() {
  const chosen = options();
  view.show((box, scale) => stack.picture(state.section.z, box, scale, chosen), view.bounds, view.bounds.tileCount);
}

let pause = null;
function showPicturesSoon() {
  clearTimeout(pause);
  pause = setTimeout(showPictures, PAUSE_MILLISECONDS);
}

async function showSection(z, keepPlace) {
  state.chosen = -1;
  state.outlines = null;
  state.missing = [];
  state.problem = "";
  byId("chosen").replaceChildren();
  byId("missing").replaceChildren();
  byId("tile-count").textContent = "";
  try {
    await fillSection(z, keepPlace);
  } catch (error) {
    if (z === state.section.z) {
      state.problem = error.message;
      showReadout();
    }
  }
}

async function fillSection(z, keepPlace) {
  const bounds = await extentOf(stack, z);
  if (z !== state.section.z) {
    return;
  }
  view.bounds = bounds;
  showPictures();
  if (!keepPlace) {
    view.fit(bounds);
  }
  rememberPlace();
  const outlines = await outlinesOf(stack, z);
  if (z !== state.section.z) {
    return;
  }
  state.outlines = outlines;
  byId("tile-count").textContent = counted(outlines.count, "tile");
  byId("tiles").replaceChildren(
    ...outlines.tileIds.slice(0, MOST_OFFERED_TILES).map((value) => element("option", { value })),
  );
  view.draw();
  await Promise.all([showStoredIntensities(outlines.tileIds[0]), findMissing(z, outlines)]);
}

async function showStoredIntensities(tileId) {
  const tile = await json(stack.url("tile", tileId));
  const channel = byId("channel").value || state.metadata.currentVersion?.defaultChannel;
  const found = tile.channels?.find((one) => one.name === channel) ?? tile.channels?.[0] ?? tile;
  const untouched = byId("low").value === "" || Number(byId("low").value) === state.stored.low;
  state.stored = { low: found.minIntensity ?? 0, high: found.maxIntensity ?? 255 };
  const most = state.stored.high > 255 ? 65535 : 255;
  for (const id of ["low", "high"]) {
    const slider = byId(`${id}-slider`);
    slider.max = most;
    if (untouched) setIntensity(id, state.stored[id]);
  }
}

function setIntensity(id, value) {
  byId(id).value = value;
  byId(`${id}-slider`).value = value;
}

async function findMissing(z, outlines) {
  const { missing } = await json(stack.section(z, "missing-images"));
  if (outlines === state.outlines) {
    state.missing = missing;
    listMissing(byId("missing"), outlines, missing, view);
    view.draw();
  }
}

async function choose(tile) {
  state.chosen = tile;
  view.draw();
  if (tile < 0) {
    byId("chosen").replaceChildren();
    return;
  }
  const tileId = state.outlines.tileIds[tile];
  const spec = await json(stack.url("tile", tileId));
  const rows = [
    ["tile", tileId],
    ["section", spec.layout?.sectionId],
    ["column, row", [spec.layout?.imageCol, spec.layout?.imageRow].filter((one) => one !== undefined).join(", ")],
    ["size", `${shortNumber(spec.width)} × ${shortNumber(spec.height)} px`],
    ["transforms", String(spec.transforms?.specList?.length ?? 0)],
    ["image", spec.mipmapLevels?.["0"]?.imageUrl ?? spec.channels?.[0]?.mipmapLevels?.["0"]?.imageUrl],
  ];
  const facts = element("dl", { class: "facts" });
  for (const [term, value] of rows.filter(([, value]) => value)) {
    facts.append(element("dt", {}, term), element("dd", {}, value));
  }
  byId("chosen").replaceChildren(
    facts,
    element("p", {}, element("a", { href: stack.url("tile", tileId) }, "Tile spec as JSON")),
  );
}

/** Black and white where all but a few of the pixels that are seen lie between, at the present setting. */
function fitIntensities() {
  const pixels = view.picturePixels();
  const histogram = new Array(256).fill(0);
  for (let index = 0; index < pixels.length; index += 16) {
    // nothing is drawn where the canvas is transparent, nor where a picture is entirely black
    if (pixels[index + 3] && pixels[index]) histogram[pixels[index]] += 1;
  }
  const total = histogram.reduce((sum, count) => sum + count, 0);
  if (!total) {
    return;
  }
  const [low, high] = [Number(byId("low").value), Number(byId("high").value)];
  const at = (share) => {
    let sum = 0;
    const value = histogram.findIndex((count) => (sum += count) >= share * total);
    return Math.round(low + (value / 255) * (high - low));
  };
  const limits = [at(CLIPPED_SHARE), at(1 - CLIPPED_SHARE)];
  if (limits[1] > limits[0]) {
    setIntensity("low", limits[0]);
    setIntensity("high", limits[1]);
    showPictures();
  }
}

let remembering = null;
function rememberPlace() {
  clearTimeout(remembering);
  remembering = setTimeout(() => {
    const { section } = state;
    if (!section || !view.bounds) {
      return;
    }
    const [x, y] = view.centre.map((value) => value.toFixed(1));
    const place = { owner, project, stack: name, z: section.z, x, y, scale: view.scale.toPrecision(4) };
    history.replaceState(null, "", pageUrl("stack", place));
    byId("matches").href = pageUrl("matches", { owner, project, stack: name, z: section.z });
    const seen = view.visible;
    byId("neuroglancer").textContent = Number.isInteger(section.z)
      ? "Neuroglancer here"
      : "Neuroglancer, which shows whole z only";
    const whole = state.metadata.stats?.stackBounds ?? { ...view.bounds, minZ: section.zValues[0], maxZ: section.zValues.at(-1) };
    byId("neuroglancer").href = neuroglancerUrl(
      state.metadata, whole, state.metadata.stats?.channelNames ?? [], [...view.centre, section.z], seen.maxX - seen.minX,
    );
  }, PAUSE_MILLISECONDS);
}

function listenToControls() {
  byId("channel").addEventListener("change", () => {
    byId("low").value = byId("high").value = "";
    showPictures();
    if (state.outlines) showStoredIntensities(state.outlines.tileIds[0]);
  });
  for (const id of ["low", "high"]) {
    byId(id).addEventListener("change", () => {
      byId(`${id}-slider`).value = byId(id).value;
      showPicturesSoon();
    });
    byId(`${id}-slider`).addEventListener("input", () => {
      byId(id).value = byId(`${id}-slider`).value;
      showPicturesSoon();
    });
  }
  byId("auto").addEventListener("click", fitIntensities);
  byId("reset").addEventListener("click", () => {
    setIntensity("low", state.stored.low);
    setIntensity("high", state.stored.high);
    showPictures();
  });
  byId("outlines").addEventListener("change", () => view.draw());
  byId("tile").addEventListener("change", () => {
    const tile = state.outlines?.indexOf.get(byId("tile").value.trim());
    if (tile !== undefined) {
      choose(tile);
      view.fit(state.outlines.box(tile), 0.2);
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "o" && !/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) {
      byId("outlines").checked = !byId("outlines").checked;
      view.draw();
    }
  });
}

function drawTiles(context) {
  if (!state.outlines) {
    return;
  }
  drawMissing(context, view, state.outlines, state.missing);
  if (byId("outlines").checked) {
    context.strokeStyle = `rgb(64 190 255 / ${state.outlines.opacity(view)})`;
    context.lineWidth = 1;
    state.outlines.draw(context, view);
  }
  if (state.chosen >= 0) {
    context.strokeStyle = "#ffd23f";
    context.lineWidth = 2.5;
    state.outlines.draw(context, view, { tiles: [state.chosen] });
  }
}

view.addLayer(drawTiles, () => [
  state.section?.z, state.outlines?.count, byId("outlines").checked, state.chosen, state.missing,
]);

await fill(byId("content"), async () => {
  setHeading(name, [[project, pageUrl("project", { owner, project })]]);
  const [metadata, zValues] = await Promise.all([json(stack.url()), json(stack.url("zValues"))]);
  state.metadata = metadata;
  state.nanometres = metadata.currentVersion?.stackResolutionX ?? null;
  if (!zValues.length) {
    throw new Error(`The stack ${name} holds no tile yet. It is ${metadata.state}.`);
  }
  const channels = metadata.stats?.channelNames ?? [];
  byId("channel-row").hidden = channels.length < 2;
  const first = metadata.currentVersion?.defaultChannel;
  byId("channel").append(
    element("option", { value: "" }, first ? "the stack's default" : "the first of each tile"),
    ...channels.map((channel) => element("option", { value: channel }, channel)),
  );
  const z = parameters.get("z");
  state.section = new SectionChoice(zValues.sort((a, b) => a - b), z === null ? null : Number(z), (next) =>
    showSection(next, true),
  );
  listenToControls();
  byId("neuroglancer").hidden = !(await isInstalled);
  const place = ["x", "y", "scale"].map((key) => Number.parseFloat(parameters.get(key)));
  const remembered = place.every(Number.isFinite);
  if (remembered) {
    view.centre = [place[0], place[1]];
    view.scale = place[2];
  }
  if (metadata.state !== "COMPLETE" && metadata.state !== "READ_ONLY") {
    byId("heading").append(element("span", { class: `state state-${metadata.state}` }, metadata.state));
  }
  await showSection(state.section.z, remembered);
});
