// A section on a canvas: pictures in chunks, drawn by the service at the scale that is looked at, and what lies over them.
// World pixels are those of the stack; screen pixels are CSS pixels of the canvas.

const CHUNK_PIXELS = 512;
const LEAST_CHUNK_PIXELS = 64;
const MOST_TILES_IN_CHUNK = 300;
const MOST_REQUESTS = 4;
const MOST_CHUNKS = 400;
const GREATEST_SCALE = 32;
const PAN_SHARE = 0.15;
const ZOOM_STEP = 1.3;

export class SectionView {
  /**
   * canvas: where to draw; listeners: move(view), hover([x, y]), pick([x, y]) in world pixels, status(text).
   */
  constructor(canvas, listeners = {}) {
    this.canvas = canvas;
    this.listeners = listeners;
    this.layers = [];
    this.centre = [0, 0];
    this.scale = 1;
    this.bounds = null;
    this.pictureUrl = null;
    this.forgetPictures();
    new ResizeObserver(() => this.draw()).observe(canvas);
    this.#listen();
  }

  get size() {
    return [this.canvas.clientWidth, this.canvas.clientHeight];
  }

  /** Show pictures that urlOf([x, y, width, height], scale) leads to, of so many tiles that lie within bounds. */
  show(urlOf, bounds, tileCount = 1) {
    this.pictureUrl = urlOf;
    this.bounds = bounds;
    this.tileCount = tileCount;
    this.forgetPictures();
    this.draw();
  }

  forgetPictures() {
    this.requests?.forEach((request) => request.abort());
    this.chunks = new Map();
    this.requests = new Map();
    this.failure = null;
  }

  /**
   * Add something that is drawn over the pictures: draw(context, view), in screen pixels.
   *
   * It is drawn once for each view and each value of version(), and kept while pictures arrive below it.
   */
  addLayer(draw, version) {
    this.layers.push({ draw, version, key: null, kept: new OffscreenCanvas(1, 1) });
  }

  toScreen([x, y]) {
    const [width, height] = this.size;
    return [(x - this.centre[0]) * this.scale + width / 2, (y - this.centre[1]) * this.scale + height / 2];
  }

  toWorld([x, y]) {
    const [width, height] = this.size;
    return [(x - width / 2) / this.scale + this.centre[0], (y - height / 2) / this.scale + this.centre[1]];
  }

  /** World box that is seen. */
  get visible() {
    const [width, height] = this.size;
    const [minX, minY] = this.toWorld([0, 0]);
    const [maxX, maxY] = this.toWorld([width, height]);
    return { minX, minY, maxX, maxY };
  }

  /** Show a box of the world with a margin; the whole section by default. */
  fit(box = this.bounds, margin = 0.03) {
    const [width, height] = this.size;
    if (!box || !width || !height) {
      return;
    }
    const room = 1 - 2 * margin;
    const extent = [Math.max(box.maxX - box.minX, 1), Math.max(box.maxY - box.minY, 1)];
    this.moveTo(
      [(box.minX + box.maxX) / 2, (box.minY + box.maxY) / 2],
      Math.min((width * room) / extent[0], (height * room) / extent[1]),
    );
  }

  moveTo(centre, scale = this.scale) {
    this.centre = centre;
    this.scale = Math.min(Math.max(scale, this.#leastScale()), GREATEST_SCALE);
    this.draw();
    this.listeners.move?.(this);
  }

  #leastScale() {
    if (!this.bounds) {
      return 1e-6;
    }
    const extent = Math.max(this.bounds.maxX - this.bounds.minX, this.bounds.maxY - this.bounds.minY, 1);
    return Math.min(...this.size, 1000) / extent / 8;
  }

  zoom(factor, at = null) {
    const [width, height] = this.size;
    const fixed = at ?? [width / 2, height / 2];
    const before = this.toWorld(fixed);
    const scale = Math.min(Math.max(this.scale * factor, this.#leastScale()), GREATEST_SCALE);
    this.moveTo(
      [before[0] - (fixed[0] - width / 2) / scale, before[1] - (fixed[1] - height / 2) / scale],
      scale,
    );
  }

  pan(dx, dy) {
    this.moveTo([this.centre[0] + dx / this.scale, this.centre[1] + dy / this.scale]);
  }

  draw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.#draw();
    });
  }

