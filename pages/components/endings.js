// The drawer of the sandbox's endings. See endings.py for the data.

class Endings {
  constructor() {
    this.opener = make("button", { type: "button", className: "opener" }, "Endings");
    this.opener.setAttribute("aria-haspopup", "dialog");
    this.search = make("input", { type: "search", placeholder: "Search: spam, 0030, busy …" });
    this.search.setAttribute("aria-label", "Search the endings");
    this.count = make("p", { className: "quiet", role: "status" });
    this.closer = make("button", { type: "button", className: "closer" }, "✕");
    this.closer.setAttribute("aria-label", "Close");
    this.list = make("div", { className: "list" });
    this.dialog = make(
      "dialog",
      { "aria-labelledby": "title" },
      make(
        "header",
        {},
        make("h2", { id: "title" }, "Endings of sandbox numbers"),
        this.closer,
        this.search,
        this.count,
      ),
      this.list,
    );
    this.root = make("div", { className: "root" }, this.opener, this.dialog);
    this.opener.onclick = () => this.open();
    this.closer.onclick = () => this.dialog.close();
    this.search.oninput = () => this.filter();
    // A click beside the panel hits the dialog itself, whose box is the backdrop's edge.
    this.dialog.onclick = (event) => event.target === this.dialog && this.dialog.close();
    this.dialog.onclose = () => this.opener.focus();
    this.dialog.onkeydown = (event) => this.onKey(event);
  }

  update({ data, setTriggerValue }) {
    this.trigger = setTriggerValue;
    const text = JSON.stringify(data);
    if (text === this.drawn) return;
    this.drawn = text;
    this.rows = [];
    this.sections = data.groups
      .filter(({ endings }) => endings.length)
      .map((group) => this.section(group));
    this.list.replaceChildren(...this.sections.map(({ element }) => element));
    this.filter();
  }

  section({ name, summary, endings }) {
    const rows = endings.map((ending) => this.row(ending, name));
    const element = make(
      "section",
      {},
      make("h3", {}, name[0].toUpperCase() + name.slice(1)),
      make("p", { className: "quiet" }, summary),
      make("ul", {}, ...rows.map(({ item }) => item)),
    );
    this.rows.push(...rows);
    return { element, rows };
  }

  row(ending, group) {
    const { suffix, pattern, title, summary, number } = ending;
    const words = `${pattern} ${suffix} ${title} ${summary} ${group}`.toLowerCase();
    const button = make(
      "button",
      { type: "button", className: "ending", disabled: !number },
      make("b", {}, pattern === "anything else" ? "any" : pattern),
      make(
        "span",
        {},
        make("strong", {}, title),
        make("span", { className: "quiet" }, summary),
      ),
    );
    const send = make("button", { type: "button", className: "send" }, "Send");
    send.hidden = true;
    send.setAttribute("aria-label", `Send to ${pattern}, ${title}`);
    if (!number) button.title = "No number with these last digits may be verified here.";
    const row = { button, send, suffix, number, words };
    row.item = make("li", {}, button, send);
    button.onclick = () => this.click(row);
    send.onclick = () => this.send(row);
    return row;
  }

  open() {
    this.select(undefined);
    this.search.value = "";
    this.filter();
    this.dialog.showModal();
    this.list.scrollTop = 0;
    this.search.focus();
  }

  click(row) {
    if (row === this.selected) {
      this.send(row);
      return;
    }
    this.select(row);
    this.trigger("filled", row.suffix);
  }

  send(row) {
    this.dialog.close();
    this.trigger("sent", row.suffix);
  }

  select(row) {
    this.selected = row;
    for (const each of this.rows) {
      each.send.hidden = each !== row;
      each.button.setAttribute("aria-pressed", String(each === row));
    }
    const number = row ? `${row.number} is in the form. Click again to send.` : "";
    write(this.count, number || this.found());
  }

  filter() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const { item, words: text } of this.rows) {
      item.hidden = !words.every((word) => text.includes(word));
    }
    for (const { element, rows } of this.sections) {
      element.hidden = rows.every(({ item }) => item.hidden);
    }
    write(this.count, this.found());
  }

  found() {
    const visible = this.visible().length;
    if (visible === 0) return "No ending has these words. Clear the search to see all.";
    return `${visible} of ${this.rows.length}. A click fills in the form, a second one sends.`;
  }

  visible() {
    return this.rows.filter(({ item }) => !item.hidden);
  }

  /** The arrow keys move through the endings, also from the search field. */
  onKey(event) {
    // The page's own keys must not act while the drawer is open.
    event.stopPropagation();
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (!(event.key in steps)) return;
    const buttons = this.visible()
      .map(({ button }) => button)
      .filter(({ disabled }) => !disabled);
    const active = this.root.getRootNode().activeElement;
    const next = buttons.indexOf(active) + steps[event.key];
    event.preventDefault();
    if (next < 0) this.search.focus();
    else buttons[Math.min(next, buttons.length - 1)]?.focus();
  }

  close() {
    if (this.dialog.open) this.dialog.close();
  }
}

export default (component) => mount(Endings, component);
