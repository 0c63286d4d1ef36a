// The texts of blocks that no server should send, drawn all the same.
async () => {
  const modules = ["blocks", "state", "form"].map((name) => import(`/static/${name}.js`));
  const [{ renderBlocks }, { Directory }, { Form }] = await Promise.all(modules);
  const blocks = [
    { type: "hologram" }, null, { type: "section", text: { type: "mrkdwn", text: 7 } }, { type: "table", rows: [null, [5]] },
    { type: "actions", elements: [null, { type: "lever" }] }, { type: "input" }, { type: "rich_text", elements: [{}] },
    { type: "header", text: "fine" },
  ];
  return renderBlocks(blocks, { names: new Directory(), form: new Form() }).map((node) => node.textContent);
}
