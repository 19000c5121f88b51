// Two tiles as they were matched, side by side, each match a line from one to the other.

import { residualColour } from "./colours.js";
import { element, json } from "./service.js";

const DRAWN_MATCHES = 200;
const TILE_PIXELS = 600;
const GAP = 12;

/** A canvas with both tiles and their matches, and of how many matches one is drawn. */
export async function sideBySide(stack, pair, limit) {
  const local = pair.numLocalTransforms;
  const pictures = await Promise.all([pair.p, pair.q].map(({ tileId }) => matchedPicture(stack, tileId, local)));
  const canvas = element("canvas", { role: "img", "aria-label": `Matches of ${pair.p.tileId} and ${pair.q.tileId}` });
  canvas.width = pictures[0].width + GAP + pictures[1].width;
  canvas.height = Math.max(pictures[0].height, pictures[1].height);
  const context = canvas.getContext("2d");
  const shift = pictures[0].width + GAP;
  pictures.forEach((picture, side) => drawPicture(context, picture, side ? shift : 0));
  const step = Math.ceil(pair.residuals.length / DRAWN_MATCHES);
  const worstLast = pair.residuals.map((_, match) => match).sort((a, b) => pair.residuals[a] - pair.residuals[b]);
  for (const match of worstLast.filter((_, position) => position % step === 0)) {
    const p = pair.p.points[match].map((value) => value * pictures[0].scale);
    const q = pair.q.points[match].map((value) => value * pictures[1].scale);
    drawMatch(context, p, [q[0] + shift, q[1]], residualColour(pair.residuals[match], limit));
  }
  return { canvas, step };
}

function drawMatch(context, from, to, colour) {
  context.strokeStyle = context.fillStyle = colour;
  context.lineWidth = 3;
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
  for (const end of [from, to]) {
    context.beginPath();
    context.arc(...end, 5, 0, 2 * Math.PI);
    context.fill();
  }
}

function drawPicture(context, picture, left) {
  if (picture.image) {
    context.drawImage(picture.image, left, 0);
    return;
  }
  context.fillStyle = "#3a1512";
  context.fillRect(left, 0, picture.width, picture.height);
  context.fillStyle = "#ffffff";
  context.font = "20px system-ui, sans-serif";
  context.fillText("no picture", left + 20, 40);
}

async function matchedPicture(stack, tileId, local) {
  const spec = await json(stack.url("tile", tileId));
  const scale = Math.min(1, TILE_PIXELS / Math.max(spec.width, spec.height));
  const given = local === null ? {} : { numLocalTransforms: local };
  const options = new URLSearchParams({ scale, normalizeForMatching: true, ...given });
  const answer = await fetch(`${stack.url("tile", tileId, "jpeg-image")}?${options}`);
  const image = answer.ok ? await createImageBitmap(await answer.blob()) : null;
  return { image, scale, width: image?.width ?? spec.width * scale, height: image?.height ?? spec.height * scale };
}
