// Where the tiles of a section lie: their outlines, and which of them is at a place.

const OUTLINES_IN_PATH = 50;

/** The outlines of a section's tiles, as four corners each, and which tile lies where. */
export class Outlines {
  constructor({ tileIds, corners }) {
    this.tileIds = tileIds;
    this.corners = Float64Array.from(corners);
    this.indexOf = new Map(tileIds.map((tileId, index) => [tileId, index]));
  }

  get count() {
    return this.tileIds.length;
  }

  corner(tile, number) {
    return [this.corners[8 * tile + 2 * number], this.corners[8 * tile + 2 * number + 1]];
  }

  centre(tile) {
    const at = 8 * tile;
    const c = this.corners;
    return [(c[at] + c[at + 2] + c[at + 4] + c[at + 6]) / 4, (c[at + 1] + c[at + 3] + c[at + 5] + c[at + 7]) / 4];
  }

  box(tile) {
    const xs = [0, 1, 2, 3].map((number) => this.corner(tile, number)[0]);
    const ys = [0, 1, 2, 3].map((number) => this.corner(tile, number)[1]);
    return { minX: Math.min(...xs), minY: Math.min(...ys), maxX: Math.max(...xs), maxY: Math.max(...ys) };
  }

  /** The tile at a place of the world, the one drawn last where several overlap; -1 where there is none. */
  at([x, y]) {
    for (let tile = this.count - 1; tile >= 0; tile -= 1) {
      if (this.#holds(tile, x, y)) {
        return tile;
      }
    }
    return -1;
  }

  #holds(tile, x, y) {
    let inside = false;
    for (let number = 0; number < 4; number += 1) {
      const [ax, ay] = this.corner(tile, number);
      const [bx, by] = this.corner(tile, (number + 1) % 4);
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) {
        inside = !inside;
      }
    }
    return inside;
  }

  /** Draw the outlines of those tiles that are seen, of all by default; or fill them. */
  draw(context, view, { tiles = null, fill = false } = {}) {
    const { corners, count } = this;
    const [width, height] = view.size;
    const scale = view.scale;
    const offsetX = width / 2 - view.centre[0] * scale;
    const offsetY = height / 2 - view.centre[1] * scale;
    let traced = 0;
    context.beginPath();
    for (let number = 0; number < (tiles ? tiles.length : count); number += 1) {
      const at = 8 * (tiles ? tiles[number] : number);
      const ax = corners[at] * scale + offsetX;
      const ay = corners[at + 1] * scale + offsetY;
      const cx = corners[at + 4] * scale + offsetX;
      const cy = corners[at + 5] * scale + offsetY;
      const reach = Math.hypot(cx - ax, cy - ay);
      if (Math.max(ax, cx) + reach < 0 || Math.max(ay, cy) + reach < 0) continue;
      if (Math.min(ax, cx) - reach > width || Math.min(ay, cy) - reach > height) continue;
      context.moveTo(ax, ay);
      context.lineTo(corners[at + 2] * scale + offsetX, corners[at + 3] * scale + offsetY);
      context.lineTo(cx, cy);
      context.lineTo(corners[at + 6] * scale + offsetX, corners[at + 7] * scale + offsetY);
      context.closePath();
      traced += 1;
      // browsers are slow with one path of very many lines
      if (traced % OUTLINES_IN_PATH === 0) {
        fill ? context.fill() : context.stroke();
        context.beginPath();
      }
    }
    fill ? context.fill() : context.stroke();
  }

  /** How opaque outlines may be so that what lies below can still be seen. */
  opacity(view) {
    const box = this.box(0);
    return Math.min(0.75, Math.max(0.12, ((box.maxX - box.minX) * view.scale) / 60));
  }
}