  #draw() {
    const [width, height] = this.size;
    const ratio = window.devicePixelRatio || 1;
    if (!width || !height) {
      return;
    }
    const pixels = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.canvas.width !== pixels[0] || this.canvas.height !== pixels[1]) {
      [this.canvas.width, this.canvas.height] = pixels;
    }
    const context = this.canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    this.#drawPictures(context, ratio);
    for (const layer of this.layers) {
      this.#drawLayer(layer, ratio);
      context.drawImage(layer.kept, 0, 0, width, height);
    }
  }

  /** Pixels of the pictures that are seen, without what lies over them: red, green, blue, opacity. */
  picturePixels() {
    const { width, height } = this.canvas;
    const context = new OffscreenCanvas(width, height).getContext("2d");
    const ratio = window.devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#drawPictures(context, ratio);
    return context.getImageData(0, 0, width, height).data;
  }

  #drawLayer(layer, ratio) {
    const { width, height } = this.canvas;
    const key = JSON.stringify([this.centre, this.scale, width, height, layer.version()]);
    if (key === layer.key) {
      return;
    }
    layer.key = key;
    [layer.kept.width, layer.kept.height] = [width, height];
    const context = layer.kept.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    layer.draw(context, this);
  }

  #drawPictures(context, ratio) {
    if (!this.pictureUrl) {
      return;
    }
    const level = Math.max(0, Math.floor(-Math.log2(this.scale * ratio)));
    const wanted = this.#wantedChunks(level);
    // coarser pictures stand in until the right ones are here
    const ready = [...this.chunks.values()].filter((chunk) => chunk.image);
    context.imageSmoothingEnabled = this.scale * ratio < 2;
    for (const chunk of ready.sort((a, b) => b.level - a.level)) {
      if (chunk.level >= level) {
        this.#drawChunk(context, chunk, ratio);
      }
    }
    this.#request(wanted);
  }

  #drawChunk(context, chunk, ratio) {
    // an edge within a pixel would be blended with what lies below, and show as a line between neighbours
    const snapped = (place) => this.toScreen(place).map((value) => Math.round(value * ratio) / ratio);
    const [left, top] = snapped([chunk.box[0], chunk.box[1]]);
    const [right, bottom] = snapped([chunk.box[0] + chunk.box[2], chunk.box[1] + chunk.box[3]]);
    const [width, height] = this.size;
    if (right < 0 || bottom < 0 || left > width || top > height) {
      return;
    }
    chunk.used = performance.now();
    context.drawImage(chunk.image, left, top, right - left, bottom - top);
  }

  /** Side of a chunk: small where many tiles come into one, so that the first picture is soon here. */
  #chunkPixels(level) {
    const area = (this.bounds.maxX - this.bounds.minX) * (this.bounds.maxY - this.bounds.minY);
    const density = this.tileCount / Math.max(area, 1);
    let pixels = CHUNK_PIXELS;
    while (pixels > LEAST_CHUNK_PIXELS && density * (pixels * 2 ** level) ** 2 > MOST_TILES_IN_CHUNK) {
      pixels /= 2;
    }
    return pixels;
  }

  #wantedChunks(level) {
    const side = this.#chunkPixels(level) * 2 ** level;
    const seen = this.visible;
    const [minX, maxX] = [Math.max(seen.minX, this.bounds.minX), Math.min(seen.maxX, this.bounds.maxX)];
    const [minY, maxY] = [Math.max(seen.minY, this.bounds.minY), Math.min(seen.maxY, this.bounds.maxY)];
    const wanted = [];
    for (let row = Math.floor(minY / side); row * side < maxY; row += 1) {
      for (let column = Math.floor(minX / side); column * side < maxX; column += 1) {
        const box = [column * side, row * side, side, side];
        const distance = Math.hypot(
          box[0] + side / 2 - this.centre[0],
          box[1] + side / 2 - this.centre[1],
        );
        wanted.push({ key: `${level}/${column}/${row}`, level, box, distance });
      }
    }
    return wanted.sort((a, b) => a.distance - b.distance);
  }

  #request(wanted) {
    const keys = new Set(wanted.map((chunk) => chunk.key));
    for (const [key, request] of this.requests) {
      if (!keys.has(key)) {
        request.abort();
      }
    }
    for (const chunk of wanted) {
      if (this.requests.size >= MOST_REQUESTS) {
        break;
      }
      if (!this.chunks.has(chunk.key) && !this.requests.has(chunk.key)) {
        this.#fetch(chunk);
      }
    }
    const missing = wanted.filter((chunk) => !this.chunks.has(chunk.key)).length;
    this.canvas.dataset.missing = String(missing);
    this.listeners.status?.(this.failure ?? (missing ? `drawing, ${missing} pieces left` : ""));
  }

  async #fetch(chunk) {
    const abort = new AbortController();
    const { requests, chunks } = this;
    requests.set(chunk.key, abort);
    try {
      const answer = await fetch(this.pictureUrl(chunk.box, 1 / 2 ** chunk.level), { signal: abort.signal });
      if (!answer.ok) {
        throw new Error((await answer.text()).trim() || `the service answers ${answer.status}`);
      }
      chunks.set(chunk.key, { ...chunk, image: await createImageBitmap(await answer.blob()) });
      if (!performance.getEntriesByName("first-picture").length) {
        performance.mark("first-picture");
      }
    } catch (error) {
      if (error.name !== "AbortError" && chunks === this.chunks) {
        chunks.set(chunk.key, { ...chunk, image: null });
        this.failure = error.message;
      }
    } finally {
      requests.delete(chunk.key);
    }
    if (chunks === this.chunks) {
      this.#forgetOldest();
      this.draw();
    }
  }

  #forgetOldest() {
    if (this.chunks.size <= MOST_CHUNKS) {
      return;
    }
    const oldest = [...this.chunks.values()].sort((a, b) => (a.used ?? 0) - (b.used ?? 0));
    for (const chunk of oldest.slice(0, this.chunks.size - MOST_CHUNKS)) {
      chunk.image?.close();
      this.chunks.delete(chunk.key);
    }
  }

  #place(event) {
    const frame = this.canvas.getBoundingClientRect();
    return [event.clientX - frame.left, event.clientY - frame.top];
  }

  #listen() {
    const { canvas } = this;
    let grip = null;
    let moved = false;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      grip = this.#place(event);
      moved = false;
    });
    canvas.addEventListener("pointermove", (event) => {
      const place = this.#place(event);
      if (grip) {
        moved ||= Math.hypot(place[0] - grip[0], place[1] - grip[1]) > 3;
        if (moved) {
          this.pan(grip[0] - place[0], grip[1] - place[1]);
          grip = place;
        }
      }
      this.listeners.hover?.(this.toWorld(place));
    });
    canvas.addEventListener("pointerup", (event) => {
      if (grip && !moved) {
        this.listeners.pick?.(this.toWorld(this.#place(event)));
      }
      grip = null;
    });
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY / 400), this.#place(event));
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
      const [width, height] = this.size;
      const moves = {
        ArrowLeft: () => this.pan(-width * PAN_SHARE, 0),
        ArrowRight: () => this.pan(width * PAN_SHARE, 0),
        ArrowUp: () => this.pan(0, -height * PAN_SHARE),
        ArrowDown: () => this.pan(0, height * PAN_SHARE),
        "+": () => this.zoom(ZOOM_STEP),
        "=": () => this.zoom(ZOOM_STEP),
        "-": () => this.zoom(1 / ZOOM_STEP),
        0: () => this.fit(),
        Enter: () => this.listeners.pick?.(this.centre),
      };
      if (moves[event.key] && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        moves[event.key]();
      }
    });
  }
}
