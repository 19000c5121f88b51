// What the pages with a section on them share: its readout, its bar of scale, its outlines, tiles without images.

import { Outlines } from "./outlines.js";
import { byId, element, json } from "./service.js";

const NICE_LENGTHS = [1, 2, 5];

/** The length of a bar near 120 screen pixels that is a round number of nm, or of pixels without a resolution. */
export function niceBar(scale, nanometresPerPixel) {
  const unit = nanometresPerPixel || 1;
  const longest = (140 / scale) * unit;
  const power = 10 ** Math.floor(Math.log10(longest));
  const length = Math.max(...NICE_LENGTHS.map((one) => one * power).filter((one) => one <= longest));
  const text = !nanometresPerPixel
    ? `${length} px`
    : length >= 1e6 ? `${length / 1e6} mm` : length >= 1e3 ? `${length / 1e3} µm` : `${length} nm`;
  return { width: (length / unit) * scale, text };
}

export function showBar(place, view, nanometresPerPixel) {
  const { width, text } = niceBar(view.scale, nanometresPerPixel);
  const bar = element("div", { class: "bar" });
  bar.style.width = `${width}px`;
  place.replaceChildren(document.createTextNode(text), bar);
}

/** The box around all tiles of a section, and their number. */
export async function extentOf(stack, z) {
  const parts = await json(stack.url("z", z, "sectionData"));
  if (!parts.length) {
    throw new Error(`The stack has no tile at z ${z}.`);
  }
  const extreme = (name, choose) => choose(...parts.map((part) => part[name]));
  return {
    minX: extreme("minX", Math.min), minY: extreme("minY", Math.min),
    maxX: extreme("maxX", Math.max), maxY: extreme("maxY", Math.max),
    tileCount: parts.reduce((sum, part) => sum + part.tileCount, 0),
  };
}

export async function outlinesOf(stack, z) {
  const outlines = new Outlines(await json(stack.section(z, "outlines")));
  performance.mark("outlines");
  return outlines;
}

/** Hatch the tiles whose image is gone. */
export function drawMissing(context, view, outlines, tiles) {
  if (!tiles.length) {
    return;
  }
  context.fillStyle = hatching(context);
  outlines.draw(context, view, { tiles, fill: true });
  context.strokeStyle = "#ff8a7d";
  context.lineWidth = 1.5;
  outlines.draw(context, view, { tiles });
  context.fillStyle = "#ffffff";
  context.font = "12px system-ui, sans-serif";
  context.textAlign = "center";
  for (const tile of tiles) {
    const box = outlines.box(tile);
    if ((box.maxX - box.minX) * view.scale > 110) {
      context.fillText("image missing", ...view.toScreen(outlines.centre(tile)));
    }
  }
}

function hatching(context) {
  const tile = new OffscreenCanvas(8, 8);
  const ink = tile.getContext("2d");
  ink.fillStyle = "rgb(90 20 15 / 85%)";
  ink.fillRect(0, 0, 8, 8);
  ink.strokeStyle = "rgb(255 138 125 / 70%)";
  for (const shift of [-8, 0, 8]) {
    ink.moveTo(shift, 8);
    ink.lineTo(shift + 8, 0);
  }
  ink.stroke();
  return context.createPattern(tile, "repeat");
}

/** List the tiles whose image is gone, each with a button that goes there. */
export function listMissing(place, outlines, tiles, view) {
  if (!tiles.length) {
    place.replaceChildren();
    return;
  }
  const shown = tiles.slice(0, 20).map((tile) =>
    element(
      "li",
      {},
      element("button", { type: "button", onclick: () => view.fit(outlines.box(tile), 0.2) }, outlines.tileIds[tile]),
    ),
  );
  const more = tiles.length > shown.length ? [element("li", {}, `and ${tiles.length - shown.length} more`)] : [];
  place.replaceChildren(
    element("h2", {}, "Images missing"),
    element("p", { class: "message error" }, `${tiles.length} of ${outlines.count} tiles have no readable image.`),
    element("ul", {}, ...shown, ...more),
  );
}

/** The section slider with its number, and the keys that turn to the next section. */
export class SectionChoice {
  constructor(zValues, z, changed) {
    this.zValues = zValues;
    this.changed = changed;
    this.slider = byId("section");
    this.number = byId("z");
    this.slider.max = String(zValues.length - 1);
    this.number.min = zValues[0];
    this.number.max = zValues.at(-1);
    this.select(this.#nearest(z ?? zValues[Math.floor(zValues.length / 2)]));
    this.slider.addEventListener("input", () => this.turn(Number(this.slider.value)));
    this.number.addEventListener("change", () => this.turn(this.#nearest(Number(this.number.value))));
    byId("previous").addEventListener("click", () => this.turn(this.index - 1));
    byId("next").addEventListener("click", () => this.turn(this.index + 1));
    document.addEventListener("keydown", (event) => {
      const step = { PageUp: -1, PageDown: 1, ",": -1, ".": 1 }[event.key];
      if (step && !/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) {
        event.preventDefault();
        this.turn(this.index + step);
      }
    });
  }

  get z() {
    return this.zValues[this.index];
  }

  #nearest(z) {
    let best = 0;
    this.zValues.forEach((value, index) => {
      if (Math.abs(value - z) < Math.abs(this.zValues[best] - z)) best = index;
    });
    return best;
  }

  select(index) {
    this.index = Math.min(Math.max(index, 0), this.zValues.length - 1);
    this.slider.value = String(this.index);
    this.slider.setAttribute("aria-valuetext", `z ${this.z}`);
    this.number.value = this.z;
    byId("section-count").textContent = `section ${this.index + 1} of ${this.zValues.length}`;
  }

  turn(index) {
    const before = this.index;
    this.select(index);
    if (this.index !== before) {
      this.changed(this.z);
    }
  }
}
