// A project: its stacks, each with a picture, and the match collections of its owner.

import { residualText } from "./glance.js";
import { collectionsOf, inputStacks, provenance } from "./lineage.js";
import { isInstalled, neuroglancerUrl } from "./neuroglancer.js";
import { Stack, byId, element, fill, json, ownerUrl, pageUrl, parameters, setHeading, shortNumber } from "./service.js";

const content = byId("content");
const owner = parameters.get("owner") ?? "";
const project = parameters.get("project") ?? "";
const THUMBNAIL_PIXELS = 336;

function thumbnail(stack, z) {
  const place = element("div", { class: "thumbnail" });
  const image = element("img", {
    src: stack.thumbnail(z, { size: THUMBNAIL_PIXELS }),
    alt: `Middle section of ${stack.name}`,
    loading: "lazy",
    onerror: async () => {
      const answer = await fetch(image.src).catch(() => null);
      place.replaceChildren(answer ? (await answer.text()).slice(0, 120) : "no picture");
    },
  });
  place.append(image);
  return place;
}

function extent(bounds, metadata) {
  const [width, height] = [bounds.maxX - bounds.minX, bounds.maxY - bounds.minY];
  const nanometres = metadata.currentVersion?.stackResolutionX;
  const size = `${shortNumber(width)} × ${shortNumber(height)} px`;
  return nanometres ? `${size}, ${shortNumber((width * nanometres) / 1000)} µm wide` : size;
}

async function boundsOf(stack, metadata) {
  if (metadata.stats?.stackBounds && metadata.state !== "LOADING") {
    return metadata.stats.stackBounds;
  }
  const sections = await json(stack.url("sectionData"));
  const least = (name) => Math.min(...sections.map((section) => section[name]));
  const greatest = (name) => Math.max(...sections.map((section) => section[name]));
  return {
    minX: least("minX"), minY: least("minY"), minZ: least("z"),
    maxX: greatest("maxX"), maxY: greatest("maxY"), maxZ: greatest("z"),
    tileCount: sections.reduce((sum, section) => sum + section.tileCount, 0),
  };
}

function facts(pairs) {
  const list = element("dl", { class: "facts" });
  for (const [name, value] of pairs.filter(([, value]) => value !== "" && value !== null && value !== undefined)) {
    list.append(element("dt", {}, name), element("dd", {}, value));
  }
  return list;
}

function madeBy(metadata) {
  const record = provenance(metadata);
  if (!record) {
    return [["notes", metadata.currentVersion?.versionNotes ?? ""]];
  }
  return [["made by", record.module.replace(/^rendermodules\./, "")], ["from", inputStacks(record).join(", ")]];
}

async function stackRow(metadata, collections) {
  const { stack: name } = metadata.stackId;
  const stack = new Stack(owner, project, name);
  const sections = (await json(stack.url("zValues"))).sort((a, b) => a - b);
  const bounds = sections.length ? await boundsOf(stack, metadata) : null;
  const channels = metadata.stats?.channelNames ?? [];
  const page = pageUrl("stack", { owner, project, stack: name });
  const title = element("td", {}, element("a", { href: page }, name), " ", state(metadata.state));
  if (!sections.length) {
    title.append(element("p", { class: "quiet" }, "No tiles yet."));
    return { row: element("tr", { "data-stack": name }, element("td", {}), title, element("td", {}), element("td", {})) };
  }
  const z = sections.length > 1 ? `z ${sections[0]} to ${sections.at(-1)}` : `z ${sections[0]}`;
  title.append(
    facts([
      ["sections", `${shortNumber(sections.length)}, ${z}`],
      ["tiles", shortNumber(bounds.tileCount ?? metadata.stats?.tileCount ?? 0)],
      ["channels", channels.join(", ")],
    ]),
  );
  const links = element(
    "td",
    { class: "links" },
    element("a", { href: page }, "Sections"),
    (await isInstalled) ? element("a", { href: neuroglancerUrl(metadata, bounds, channels) }, "Neuroglancer") : null,
    collections.length ? element("a", { href: pageUrl("matches", { owner, project, stack: name }) }, "Matches") : null,
  );
  const about = facts([
    ["extent", extent(bounds, metadata)],
    ["x, y", `${shortNumber(bounds.minX)}, ${shortNumber(bounds.minY)} to ${shortNumber(bounds.maxX)}, ${shortNumber(bounds.maxY)}`],
    ["pixel", pixelSize(metadata)],
    ...madeBy(metadata),
    ["quality", metadata.currentVersion?.alignmentQuality],
    ["changed", (metadata.lastModifiedTimestamp ?? "").slice(0, 19).replace("T", " ")],
  ]);
  const picture = element("td", {}, element("a", { href: page, tabindex: "-1" }, thumbnail(stack, sections[Math.floor(sections.length / 2)])));
  const row = element("tr", { "data-stack": name }, picture, title, element("td", {}, about), links);
  return { row, stack, sections, about, tileCount: bounds.tileCount ?? metadata.stats?.tileCount ?? 0 };
}

