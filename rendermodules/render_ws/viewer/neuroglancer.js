// Links that open stacks in Neuroglancer through its own render:// source.

import { origin } from "./service.js";

const PAGE = "neuroglancer/v/render/index.html";

/** Whether the client is installed where the service runs. */
export const isInstalled = fetch(PAGE, { method: "HEAD" }).then((answer) => answer.ok, () => false);

// screen pixels for the section, about
const STAGE = [900, 680];

// nuclei are blue and electron micrographs gray wherever people look at them; the others as they come
const USUAL_COLOURS = [[/dapi|hoechst/i, "#4a8cff"], [/^[st]?em\d*$/i, "#c8c8c8"]];
const COLOURS = ["#ff4fd8", "#3fe06c", "#ffb02e", "#ff5a4a", "#35e0e0", "#c58bff"];

const GREY = "#uicontrol invlerp normalized\nvoid main() { emitGrayscale(normalized()); }\n";

function coloured(colour) {
  return (
    "#uicontrol invlerp normalized\n" +
    `#uicontrol vec3 colour color(default="${colour}")\n` +
    "void main() { emitRGB(colour * normalized()); }\n"
  );
}

function colourOf(channel, others) {
  const usual = (name) => USUAL_COLOURS.find(([names]) => names.test(name))?.[1];
  return usual(channel) ?? COLOURS[others.filter((name) => !usual(name)).indexOf(channel) % COLOURS.length];
}

/** Levels of reduction that a stack needs, from its extent and not, as the client would guess, from its far corner. */
function levelCount(bounds, tileSize) {
  const extent = Math.max(bounds.maxX - bounds.minX, bounds.maxY - bounds.minY, 1);
  return Math.max(1, Math.ceil(Math.log2(extent / tileSize)) + 1);
}

function source(metadata, bounds, channel) {
  const { owner, project, stack } = metadata.stackId;
  const tileSize = 512;
  const levels = levelCount(bounds, tileSize);
  const options = new URLSearchParams({ tilesize: tileSize, numlevels: levels, skipUnreadable: true });
  if (channel) {
    // behind the stack's name the client takes it too, but asks Render for "channel", which Render does not know
    options.set("channels", channel);
  }
  if (metadata.state === "LOADING") {
    // a stack that is being written has no bounds of its own yet; upper ones are excluded here
    for (const axis of ["X", "Y", "Z"]) {
      options.set(`min${axis}`, Math.floor(bounds[`min${axis}`]));
      options.set(`max${axis}`, Math.ceil(bounds[`max${axis}`]) + 1);
    }
  }
  return `render://${origin}/${owner}/${project}/${stack}?${options}`;
}

function resolution(metadata) {
  const version = metadata.currentVersion ?? {};
  const values = ["X", "Y", "Z"].map((axis) => version[`stackResolution${axis}`]);
  // Neuroglancer takes 1 nm for all of them when one is missing, and so do we
  return values.every((value) => typeof value === "number" && value > 0) ? values : [1, 1, 1];
}

/**
 * Address of Neuroglancer on a stack.
 *
 * bounds: minX ... maxZ of what is shown; centre: x, y, z in world pixels, the middle by default;
 * widthPixels: how many world pixels lie side by side, all of the stack by default.
 */
export function neuroglancerUrl(metadata, bounds, channels, centre = null, widthPixels = null) {
  const [x, y, z] = resolution(metadata);
  const several = channels.length > 1;
  const layers = (channels.length ? channels : [null]).map((channel) => ({
    type: "image",
    name: channel ?? metadata.stackId.stack,
    source: source(metadata, bounds, channel),
    shader: several ? coloured(colourOf(channel, channels)) : GREY,
    ...(several ? { blend: "additive", opacity: 1 } : {}),
  }));
  const middle = ["X", "Y", "Z"].map((axis) => (bounds[`min${axis}`] + bounds[`max${axis}`]) / 2);
  const whole = Math.max((bounds.maxX - bounds.minX) / STAGE[0], (bounds.maxY - bounds.minY) / STAGE[1]);
  const state = {
    dimensions: { x: [x * 1e-9, "m"], y: [y * 1e-9, "m"], z: [z * 1e-9, "m"] },
    position: (centre ?? [middle[0], middle[1], Math.floor(middle[2])]).map((value, axis) => (axis === 2 ? value + 0.5 : value)),
    crossSectionScale: Math.max(widthPixels === null ? whole : widthPixels / STAGE[0], 0.1),
    layers,
    selectedLayer: { layer: layers[0].name, visible: false },
    layout: "xy",
  };
  return `${PAGE}#!${encodeURIComponent(JSON.stringify(state))}`;
}
