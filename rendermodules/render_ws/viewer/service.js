// What all pages share: where things are, how they are asked for, and how they come into the page.
// Text from the service is only ever set as text, never as HTML.

export const origin = new URL("..", import.meta.url).href.replace(/\/$/, "");
const api = `${origin}/render-ws/v1`;
const data = `${origin}/viewer/data`;

export const parameters = new URLSearchParams(location.search);

function path(...parts) {
  return parts.map((part) => encodeURIComponent(part)).join("/");
}

function query(values) {
  const given = Object.entries(values).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const text = new URLSearchParams(given).toString();
  return text ? `?${text}` : "";
}

export function pageUrl(page, values) {
  return `${page}.html${query(values)}`;
}

/** Addresses below a stack: of Render's own routes, and of the data that only these pages ask for. */
export class Stack {
  constructor(owner, project, name) {
    Object.assign(this, { owner, project, name });
    const below = `owner/${path(owner)}/project/${path(project)}/stack/${path(name)}`;
    this.api = `${api}/${below}`;
    this.data = `${data}/${below}`;
  }

  url(...parts) {
    return [this.api, ...parts.map((part) => encodeURIComponent(part))].join("/");
  }

  section(z, ...parts) {
    return [this.data, "z", ...[z, ...parts].map((part) => encodeURIComponent(part))].join("/");
  }

  /** A box of a section as JPEG, without the tiles whose images are gone. */
  picture(z, [x, y, width, height], scale, options) {
    const place = `${this.api}/z/${encodeURIComponent(z)}/box/${x},${y},${width},${height},${scale}/jpeg-image`;
    return `${place}${query({ ...options, skipUnreadable: true })}`;
  }

  thumbnail(z, options) {
    return `${this.section(z, "thumbnail")}${query(options)}`;
  }
}

export function ownerUrl(owner, ...parts) {
  return `${api}/owner/${path(owner, ...parts)}`;
}

export function serviceUrl(...parts) {
  return `${api}/${path(...parts)}`;
}

/** Answer of the service as JSON; an error has the service's own words. */
export async function json(url, options = {}) {
  const response = await fetch(url, options);
  if (!response.ok) {
    throw new Error((await response.text()).trim() || `the service answers ${response.status}`);
  }
  return response.json();
}

/** A new element. Attributes that begin with "on" are listeners; children are elements or text. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) {
      made.addEventListener(name.slice(2), value);
    } else if (value !== null && value !== undefined && value !== false) {
      made.setAttribute(name, value === true ? "" : value);
    }
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function byId(id) {
  return document.getElementById(id);
}

/** Write the way from the first page to this one, and the title. */
export function setHeading(title, steps) {
  document.title = `${title} - Render`;
  const nav = element("nav", { "aria-label": "You are here" });
  for (const [text, href] of [["Render", "index.html"], ...steps]) {
    nav.append(element("a", { href }, text), element("span", { class: "separator", "aria-hidden": "true" }, "›"));
  }
  byId("heading").replaceChildren(nav, element("h1", {}, title));
}

/** Show a message in the place of a page's content, or above it. */
export function showMessage(place, text, kind = "") {
  place.replaceChildren(element("p", { class: `message ${kind}`, role: kind === "error" ? "alert" : "status" }, text));
}

/** Run what fills a page; say what went wrong where it fails. */
export async function fill(place, work) {
  try {
    await work();
  } catch (error) {
    showMessage(place, error.message, "error");
  }
  document.body.dataset.ready = "true";
}

export function shortNumber(value) {
  return Number.isInteger(value) ? value.toLocaleString("en") : Number(value.toPrecision(6)).toString();
}

/** A number with the word for what it counts: 1 tile, 2,000 tiles. */
export function counted(number, word) {
  return `${shortNumber(number)} ${word}${number === 1 ? "" : "s"}`;
}
