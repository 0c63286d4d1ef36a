// Draws sources with one of the page's own modules; gives the HTML without attributes other than href, and the time it took.
async ([module, name, sources]) => {
  const [{ [name]: render }, { Directory }] = await Promise.all([import(`/static/${module}`), import("/static/state.js")]);
  const names = new Directory();
  names.load({
    team: {}, me: "U0ANA", apps: [],
    people: [{ id: "U0ANA", real_name: "Ana Souza" }, { id: "U0BEN", real_name: "Ben <b>" }],
    channels: [{ id: "C0GENERAL", name: "general", kind: "public" }],
    usergroups: [{ id: "S0SPECIAL", handle: "specialists" }],
  });
  const started = performance.now();
  const out = sources.map((source) => {
    const box = document.createElement("div");
    box.append(...[render(source, names)].flat());
    for (const node of box.querySelectorAll("*")) {
      for (const { name } of [...node.attributes]) if (name !== "href") node.removeAttribute(name);
    }
    return box.innerHTML;
  });
  return { out, milliseconds: performance.now() - started };
}
