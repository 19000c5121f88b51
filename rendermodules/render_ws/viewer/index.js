// The first page: owners and their projects.

import { byId, element, fill, json, ownerUrl, pageUrl, serviceUrl } from "./service.js";

const content = byId("content");

function projectRow(owner, project, stacks) {
  const states = stacks.filter((stack) => stack.state === "LOADING").length;
  return element(
    "tr",
    {},
    element("td", {}, element("a", { href: pageUrl("project", { owner, project }) }, project)),
    element("td", {}, owner),
    element("td", { class: "number" }, String(stacks.length)),
    element("td", {}, states ? `${states} being written` : ""),
  );
}

await fill(content, async () => {
  const rows = [];
  for (const owner of await json(serviceUrl("owners"))) {
    const stacks = await json(ownerUrl(owner, "stacks"));
    const projects = Map.groupBy(stacks, (stack) => stack.stackId.project);
    for (const [project, members] of [...projects].sort()) {
      rows.push(projectRow(owner, project, members));
    }
  }
  const head = ["project", "owner", "stacks", ""].map((text) => element("th", { scope: "col" }, text));
  content.replaceChildren(
    element("h2", {}, "Projects"),
    rows.length
      ? element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows))
      : element("p", { class: "message" }, "There is no stack yet. Import tiles: rendermodules list dataimport"),
  );
});
