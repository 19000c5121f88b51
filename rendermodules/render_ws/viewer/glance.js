// How good a stack is, at a glance: the residuals of its middle section, and of that with the next one.

import { json } from "./service.js";

/** A section of more tiles is not looked at: its matches would take longer than a glance. */
const MOST_TILES = 500;

async function meanResidual(stack, z, otherZ, collections) {
  const query = otherZ === undefined ? "" : `?otherZ=${otherZ}`;
  let [sum, matches] = [0, 0];
  for (const collection of collections) {
    const { count, mean } = await json(`${stack.section(z, "matches", collection)}${query}`);
    mean.forEach((one, pair) => {
      sum += one * count[pair];
      matches += count[pair];
    });
  }
  return matches ? sum / matches : null;
}

/** A text such as "0.02 px within z 1, 0.3 px to z 2"; empty where there are no matches, or very many tiles. */
export async function residualText(stack, zValues, tileCount, collections) {
  if (!collections.length || tileCount > MOST_TILES * zValues.length) {
    return "";
  }
  const middle = Math.floor((zValues.length - 1) / 2);
  const [z, next] = zValues.slice(middle, middle + 2);
  const within = await meanResidual(stack, z, undefined, collections);
  const between = next === undefined ? null : await meanResidual(stack, z, next, collections);
  const parts = [[within, `within z ${z}`], [between, `to z ${next}`]];
  return parts.filter(([value]) => value !== null).map(([value, where]) => `${value.toPrecision(2)} px ${where}`).join(", ");
}