/** Say of stack after stack how good it is, which takes longer than all the rest. */
async function addResiduals(rows, stacks, collections) {
  for (const { stack, sections, about, tileCount } of rows.filter(({ about }) => about)) {
    const used = collectionsOf(stack.name, stacks, collections);
    const text = await residualText(stack, sections, tileCount, used).catch((error) => error.message);
    if (text) about.prepend(element("dt", {}, "residual"), element("dd", {}, text));
  }
}

function pixelSize(metadata) {
  const version = metadata.currentVersion ?? {};
  const sizes = ["X", "Y", "Z"].map((axis) => version[`stackResolution${axis}`]);
  return sizes.some((size) => size) ? `${sizes.map((size) => size ?? "?").join(" × ")} nm` : "";
}

function state(name) {
  return element("span", { class: `state state-${name.replace(/[^A-Z_]/g, "")}` }, name);
}

function table(names, rows, kind = null) {
  const head = names.map((text) => element("th", { scope: "col" }, text));
  return element("table", { class: kind }, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows));
}

await fill(content, async () => {
  setHeading(project, []);
  const [stacks, collections] = await Promise.all([
    json(ownerUrl(owner, "project", project, "stacks")),
    json(ownerUrl(owner, "matchCollections")),
  ]);
  if (!stacks.length) {
    throw new Error(`There is no project ${project} of ${owner}, or it has no stacks yet.`);
  }
  const byTime = stacks.sort((a, b) => (a.lastModifiedTimestamp ?? "").localeCompare(b.lastModifiedTimestamp ?? ""));
  const rows = await Promise.all(byTime.map((metadata) => stackRow(metadata, collections)));
  const latest = byTime.filter((metadata) => metadata.state !== "LOADING").at(-1) ?? byTime.at(-1);
  const matchRows = collections.map(({ collectionId, pairCount }) =>
    element(
      "tr",
      {},
      element(
        "td",
        {},
        element(
          "a",
          {
            href: pageUrl("matches", {
              owner, project, stack: latest.stackId.stack, collection: collectionId.name,
            }),
          },
          collectionId.name,
        ),
      ),
      element("td", { class: "number" }, shortNumber(pairCount)),
    ),
  );
  content.replaceChildren(
    element("h2", {}, "Stacks, in the order in which they were made"),
    table(["middle section", "stack", "about", "open"], rows.map(({ row }) => row), "stacks"),
    element("h2", {}, "Match collections"),
    matchRows.length
      ? table(["collection", "pairs of tiles"], matchRows, "narrow")
      : element("p", { class: "quiet" }, `${owner} has no match collection yet.`),
  );
  addResiduals(rows, byTime, collections.map(({ collectionId }) => collectionId.name)).then(() => {
    document.body.dataset.residuals = "true";
  });
});
