// a page from a Blob has an address of its own, so that its links to heads work as they do from disk
export default {
  render({ model, el }) {
    const frame = document.createElement("iframe");
    const address = URL.createObjectURL(new Blob([model.get("page")], { type: "text/html" }));
    frame.src = address;
    frame.title = model.get("title");
    Object.assign(frame.style, { width: "100%", height: "50rem", border: "1px solid #ccc" });
    el.append(frame);
    return () => URL.revokeObjectURL(address);
  },
};
