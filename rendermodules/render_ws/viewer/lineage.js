// What stacks were made of and with which matches, as the records tell that runs leave in the notes of what they write.

/** The record of a run that a stack carries in its notes, if its notes are one. */
export function provenance(metadata) {
  try {
    const record = JSON.parse(metadata.currentVersion?.versionNotes ?? "");
    return record && typeof record === "object" && record.module ? record : null;
  } catch {
    return null;
  }
}

/** Names of the stacks that a run has read. */
export function inputStacks(record) {
  // digests of files and counts of matches stand beside the versions of stacks
  return Object.entries(record?.inputs ?? {})
    .filter(([, version]) => version && typeof version === "object" && "currentVersionNumber" in version)
    .map(([name]) => name);
}

function texts(value) {
  if (typeof value === "string") return [value];
  return value && typeof value === "object" ? Object.values(value).flatMap(texts) : [];
}

/** Which of the match collections a stack and what it was made of were made with; all of them where nobody noted any. */
export function collectionsOf(name, stacks, collections) {
  const records = new Map(stacks.map((metadata) => [metadata.stackId.stack, provenance(metadata)]));
  const used = new Set();
  const seen = new Set();
  for (let one = name; one !== undefined && !seen.has(one); ) {
    seen.add(one);
    texts(records.get(one)?.parameters).forEach((text) => used.add(text));
    one = inputStacks(records.get(one)).find((input) => records.has(input));
  }
  const found = collections.filter((collection) => used.has(collection));
  return found.length ? found : collections;
}
