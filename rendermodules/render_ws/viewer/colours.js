// Residuals in colour: blue for none over green to yellow for the limit, red beyond it; all bright, to be seen on tissue.

const STOPS = [[70, 130, 255], [40, 195, 235], [80, 215, 120], [190, 225, 60], [255, 215, 50]];
const BEYOND = "rgb(255 60 40)";

export function residualColour(residual, limit) {
  if (residual > limit) {
    return BEYOND;
  }
  const place = Math.max(0, Math.min(residual / limit, 1)) * (STOPS.length - 1);
  const lower = Math.min(Math.floor(place), STOPS.length - 2);
  const mixed = STOPS[lower].map((value, channel) => value + (STOPS[lower + 1][channel] - value) * (place - lower));
  return `rgb(${mixed.map(Math.round).join(" ")})`;
}

export function drawLegend(canvas) {
  const context = canvas.getContext("2d");
  for (let x = 0; x < canvas.width; x += 1) {
    context.fillStyle = residualColour((x / canvas.width) * 1.1, 1);
    context.fillRect(x, 0, 1, canvas.height);
  }
}
